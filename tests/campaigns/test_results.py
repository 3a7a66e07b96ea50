"""Results of a campaign, the calendar of what will be sent, and the leads behind each figure."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.coming import coming
from campaigns.models import Click, Cost, Enrollment, Message, Transition
from campaigns.results import Rate, chart, earned, entered_by_week, mails, parts, tallied, times
from leads.models import Lead
from tests.campaigns.test_stages import AT_NINE, IN_CZ, TWICE, WEAK


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Figures of Wilson's interval as textbooks print them.
    [(0, 10, 0.0, 27.8), (5, 10, 23.7, 76.3), (10, 10, 72.2, 100.0), (310, 1000, 28.2, 33.9), (0, 0, 0.0, 100.0)],
)
def test_the_range_of_a_share(part, whole, low, high):
    assert (round(Rate(part, whole).low, 1), round(Rate(part, whole).high, 1)) == (low, high)


@pytest.fixture
def walked(app, offer, campaign, put, running, arrive, pass_time):
    """Three people: one clicked, one was won since, one has left; all got the mail."""
    put("email", "First")
    put("wait", "Wait", timedelta(days=9))
    put("exit", "End")
    running()
    leads = [arrive(app, **{**WEAK, "email": f"{name}@gmail.com", "country": country}) for name, country in (("a", "CZ"), ("b", "CZ"), ("c", "US"))]
    pass_time()
    Message.objects.update(state="sent", sent_at=timezone.now())
    message = Message.objects.filter(enrollment__lead=leads[0]).get()
    for by_program in (True, False, False):
        Click.objects.create(message=message, url="https://x.example/", by_program=by_program)
    Enrollment.objects.filter(lead=leads[1]).update(status="reached", ended_at=timezone.now(), due_at=None)
    Lead.objects.filter(pk=leads[1].pk).update(opportunity_at=timezone.now(), won_at=timezone.now())
    Lead.objects.filter(pk=leads[2].pk).update(won_at=timezone.now() - timedelta(days=400))
    Enrollment.objects.filter(lead=leads[2]).update(status="exited", reason="by_hand", ended_at=timezone.now(), due_at=None)
    return leads


def test_the_results_count_people_mails_and_money(campaign, walked, marketing, signed_in):
    Cost.objects.create(campaign=campaign, amount=30)
    [mail] = mails(campaign)
    assert (mail.sent, mail.clicked, mail.rate.share) == (3, 1, 1 / 3)
    rows = tallied(campaign)
    assert [(one.name, one.entered, one.reached, one.won) for one in parts(campaign, "country", rows)] == [
        ("Czechia", 2, 1, 1),
        ("United States", 1, 0, 0),
    ]
    assert [(one.entered, one.reached) for one in parts(campaign, "listing", rows)] == [(3, 1)]
    told = earned(campaign, rows)
    assert (told.leads, told.opportunities, told.won, told.per_lead, told.per_opportunity) == (3, 1, 1, 10, 30)
    assert [one["total"] for one in chart(campaign)["series"]] == [3, 1]
    assert entered_by_week()[campaign.pk] == [0] * 8 + [3]
    page = signed_in(marketing).get("/campaigns/mine/results/")
    assert page.status_code == 200
    for said in ("First", "Czechia", "30.00 spent", "6 to 79%"):
        assert said in page.text, said


def test_the_time_at_a_stage_is_from_coming_to_going(campaign, walked):
    now = timezone.now()
    one = Enrollment.objects.filter(lead=walked[0]).get()
    Transition.objects.filter(enrollment=one).delete()
    first, wait, _end = campaign.current.stages.order_by("position")
    Enrollment.objects.filter(pk=one.pk).update(entered_at=now - timedelta(hours=50))
    Transition.objects.exclude(enrollment=one).delete()
    Transition.objects.create(enrollment=one, from_stage=first, to_stage=wait, at=now - timedelta(hours=48))
    Transition.objects.create(enrollment=one, from_stage=wait, to_stage=None, at=now - timedelta(hours=24))
    assert times([first.pk, wait.pk]) == {first.pk: (120.0, 1), wait.pk: (24 * 60.0, 1)}


def test_every_figure_leads_to_its_leads(campaign, walked, marketing, sales, signed_in, api):
    client, stage = api(marketing), campaign.current.stages.get(name="Wait")

    def found(query):
        return {row["contact"]["email"][0] for row in client.get(f"/api/v1/leads/?{query}").json()["results"]}

    assert found("campaign=mine") == {"a", "b", "c"}
    assert found("campaign=mine:running") == {"a"}
    assert found("campaign=mine:reached") == {"b"}
    assert found(f"campaign=mine:running&stage={stage.key}") == {"a"}
    assert found("campaign=mine&country=CZ") == {"a", "b"}
    assert found("campaign=none") == found("campaign=mine&stage=x") == set()
    page = signed_in(marketing).get("/leads/?campaign=mine:reached").text
    assert "Mine: Goal reached" in page
    assert api(sales).get("/api/v1/leads/?campaign=mine").json()["results"] == []


def of_days(days):
    return {(n, one.stage.name): (one.certain, one.possible) for n, day in enumerate(days) for one in day.sendings}


def test_the_calendar_says_what_will_be_sent_and_what_may_be(app, campaign, put, running, arrive, marketing, signed_in):
    put("wait", "Wait", timedelta(days=2))
    put("email", "First")
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("email", "Czech", timedelta(days=3), parent=asks, arm=0)
    put("email", "Others", timedelta(days=4), parent=asks, arm=1)
    put("wait", "Back", timedelta(days=1), until=TWICE)
    put("email", "Last", timedelta(days=1))
    put("wait", "Long", timedelta(days=30))
    put("email", "Beyond")
    running()
    for name in "ab":
        arrive(app, **{**WEAK, "email": f"{name}@gmail.com"})
    assert of_days(coming()) == {(2, "First"): (2, 0), (5, "Czech"): (0, 2), (6, "Others"): (0, 2), (7, "Last"): (0, 2), (8, "Last"): (0, 2)}
    page = signed_in(marketing).get("/campaigns/calendar/").text
    assert "up to 2" in page and "First" in page and "Beyond" not in page


def test_mails_planned_already_are_on_the_calendar_and_those_of_paused_campaigns_are_not(
    app, campaign, put, running, arrive, pass_time, marketing, signed_in
):
    put("email", "First")
    put("exit", "End")
    running()
    arrive(app, **WEAK)
    pass_time()
    assert of_days(coming()) == {(0, "First"): (1, 0)}
    campaign.state = "paused"
    campaign.save()
    assert of_days(coming()) == {}
    assert "Nothing will be sent" in signed_in(marketing).get("/campaigns/calendar/").text


def test_after_a_hand_over_nurture_sends_nothing_and_hours_shift_to_their_day(app, campaign, put, running, arrive):
    put("wait", "Nine", **AT_NINE)
    put("email", "First")
    put("hand_over", "Sales")
    put("email", "Never")
    running()
    arrive(app, **WEAK)
    [(n, _name)] = of_days(coming())
    assert (timezone.now() + timedelta(days=n)).isoweekday() <= 5 or n <= 3


def test_the_pages_cost_the_same_however_many_people(app, walked, arrive, marketing, signed_in):
    browser = signed_in(marketing)

    def cost(path):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    before = [cost(path) for path in ("/campaigns/mine/results/", "/campaigns/calendar/", "/campaigns/")]
    for n in range(6):
        arrive(app, **{**WEAK, "email": f"more{n}@gmail.com", "country": "US" if n % 2 else "CZ"})
    assert [cost(path) for path in ("/campaigns/mine/results/", "/campaigns/calendar/", "/campaigns/")] == before
