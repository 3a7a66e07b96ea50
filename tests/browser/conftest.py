"""A real portal with demo data, as `make run` starts it, and a real browser looking at it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from portal.engines.processes import free_port, wait

TOP = Path(__file__).resolve().parents[2]
CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if Path(path).exists()), None)
AXE = (Path(__file__).parent / "axe.min.js").read_text()
# Every page in light and dark, on a desk and on a phone; the second theme of a layout is asked only what colours can change.
SHAPES = [(1280, "light", "all"), (1280, "dark", "colours"), (390, "dark", "all"), (390, "light", "colours")]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# No frames, and no style sheets read again for a rule about turned phones; where a finding is, its markup tells.
ASKED = "resultTypes: ['violations'], preload: false, iframes: false, selectors: false"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS", "EMAIL_URL")


@dataclass
class Portal:
    """The running portal: its address, and commands on it."""

    base: str
    environment: dict[str, str] = field(repr=False)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=TOP, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, token: str) -> bytes:
        request = urllib.request.Request(self.base + path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.read()

    def post(self, url: str, body: bytes) -> bytes:
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.read()


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One portal for all browser tests, with the demo data of a first start."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    home, port = tmp_path_factory.mktemp("portal"), free_port()
    for folder in (home, *home.parents):  # pytest's own folders, up to the one that everybody may enter
        if folder.stat().st_mode & 0o005 == 0o005:
            break
        folder.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PORTAL_")}
    environment = {**inherited, "PORTAL_DATA": str(home / "data"), "PORT": str(port), "PORTAL_ALLOW_LOOPBACK_DESTINATIONS": "1"}
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.supervisor"], cwd=TOP, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        ready = wait(lambda: f"ready http://127.0.0.1:{port}" in log.read_text() or process.poll() is not None, 120)
        assert ready and process.poll() is None, log.read_text()[-3000:]
        yield Portal(f"http://127.0.0.1:{port}", environment)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A signed-in browser window that keeps what must not happen: errors, policy violations, requests to other hosts."""

    page: Any
    base: str
    troubles: list[str] = field(default_factory=list)

    def watch(self) -> "Visit":
        self.page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" and "status of 40" not in said.text else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: None if request.url.startswith((self.base, "data:", "blob:")) else self.troubles.append(request.url))
        return self

    def open(self, path: str) -> "Visit":
        self.page.goto(self.base + path if path.startswith("/") else path)
        return self

    def shape(self, width: int, theme: str) -> None:
        """The open page in another width and theme, as its own switch sets it."""
        self.page.set_viewport_size({"width": width, "height": 844 if width < 600 else 900})
        self.page.evaluate(
            """async theme => {
                localStorage.setItem('theme', theme);
                dispatchEvent(new Event('theme'));
                await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
            }""",
            theme,
        )

    def sign_in(self, name: str) -> "Visit":
        self.open("/accounts/login/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", "demo")
        self.page.click("main form button[type=submit], form.login button")
        self.page.wait_for_url(re.compile(r"^(?!.*accounts/login)"))
        return self

    def wrongs(self) -> list[str]:
        """What is wrong with the open page in any shape; it ends in the first."""
        wrong = []
        for width, theme, rules in SHAPES:
            self.shape(width, theme)
            wrong += [f"{width} {theme}: {finding}" for finding in self.findings(rules)]
            if self.overflows():
                wrong.append(f"{width} {theme}: wider than the screen")
        self.shape(*SHAPES[0][:2])
        return wrong

    def findings(self, rules: str) -> list[str]:
        """What axe has to say about the page, WCAG 2.2 AA and best practice; or only of what its colours may change."""
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE)
        asked = f", runOnly: {{type: 'rule', values: {OF_COLOURS}}}" if rules == "colours" else ""
        found = self.page.evaluate(f"axe.run(document, {{{ASKED}{asked}}})")
        return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]

    def overflows(self) -> bool:
        """Sideways scroll, or a part of a bar that stays in place beyond the edge, where no scroll reaches."""
        return bool(
            self.page.evaluate(
                """() => {
                    const width = document.documentElement.clientWidth + 1;
                    const bars = [...document.querySelectorAll("body *")].filter(one => getComputedStyle(one).position === "fixed" && one.checkVisibility());
                    const parts = bars.flatMap(bar => [...bar.querySelectorAll("a, button, select")]);
                    return document.documentElement.scrollWidth > width || parts.some(one => one.checkVisibility() && one.getBoundingClientRect().right > width);
                }"""
            )
        )


@pytest.fixture(scope="package")
def visit(portal: Portal, chromium: Any) -> Iterator[Any]:
    """Open windows: visit("sales", width=390, theme="dark", language="cs"); `nobody` has not signed in."""
    made: dict[tuple[str, int, str, str], Visit] = {}

    def window(name: str, width: int = 1280, theme: str = "light", language: str = "") -> Visit:
        key = (name, width, theme, language)
        if key not in made:
            context = chromium.new_context(viewport={"width": width, "height": 844 if width < 600 else 900}, reduced_motion="reduce", locale="en-GB")
            context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
            if language:
                context.add_cookies([{"name": "django_language", "value": language, "url": portal.base}])
            made[key] = Visit(context.new_page(), portal.base).watch()
            if name != "nobody":
                made[key].sign_in(name)
        return made[key]

    yield window
    for one in made.values():
        one.page.context.close()
