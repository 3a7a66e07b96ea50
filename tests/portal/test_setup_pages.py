"""Setup in the browser: the index by role, the publisher, scoring, routing, health, privacy, and /metrics."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from campaigns.models import Suppression
from insights.models import DailyTally
from leads.models import Lead
from listings.models import Publisher
from portal import pipeline
from portal.due import WORK, run_due
from portal.setup_words import work_in_words
from routing.models import Seller
from scoring.score import rescore

OFFICE_PAGES = ["/setup/", "/setup/scoring/", "/setup/routing/", "/setup/privacy/"]
ADMIN_PAGES = ["/setup/publisher/", "/setup/system/"]


@pytest.fixture
def boss(admin, signed_in, publisher):
    return signed_in(admin)


@pytest.mark.parametrize("page", OFFICE_PAGES + ADMIN_PAGES)
def test_who_enters(page, publisher, admin, marketing, sales, signed_in):
    assert signed_in(admin).get(page).status_code == 200
    assert signed_in(marketing).get(page).status_code == (403 if page in ADMIN_PAGES else 200)
    assert signed_in(sales).get(page).status_code == 403
    assert Client().get(page).status_code == 302


def test_the_index_offers_only_what_one_may_open(boss, marketing, signed_in):
    assert "/setup/people/" in boss.get("/setup/").text
    assert "/setup/people/" not in signed_in(marketing).get("/setup/").text


def test_countries_are_checked_and_make_open_leads_follow(boss, publisher, offer, sales, arrive):
    lead = arrive(offer)
    given = {"name": "Larkfield", "time_zone": "Europe/Prague", "countries_served": "cz, xx"}
    answer = boss.post("/setup/publisher/", given)
    assert answer.status_code == 422
    assert "No such country: XX." in answer.text
    assert boss.post("/setup/publisher/", given | {"countries_served": "sk, CZ, xk"}).status_code == 302
    assert Publisher.current().rescore_asked_at is not None
    assert (rescore(), rescore()) == (1, 0)
    publisher.refresh_from_db()
    lead.refresh_from_db()
    assert (publisher.name, publisher.countries_served, lead.stale_since is not None) == ("Larkfield", ["CZ", "SK", "XK"], True)


def test_another_time_zone_asks_and_then_moves_the_days(boss, publisher, offer, sales, arrive):
    lead = arrive(offer)
    Lead.objects.filter(pk=lead.pk).update(received_at=datetime(2026, 11, 20, 23, 30, tzinfo=ZoneInfo("Europe/Prague")))
    given = {"name": publisher.name, "time_zone": "Asia/Tokyo", "countries_served": ""}
    answer = boss.post("/setup/publisher/", given)
    assert "Another time zone moves days" in answer.text
    assert Publisher.current().time_zone == "Europe/Prague"
    assert boss.post("/setup/publisher/", given | {"recount": "1"}).status_code == 302
    assert Publisher.current().time_zone == "Asia/Tokyo"
    run_due()
    assert Publisher.current().recount_asked_at is None
    assert [str(day) for day in DailyTally.objects.filter(leads__gt=0).values_list("day", flat=True)] == ["2026-11-21"]


def test_scoring_shows_rules_in_words_and_how_often_they_count(marketing, signed_in, offer, sales, arrive):
    arrive(offer)
    text = " ".join(signed_in(marketing).get("/setup/scoring/").text.split())
    assert "kind of e-mail address: Business" in text
    assert "100%" in text
    assert "halves every 14 days" in text


def test_more_room_for_a_seller_takes_up_who_waited(marketing, signed_in, offer, sales, arrive):
    Seller.objects.update(takes_leads=False)
    lead = arrive(offer)
    assert lead.owner is None
    browser = signed_in(marketing)
    assert "1 lead has no owner because nobody can take it" in browser.get("/setup/routing/").text
    browser.post(f"/setup/routing/{sales.pk}/", {"takes_leads": "on", "capacity": "5"})
    pipeline.run()
    lead.refresh_from_db()
    assert lead.owner == sales
    assert Seller.objects.get(user=sales).capacity == 5


def test_only_sellers_are_routed_to(marketing, signed_in, publisher):
    assert signed_in(marketing).get(f"/setup/routing/{marketing.pk}/").status_code == 404


def test_privacy_says_how_many_are_never_written_to(marketing, signed_in, publisher):
    Suppression.add("a@b.example", "by_hand")
    assert "1 address is never written to" in signed_in(marketing).get("/setup/privacy/").text


def test_metrics_are_for_admins_by_token_or_session(boss, admin, marketing, sales, api, signed_in, offer, arrive):
    arrive(offer)
    answer = api(admin).get("/metrics")
    assert answer["Content-Type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert lines['portal_submissions_last_day{disposition="lead"}'] == "1"
    assert lines["portal_submissions_pending"] == "0"
    assert {"portal_leads_stale", "portal_oldest_due_seconds", "portal_broker_up", 'portal_deliveries{state="dead"}'} <= set(lines)
    assert boss.get("/metrics", headers={"accept": "text/plain"}).status_code == 200
    for user in (marketing, sales):
        assert api(user).get("/metrics").status_code == 403
    assert Client().get("/metrics").status_code == 401


def test_every_kind_of_periodic_work_is_in_words():
    assert all(all(work_in_words(work.name)) for work in WORK)


def test_a_name_that_was_not_kept_is_nowhere_shown(boss, publisher):
    answer = boss.post("/setup/publisher/", {"name": "Not yet", "time_zone": "Asia/Tokyo", "countries_served": ""})
    assert "Another time zone moves days" in answer.text
    assert answer.context["publisher_name"] == publisher.name
