"""Strategies, demand activities, tracked links, which activity brought whom, and what it cost."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from campaigns.attribute import attribute_anew
from campaigns.go import target
from campaigns.models import Cost, DemandActivity, Strategy, Target, Touch, Visits
from campaigns.returns import plan_of, plans_of, returns
from leads.models import Interaction, Lead
from portal.templatetags import words
from tests.campaigns.test_stages import WEAK

# The publisher's day, which around midnight is not that of UTC.
TODAY = datetime.now(ZoneInfo("Europe/Prague")).date()
PERSON = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
PAGE = "https://appsource.microsoft.com/en-us/product/saas/larkfield.field?tab=Overview"


@pytest.fixture
def ad(app):
    return DemandActivity.objects.create(
        name="Spring ad", code="spring-ad", channel="search", listing=app, url=PAGE, starts=TODAY - timedelta(days=30)
    )


@pytest.fixture
def browser(signed_in, marketing, publisher):
    return signed_in(marketing)


def test_the_link_carries_the_code_and_counts_persons(ad):
    answer = Client().get("/go/spring-ad/", **PERSON)
    assert (answer.status_code, answer["Location"]) == (302, target(ad))
    assert target(ad) == f"{PAGE}&ocid=spring-ad&utm_source=search&utm_medium=portal&utm_campaign=spring-ad"
    Client().get("/go/spring-ad/", **PERSON)
    Client().head("/go/spring-ad/", **PERSON)
    Client().get("/go/spring-ad/", HTTP_USER_AGENT="LinkedInBot/1.0")
    assert Visits.objects.get().count == 2
    assert Client().get("/go/nothing/", **PERSON).status_code == 404
    assert Client().post("/go/spring-ad/").status_code == 405


@pytest.mark.parametrize(
    "url", ["http://appsource.microsoft.com/x", "https://evil.example/", "https://appsource.microsoft.com.evil.example/", "https://appsource.microsoft.com@evil.example/", "javascript:alert(1)"]
)  # fmt: skip
def test_a_tracked_link_leads_to_the_marketplace_and_nowhere_else(browser, app, url):
    given = {"name": "Ad", "channel": "search", "listing": app.pk, "url": url, "starts": TODAY.isoformat()}
    assert browser.post("/campaigns/demand/new/", given).status_code == 422
    assert not DemandActivity.objects.exists()


def test_an_act_that_names_the_code_is_certain_and_others_are_guessed_by_listing_and_time(app, offer, ad, arrive):
    DemandActivity.objects.create(name="Fair", code="fair", channel="event", listing=app, url=PAGE, starts=TODAY - timedelta(days=2))
    named = arrive(app, **{**WEAK, "description": "Came by ocid=Spring-Ad&x"})
    guessed = arrive(app, **{**WEAK, "email": "eve@gmail.com"})
    longer = arrive(app, **{**WEAK, "email": "lia@gmail.com", "description": "spring-ads and my-spring-ad-x"})
    elsewhere = arrive(offer, email="ada@firm.example")
    touches = {touch.lead_id: (touch.activity.code, touch.is_certain) for touch in Touch.objects.select_related("activity")}
    assert touches == {named.pk: ("spring-ad", True), guessed.pk: ("fair", False), longer.pk: ("fair", False)}
    assert elsewhere.pk not in touches


def test_an_activity_that_ended_a_week_ago_brings_nobody(app, ad, arrive):
    DemandActivity.objects.update(ends=TODAY - timedelta(days=9))
    arrive(app, **WEAK)
    assert not Touch.objects.exists()
    DemandActivity.objects.update(ends=TODAY - timedelta(days=6))
    ad.refresh_from_db()
    assert attribute_anew(ad) == 1
    assert attribute_anew(ad) == 1
    assert Touch.objects.count() == 1


def test_changing_an_activity_keeps_what_named_its_code_on_other_listings_and_frees_what_was_guessed(app, offer, ad, arrive):
    named = arrive(offer, email="ada@firm.example", description=f"Seen with ocid={ad.code}")
    guessed = arrive(app, email="bob@firm.example")
    assert set(Touch.objects.values_list("lead", "is_certain")) == {(named.pk, True), (guessed.pk, False)}
    other = DemandActivity.objects.create(name="Post", code="post", channel="social", listing=app, url=ad.url, starts=ad.starts - timedelta(days=3))
    DemandActivity.objects.filter(pk=ad.pk).update(listing=offer)
    ad.refresh_from_db()
    attribute_anew(ad)
    assert Touch.objects.get(lead=named, is_certain=True).activity == ad
    assert Touch.objects.get(lead=guessed, is_certain=False).activity == other


def test_first_and_last_touch_stand_side_by_side_with_what_each_cost(app, ad, arrive):
    fair = DemandActivity.objects.create(name="Fair", code="fair", channel="event", listing=app, url=PAGE, starts=TODAY - timedelta(days=30))
    arrive(app, **{**WEAK, "description": "ocid=spring-ad"})
    lead = arrive(app, **{**WEAK, "description": "utm_campaign=fair"})
    Lead.objects.update(opportunity_at=timezone.now())
    arrive(app, **{**WEAK, "email": "eve@gmail.com", "description": "ocid=fair"})
    Cost.objects.create(activity=fair, amount=300)
    Cost.objects.create(activity=fair, amount=100)
    assert Interaction.objects.filter(lead=lead).count() == 2
    first, last = returns([ad, fair])
    assert (first.first.leads, first.last.leads, last.first.leads, last.last.leads) == (1, 0, 1, 2)
    assert (last.last.opportunities, last.cost, last.per_lead, last.per_opportunity) == (1, 400, 200, 400)
    assert (first.per_lead, first.guessed) == (None, 0)


def test_a_strategy_shows_plan_against_actual(browser, app, offer, arrive, campaign):
    given = {
        "name": "Autumn",
        "starts": (TODAY - timedelta(days=9)).isoformat(),
        "ends": (TODAY + timedelta(days=10)).isoformat(),
        "currency": "EUR",
        "budget": "1000",
    }
    assert browser.post("/campaigns/strategies/new/", given).status_code == 302
    strategy = Strategy.objects.get()
    path = strategy.get_absolute_url()
    for wanted in (
        {"measure": "leads", "amount": 4},
        {"measure": "leads", "amount": 2, "listing": app.pk},
        {"measure": "won", "amount": 1, "country": "DE"},
    ):
        assert browser.post(path, wanted).status_code == 302
    arrive(app, **WEAK)
    arrive(offer, email="ada@firm.example")
    activity = {"name": "Ad", "channel": "search", "listing": app.pk, "url": PAGE, "starts": TODAY.isoformat(), "strategy": strategy.pk}
    assert browser.post("/campaigns/demand/new/", activity).status_code == 302
    made = DemandActivity.objects.get()
    assert made.code == "ad"
    assert browser.post(made.get_absolute_url(), {"day": TODAY.isoformat(), "amount": "250.50", "note": "Clicks"}).status_code == 302
    campaign.strategy = strategy
    campaign.save()
    browser.post("/campaigns/mine/costs/", {"day": TODAY.isoformat(), "amount": "100", "note": ""})
    plan = plan_of(strategy)
    assert [(one.actual, one.expected, one.is_on_course) for one in plan.courses] == [(2, 2, True), (1, 1, True), (0, 0, True)]
    assert (plan.spent, plan.left, plan.days_left) == (350.5, 649.5, 10)
    page = browser.get(path).text
    for said in ("€350.50", "€649.50", "on course", "Germany", "Mine"):
        assert said in page, said
    assert "€250.50" in browser.get("/campaigns/demand/").text
    assert "Autumn" in browser.get("/campaigns/strategies/").text
    browser.post(f"/campaigns/costs/{campaign.costs.get().pk}/remove/")
    browser.post(f"/campaigns/targets/{strategy.targets.first().pk}/remove/")
    assert (campaign.costs.count(), strategy.targets.count()) == (0, 2)


def test_nonsense_is_refused_and_what_was_typed_is_kept(browser, app, ad):
    whole = {"name": "Autumn", "starts": "2026-09-01", "ends": "2026-11-30", "currency": "EUR", "budget": "1000"}
    for wrong in ({"ends": "2026-08-01"}, {"currency": "euro"}, {"currency": "E1R"}, {"budget": "-1"}, {"starts": "soon"}, {"name": ""}):
        answer = browser.post("/campaigns/strategies/new/", {**whole, **wrong})
        assert answer.status_code == 422, wrong
        assert 'value="EUR"' in answer.text or "currency" in wrong
    activity = {"name": "Ad", "channel": "search", "listing": app.pk, "url": PAGE, "starts": TODAY.isoformat()}
    for wrong in ({"code": "spring-ad"}, {"code": "Spring Ad"}, {"ends": "2020-01-01"}, {"channel": "fax"}, {"listing": "0"}):
        assert browser.post("/campaigns/demand/new/", {**activity, **wrong}).status_code == 422, wrong
    assert browser.post(ad.get_absolute_url(), {"day": "2026-11-01", "amount": "-3"}).status_code == 422
    assert not Cost.objects.exists()


def test_the_list_of_activities_costs_the_same_however_long(browser, app, ad):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/campaigns/demand/").status_code == 200
        return len(queries)

    few = cost()
    for n in range(8):
        DemandActivity.objects.create(name=f"Ad {n}", code=f"ad-{n}", channel="social", listing=app, url=PAGE, starts=TODAY)
    assert cost() == few


def test_the_list_of_strategies_costs_the_same_however_long(browser, app, arrive, campaign):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/campaigns/strategies/").status_code == 200
        return len(queries)

    def make(n):
        strategy = Strategy.objects.create(name=f"Plan {n}", starts=TODAY, ends=TODAY + timedelta(days=n), budget=10)
        Target.objects.create(strategy=strategy, measure="leads", amount=n)
        Target.objects.create(strategy=strategy, measure="won", amount=n, country="CZ")
        ad = DemandActivity.objects.create(name=f"Ad {n}", code=f"ad-{n}", channel="social", listing=app, url=PAGE, starts=TODAY, strategy=strategy)
        Cost.objects.create(activity=ad, amount=n)

    arrive(app, **WEAK)
    make(1)
    few = cost()
    for n in range(2, 8):
        make(n)
    assert cost() == few
    found = {plan.strategy.name: ([one.actual for one in plan.courses], plan.spent) for plan in plans_of(list(Strategy.objects.all()))}
    assert found["Plan 7"] == ([1, 0], 7)
    Cost.objects.create(campaign=campaign, amount=5)
    campaign.strategy = Strategy.objects.get(name="Plan 7")
    campaign.save()
    assert plan_of(campaign.strategy).spent == 12


def test_a_lead_is_shared_out_evenly_among_what_brought_it(app, arrive):
    ads = [DemandActivity.objects.create(name=f"Ad {n}", code=f"ad-{n}", channel="search", listing=app, url=PAGE, starts=TODAY) for n in range(2)]
    lead = [arrive(app, **{**WEAK, "description": f"Act {n}"}) for n in range(3)][-1]
    Touch.objects.all().delete()
    for act, ad in zip(Interaction.objects.filter(lead=lead), (ads[0], ads[0], ads[1]), strict=True):
        Touch.objects.create(interaction=act, lead=lead, activity=ad, at=timezone.now(), is_certain=True)
    Lead.objects.filter(pk=lead.pk).update(opportunity_at=timezone.now())
    one, other = sorted(returns(ads), key=lambda one: one.activity.code)
    assert (one.linear, other.linear) == (0.7, 0.3)
    assert one.linear_opportunities + other.linear_opportunities == 1


def test_the_tracked_link_is_a_qr_code_too(browser, app):
    ad = DemandActivity.objects.create(name="Fair", code="fair", channel="event", listing=app, url=PAGE, starts=TODAY)
    drawn = browser.get(f"/campaigns/demand/{ad.pk}/qr.svg")
    assert (drawn["Content-Type"], b"<svg" in drawn.content, "Content-Disposition" in drawn) == ("image/svg+xml", True, False)
    assert browser.get(f"/campaigns/demand/{ad.pk}/qr.svg?download=1")["Content-Disposition"] == 'attachment; filename="fair.svg"'
    assert f"/campaigns/demand/{ad.pk}/qr.svg" in browser.get(ad.get_absolute_url()).text


def test_value_is_a_target_and_shows_what_spending_returned(browser, app, arrive):
    strategy = Strategy.objects.create(name="Autumn", starts=TODAY - timedelta(days=9), ends=TODAY + timedelta(days=10), currency="EUR")
    Target.objects.create(strategy=strategy, measure="value", amount=10_000)
    ad = DemandActivity.objects.create(name="Ad", code="ad", channel="search", listing=app, url=PAGE, starts=TODAY, strategy=strategy)
    Cost.objects.create(activity=ad, amount=1_000)
    assert returns([ad])[0].roi is None
    leads = [arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"}) for n in range(3)]
    now = timezone.now()
    for lead, value, won in zip(leads, (4_000, 1_500, 9_000), (now, None, None), strict=True):
        Lead.objects.filter(pk=lead.pk).update(value=value, opportunity_at=now if value < 9_000 else None, won_at=won)
    [course] = plan_of(strategy).courses
    assert (course.actual, course.expected, course.is_on_course) == (5_500, 5_000, True)
    [one] = returns([ad])
    assert (one.pipeline, one.earned, one.roi) == (5_500, 4_000, 3.0)
    page = browser.get(ad.get_absolute_url()).text
    assert "300%" in page and "€5,500.00" in page


@pytest.mark.parametrize(
    ("language", "amount", "said"),
    [("en", 1_372_800, "€1.4M"), ("en", 5_500, "€5,500.00"), ("cs", 1_372_800, "1,4 mil. €"), ("ru", 79_000, "79 тыс. €")],
)
def test_an_amount_where_there_is_little_room(language, amount, said):
    with translation.override(language):
        assert words.money_short(amount, "EUR").replace("\xa0", " ") == said


def test_guesses_are_made_anew_by_the_days_of_the_publisher(app, ad, arrive, publisher):
    """An act of the evening before the first day, there, is of that day in UTC."""
    publisher.time_zone = "America/Los_Angeles"
    publisher.save()
    lead = arrive(app, **WEAK)
    evening = datetime.combine(TODAY - timedelta(days=5), time(20), publisher.zone)
    Interaction.objects.filter(lead=lead).update(received_at=evening)
    Touch.objects.all().delete()
    earlier = DemandActivity.objects.create(name="Fair", code="fair", channel="event", listing=app, url=PAGE, starts=TODAY - timedelta(days=9))
    assert attribute_anew(earlier) == 1
    DemandActivity.objects.filter(pk=ad.pk).update(starts=TODAY - timedelta(days=4))
    ad.refresh_from_db()
    assert evening.astimezone(UTC).date() == ad.starts
    attribute_anew(ad)
    assert Touch.objects.values_list("activity", "at").get() == (earlier.pk, evening)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_day_that_nobody_chose_is_the_publishers(publisher, zone):
    """At any moment one of the two has another day than UTC."""
    publisher.time_zone = zone
    publisher.save()
    assert DemandActivity().starts == Cost().day == publisher.today
