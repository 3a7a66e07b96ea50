"""Settings: every variable documented, odd values refused in a sentence, production strict."""

import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import start

TOP = Path(__file__).resolve().parents[2]
KEYS = {
    "SECRET_KEY": secrets.token_urlsafe(60),
    "PORTAL_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal",
}
PRODUCTION = {**KEYS, "PORTAL_URL": "https://portal.example.com"}


def manage(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
    )


def test_every_variable_is_documented_and_every_documented_one_exists():
    documented = set(re.findall(r"^### `([A-Z_]+)`", (TOP / "docs/settings.md").read_text(), re.MULTILINE))
    sources = [TOP / "portal/settings.py", TOP / "portal/supervisor.py", *(TOP / "portal/engines").glob("*.py")]
    read = {name for source in sources for name in re.findall(r"""(?:env\.\w+|environ\.get|getenv)\(\s*"([A-Z_]+)\"""", source.read_text())}
    assert documented == read - {"DJANGO_SETTINGS_MODULE", "PATH", "PYTHON", "VIRTUAL_ENV"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"PORTAL_DEMO": "yes"}, "PORTAL_DEMO is 'yes'; it takes 0 or 1"),
        ({"PORT": "http"}, "PORT is 'http'"),
        ({"PORT": "70000"}, "PORT is '70000'"),
        ({"LEAD_MAX_BYTES": "1"}, "LEAD_MAX_BYTES is '1'"),
        ({"ALLOWED_HOSTS": "*"}, "not *"),
        ({"MAIL_EVENTS": "mailgun", "MAIL_EVENTS_SECRET": "hook:Zm9yIHRlc3RzIG9ubHk"}, "MAIL_EVENTS_KEY is missing"),
        ({**PRODUCTION, "PORTAL_URL": "http://portal.example.com"}, "public https address"),
        ({**PRODUCTION, "PORTAL_DEBUG": "1"}, "not for production"),
        ({**PRODUCTION, "PORTAL_DEMO": "1"}, "not for one with PORTAL_URL"),
        ({**PRODUCTION, "PORTAL_ALLOW_LOOPBACK_DESTINATIONS": "1"}, "not for one with PORTAL_URL"),
        ({**PRODUCTION, "SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"PORTAL_URL": "https://portal.example.com"}, "needs SECRET_KEY and PORTAL_KEYS"),
        ({**{k: v for k, v in PRODUCTION.items() if k != "DATABASE_URL"}}, "needs DATABASE_URL"),
    ],
)
def test_odd_values_stop_the_start_with_a_sentence(tmp_path, change, sentence):
    done = manage(
        {**KEYS, "PORTAL_DATA": str(tmp_path), **change} if "PORTAL_URL" not in change else {"PORTAL_DATA": str(tmp_path), **change}, "check"
    )
    assert done.returncode != 0
    assert sentence in done.stderr


def test_production_settings_pass_djangos_deployment_check(tmp_path):
    done = manage({**PRODUCTION, "PORTAL_DATA": str(tmp_path)}, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_an_older_postgresql_is_refused_in_a_sentence(db, monkeypatch):
    monkeypatch.setattr(start, "OLDEST_POSTGRESQL", 99)
    with pytest.raises(ImproperlyConfigured, match=r"PostgreSQL 18; the portal needs 99"):
        start.check_version()


def test_demo_users_stop_a_portal_that_the_world_can_reach(sales, settings):
    start.check_at_start()
    settings.PRODUCTION = True
    with pytest.raises(ImproperlyConfigured, match="Demo users exist"):
        start.check_at_start()
