"""The straight path by eye: a lead is POSTed, marketing sees it counted, the seller has it on the phone, calls, and the clock stops."""

import json
import re

import pytest

from tests.conftest import payload

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("browser")]


ONLY_SALES = "from routing.models import Seller; Seller.objects.exclude(user__username='sales').update(takes_leads=%s)"


@pytest.fixture(scope="module")
def arrived(portal):
    """A lead that has just come in and went to the seller `sales`, the only one who takes leads today."""
    token = portal.manage("issue_token", "admin")
    listings = {row["slug"]: row for row in json.loads(portal.get("/api/v1/listings/", token))["results"]}
    portal.manage("shell", "-v0", "-c", ONLY_SALES % False)
    body = payload(email="journey@kolovrat.example", firstName="Journey", lastName="Nováková", description="We plan forty sites by spring.")
    submission = json.loads(portal.post(listings["edge-firewall"]["lead_url"], json.dumps(body).encode()))["id"]
    portal.manage("run_due")
    portal.manage("shell", "-v0", "-c", ONLY_SALES % True)
    lead = json.loads(portal.get(f"/api/v1/submissions/{submission}/", token))["lead"]
    row = json.loads(portal.get(f"/api/v1/leads/{lead}/", token))
    assert row["owner"] == "sales"
    return row


def test_marketing_finds_it_counted_and_explained(portal, visit, arrived):
    window = visit("marketing")
    window.open("/overview/")
    assert "Edge Firewall" in window.page.inner_text("main")
    window.open(f"/leads/?q={arrived['contact']['email']}")
    window.page.locator("main table tbody a").first.click()
    window.page.wait_for_url(re.compile(arrived["id"]))
    text = window.page.inner_text("main")
    assert "We plan forty sites by spring." in text
    assert str(arrived["score"]["total"]) in text
    assert arrived["owner_reason"] in window.page.inner_text("body")
    assert not window.troubles


def test_the_seller_has_it_on_the_phone_and_a_call_stops_the_clock(portal, visit, arrived):
    window = visit("sales", 390)
    window.open(f"/leads/{arrived['id']}/")
    assert arrived["contact"]["last_name"] in window.page.inner_text("main")
    assert window.page.locator(f"a[href='tel:{arrived['contact']['phone']}']").count() >= 1
    token = portal.manage("issue_token", "admin")
    window.page.locator("button:visible", has_text=re.compile("^\\s*I called\\s*$")).first.click()
    window.page.locator("#called button[type=submit]:visible, #called form button:visible").first.click()
    window.page.wait_for_load_state()
    assert json.loads(portal.get(f"/api/v1/leads/{arrived['id']}/", token))["first_response_at"]
    assert not window.troubles


def test_another_sellers_lead_is_not_there(portal, visit, arrived):
    token = portal.manage("issue_token", "admin")
    foreign = next(row["id"] for row in json.loads(portal.get("/api/v1/leads/?owner=leon", token))["results"])
    answer = visit("sales", 390).page.goto(f"{portal.base}/leads/{foreign}/")
    assert answer.status == 404
