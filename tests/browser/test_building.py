"""Marketing builds a campaign in the browser: adds stages and ways without the page loading anew, tries it dry, publishes, edits what runs, pauses."""

import contextlib
import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("browser")]


def add(window, kind, plus):
    """Put a stage of a kind where this plus is."""
    plus.click()
    window.page.get_by_role("button", name=f"Add: {kind}", exact=True).click()
    window.page.locator("#inspector h2", has_text=kind if kind != "Wait" else "").wait_for()


@contextlib.contextmanager
def settled(window):
    """Leave only when what the block asked for stands on the page: an answer that has come is not yet shown, and what is typed until then is lost."""
    window.page.evaluate(
        """() => {
            document.documentElement.dataset.awaiting = "";
            document.addEventListener("htmx:afterSettle", () => delete document.documentElement.dataset.awaiting, {once: true});
        }"""
    )
    yield
    window.page.locator("html:not([data-awaiting])").wait_for()


def save(window, **values):
    for name, value in values.items():
        window.page.fill(f"#inspector [name={name}]", value)
    with settled(window):
        window.page.locator("#inspector").get_by_role("button", name="Save", exact=True).click()


@pytest.fixture(scope="module")
def built(portal, visit):
    """A campaign with a mail, a question with two ways, and an end; the window stands on its flow."""
    window = visit("marketing")
    page = window.open("/campaigns/new/").page
    page.fill("[name=name]", "Spring fair")
    page.click("main form button.btn-primary")
    page.wait_for_url(re.compile("/campaigns/spring-fair/"))
    page.evaluate("window.loadedOnce = true")
    plus = page.locator(".flow-add")
    add(window, "E-mail", plus.last)
    save(window, name="Invitation")
    page.fill("[name=subject]", "See you at the fair")
    page.fill("[name=body]", "Hello {{ contact.first_name|default:there }}, we are in hall 4.")
    with settled(window):
        page.get_by_role("button", name="Save the text").click()
    add(window, "Branch", plus.last)
    page.select_option("[name=arm0-new]", "country")
    save(window, name="Near")
    page.select_option("[name=arm0-0-value]", "CZ")
    save(window)
    add(window, "Task", page.locator(".flow-way").first.locator(".flow-add").last)
    save(window, name="Call before the fair")
    add(window, "Exit", page.locator(".flow > li > .flow-link > .flow-add").last)
    return window


def test_a_flow_is_built_without_the_page_loading_anew(portal, built):
    page = built.page
    assert page.evaluate("window.loadedOnce") is True
    text = page.inner_text("main")
    for said in ("Invitation", "Near", "Country: Czechia", "Call before the fair", "All others"):
        assert said in text, said
    page.locator(".flow-card", has_text="Near").click()
    page.locator("#inspector h2", has_text="Near").wait_for()
    assert built.wrongs() == []
    assert not built.troubles


def test_a_course_of_the_gallery_begins_a_campaign(portal, visit):
    window = visit("marketing")
    page = window.open("/campaigns/new/").page
    page.locator("#template-call-first a").click()
    page.wait_for_url(re.compile("template=call-first"))
    assert page.locator("[name=name]").input_value() == "Call first, then write"
    page.fill("[name=name]", "Autumn calls")
    page.click("main form button.btn-primary")
    page.wait_for_url(re.compile("/campaigns/autumn-calls/"))
    assert page.locator(".flow-card").count() > 8
    assert page.get_by_text("We tried to reach you").count() > 0
    assert window.wrongs() == []
    assert not window.troubles


def test_a_dry_run_shows_the_ways_and_publishing_asks(portal, built):
    page = built.open("/campaigns/spring-fair/dry-run/?who=").page
    assert "Which way leads would go" in page.inner_text("main")
    assert built.wrongs() == []
    built.open("/campaigns/spring-fair/publish/")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.wait_for_url(re.compile("/campaigns/spring-fair/$"))
    assert "Published" in page.inner_text("main")
    assert page.locator(".flow-add").count() == 0


def test_what_runs_is_edited_as_a_draft_and_pausing_stops_it(portal, built):
    page = built.open("/campaigns/spring-fair/").page
    page.get_by_role("button", name="Edit").click()
    page.wait_for_url(re.compile("/campaigns/spring-fair/"))
    assert "Draft 2" in page.inner_text("main")
    page.locator(".flow-card", has_text="Call before the fair").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.locator(".toast", has_text="Removed").wait_for()
    assert "Call before the fair" not in page.inner_text(".flow")
    assert built.wrongs() == []
    page.get_by_role("button", name="Drop the draft").click()
    page.locator("main", has_text="Version 1").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.locator("main", has_text="Paused").first.wait_for()
    assert not built.troubles
