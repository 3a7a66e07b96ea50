"""Every page as a person sees it: axe, the policy, other hosts, sideways scroll; in light and dark, on a desk and on a phone."""

import json

import pytest

from tests.portal.test_access import converters, routes

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("browser")]
# Machines' addresses, and pages that only come after something was sent.
NOT_PAGES = ("api/", "in/", "health/", "metrics", "unsubscribe/", "search/")


found: dict[str, list[str]] = {}


def pages(portal, visit, role):
    """The addresses of this role's pages: those without parameters that answer with a page, and one of each kind with them."""
    if role not in found:
        token = portal.manage("issue_token", role)
        lead = json.loads(portal.get("/api/v1/leads/?page_size=1", token))["results"][0]["id"]
        paths = {f"/{route}" for route in routes() if not route.startswith(NOT_PAGES) and not converters(route)} | {f"/leads/{lead}/"}
        if role != "sales":
            paths |= {
                "/listings/edge-firewall/",
                "/campaigns/appsource-nurture/",
                "/overview/?days=7",
                "/leads/?status=won",
                "/leads/?q=nobody-is-called-this",
            }
        ask = visit(role).page.request
        found[role] = [path for path in sorted(paths) if is_page(ask.get(portal.base + path, max_redirects=0))]
    return found[role]


def is_page(answer):
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["admin", "marketing", "sales"])
def test_every_page_is_sound(portal, visit, role, theme, width):
    window, wrong, seen = visit(role, width, theme), [], 0
    for path in pages(portal, visit, role):
        window.open(path)
        seen += 1
        wrong += [f"{path}: {finding}" for finding in window.findings()]
        if window.overflows():
            wrong.append(f"{path}: wider than the screen")
    assert not wrong, "\n".join(wrong)
    assert not window.troubles, window.troubles
    assert seen >= (5 if role == "sales" else 12)


@pytest.mark.parametrize("language", ["pt-br", "es", "cs", "ru", "nl"])
def test_longer_words_fit_on_a_phone(portal, visit, language):
    window = visit("marketing", 390, "light", language)
    for path in pages(portal, visit, "marketing"):
        window.page.goto(portal.base + path)
        assert not window.overflows(), f"{path} in {language}"
    assert window.page.evaluate("document.documentElement.lang").lower() == language


def test_the_narrowest_phone_needs_no_sideways_scroll(portal, visit):
    window = visit("sales", 320)
    for path in pages(portal, visit, "sales"):
        window.page.goto(portal.base + path)
        assert not window.overflows(), path
