"""Every page as a person sees it: axe, the policy, other hosts, sideways scroll; in light and dark, on a desk and on a phone."""

import re

import pytest
from django.urls import Resolver404, resolve

from tests.portal.test_access import converters, routes

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("browser")]
# Machines' addresses, files, and what ends the visit.
NOT_PAGES = ("api/v1/", "api/schema/", "api/docs/", "in/", "health/", "metrics", "search", "admin/", "language/", "accounts/logout/", "static/")
# Pages worth a look of their own although another of their kind was seen: filtered, empty, another period, one of each shape of a stage.
SPECIAL = {
    "office": [
        "/overview/?period=7",
        "/leads/?status=won",
        "/leads/?q=nobody-is-called-this",
        "/follow-up/deliveries/?state=dead",
        "/campaigns/new/?template=trial",
        "/campaigns/appsource-nurture/dry-run/?who=past",
        "/campaigns/appsource-nurture/dry-run/?lead=/leads/%3Fcountry=DE",
    ],
    "sales": ["/leads/?q=nobody-is-called-this"],
    "nobody": ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/unsubscribe/nobody-signed-this/", "/nowhere/"],
}
LINK = re.compile(r'href="(/[^"#?]*)')
IN_A_LIST = re.compile(r'href="(/leads/[0-9a-f-]{36}/\?in=[^"]*)')


found: dict[str, list[str]] = {}


def route_of(path):
    """The route of a page, the same for all pages of one kind; none for what is no page of ours."""
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    return None if route.startswith(NOT_PAGES) else route


def pages(portal, visit, role):
    """One page of every kind that this role reaches by the links on the others, beginning with those that have no parameters."""
    if role not in found:
        ask, seen = visit(role).page.request, set()
        special = SPECIAL["sales" if role == "sales" else "nobody" if role == "nobody" else "office"]
        todo = (
            [] if role == "nobody" else [f"/{route}" for route in sorted(set(routes())) if not route.startswith(NOT_PAGES) and not converters(route)]
        )
        found[role] = list(special)
        while todo:
            path = todo.pop(0)
            route = route_of(path)
            if route is None or route in seen:
                continue
            seen.add(route)
            answer = ask.get(portal.base + path, max_redirects=0)
            if is_page(answer):
                found[role].append(path)
                todo += LINK.findall(answer.text())
                if route == "leads/":  # opened from a list, a record says where in it one is
                    found[role] += IN_A_LIST.findall(answer.text())[:1]
    return found[role]


def is_page(answer):
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")


@pytest.mark.parametrize("role", ["admin", "sales", "nobody"])
def test_every_page_is_sound(portal, visit, role):
    """Opened once, then looked at on a desk and on a phone, in light and in dark. Marketing's pages are the admin's, less some."""
    window, wrong, seen = visit(role), [], 0
    for path in pages(portal, visit, role):
        wrong += [f"{path} {one}" for one in window.open(path).wrongs()]
        seen += 1
    assert not wrong, "\n".join(wrong)
    assert not window.troubles, window.troubles
    assert seen >= {"nobody": 5, "sales": 8}.get(role, 25)


BUYER = """
from campaigns.models import MailRules
from campaigns.words import unsubscribe_path
rules = MailRules.current()
rules.tracks_opens = True
rules.save()
print(unsubscribe_path("a.buyer@firm.example"))
"""


def test_the_page_behind_a_mail_is_sound_and_keeps_what_is_chosen(portal, visit):
    path = portal.manage("shell", "-v0", "-c", BUYER).splitlines()[-1]
    window = visit("nobody")
    page = window.open(path).page
    page.click("summary")
    wrong = window.wrongs()
    page.select_option("[name=language]", "nl")
    page.check("[name=opens]")
    page.click("button[name=choose]")
    page.get_by_text("Your choice is kept").wait_for()
    assert page.locator("[name=language]").input_value() == "nl"
    assert page.locator("[name=opens]").is_checked()
    assert not wrong and not window.troubles, [*wrong, *window.troubles]


# Every page in the two languages with the longest words, and in one of the others.
SHARES = {"ru": (0, 1), "nl": (0, 1), "es": (0, 3), "pt-br": (1, 3), "cs": (2, 3)}


@pytest.mark.parametrize("language", SHARES)
def test_longer_words_fit_on_a_phone(portal, visit, language):
    window, (first, step) = visit("admin", 390, "light", language), SHARES[language]
    for path in pages(portal, visit, "admin")[first::step]:
        window.page.goto(portal.base + path)
        assert not window.overflows(), f"{path} in {language}"
    assert window.page.evaluate("document.documentElement.lang").lower() == language


def test_the_narrowest_phone_needs_no_sideways_scroll(portal, visit):
    window = visit("sales", 320)
    for path in pages(portal, visit, "sales"):
        window.page.goto(portal.base + path)
        assert not window.overflows(), path


def test_the_api_describes_itself_within_the_policy(portal, visit):
    window = visit("admin")
    window.open("/api/docs/")
    window.page.wait_for_selector("text=/api/v1/leads/")
    assert not window.troubles
