"""Everything received: whose it is, what is asked for, and that a figure of the overview leads to just what it counts."""

import re

import pytest

from leads.models import Disposition, Lead
from portal import pipeline

ARCHIVE = "/leads/quarantine/everything/"


@pytest.fixture
def received(offer, app, sales, post):
    """A lead, somebody anonymous, a neighbour's, a test and a body that nobody can read."""
    post(offer)
    post(app, email="", phone="", firstName="", lastName="")
    post(app, email="lucia@norte.example", actionCode="DNC", leadSource="SPZA-DNC|contoso.field-service")
    post(offer, email="MSFT_TEST_1@test.com", firstName="MSFT_TEST_1")
    post(offer, b"{")
    pipeline.run()


@pytest.fixture
def shown(signed_in, marketing):
    """The dispositions in the rows of the page, as they stand there."""

    def look(query=""):
        answer = signed_in(marketing).get(ARCHIVE + query)
        assert answer.status_code == 200
        return [one.disposition for one in answer.context["page"].rows]

    return look


def test_it_is_the_offices(received, sales, marketing, admin, client, signed_in):
    assert client.get(ARCHIVE).status_code == 302
    assert signed_in(sales).get(ARCHIVE).status_code == 403
    assert signed_in(marketing).get(ARCHIVE).status_code == signed_in(admin).get(ARCHIVE).status_code == 200


def test_newest_first_and_every_disposition(received, shown):
    assert shown() == ["quarantined", "test", "do_not_contact", "anonymous", "lead"]


@pytest.mark.parametrize(
    ("query", "dispositions"),
    [
        ("?disposition=anonymous", ["anonymous"]),
        ("?listing=edge-firewall", ["quarantined", "test", "lead"]),
        ("?storefront=appsource", ["do_not_contact", "anonymous"]),
        ("?storefront=appsource&listing=edge-firewall", []),
        ("?disposition=lead&from=2000-01-01&to=2000-01-02", []),
        ("?disposition=nothing", []),
        ("?from=yesterday", []),
        ("?from=0001-01-01&to=9999-12-31", []),
        ("?from=1900-01-01", ["quarantined", "test", "do_not_contact", "anonymous", "lead"]),
    ],
)
def test_what_the_address_asks_for(received, shown, query, dispositions):
    assert shown(query) == dispositions


def test_an_empty_answer_shows_a_way_out(received, marketing, signed_in):
    page = signed_in(marketing).get(f"{ARCHIVE}?disposition=refused").content.decode()
    assert "Nothing of this kind was received" in page
    assert "Show everything" in page


def test_before_anything_came_it_says_so(publisher, marketing, signed_in):
    assert "Nothing was received yet" in signed_in(marketing).get(ARCHIVE).content.decode()


@pytest.mark.parametrize(("disposition", "figure"), [(Disposition.ANONYMOUS, "anonymous"), (Disposition.DO_NOT_CONTACT, "asked_neighbour")])
def test_a_figure_of_demand_leads_to_what_it_counts(received, marketing, signed_in, disposition, figure):
    browser = signed_in(marketing)
    overview = browser.get("/overview/")
    link = re.search(rf'href="({ARCHIVE}\?disposition={disposition}[^"]*)"', overview.content.decode())
    assert link
    rows = browser.get(link[1].replace("&amp;", "&")).context["page"].rows
    assert len(rows) == getattr(overview.context["seen"].total, figure) == 1
    assert rows[0].disposition == disposition


def test_a_submission_leads_to_its_lead_and_back(received, marketing, signed_in):
    lead = Lead.objects.get()
    page = signed_in(marketing).get(f"/leads/quarantine/{lead.submissions.get().pk}/").content.decode()
    assert f'href="{lead.get_absolute_url()}"' in page
    assert f'href="{ARCHIVE}"' in page
