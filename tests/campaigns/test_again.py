"""Entering again, by policy or by hand, and being taken out; one running enrollment at any time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.by_hand import enroll_by_hand, take_out
from campaigns.models import Campaign, Enrollment, Message
from campaigns.sweep import sweep
from leads.bulk import put_back, set_status
from leads.models import Lead
from portal import pipeline
from tests.campaigns.test_stages import WEAK
from tests.conftest import at_once

IN_US = {"field": "country", "op": "is", "value": "US"}


def act(arrive, app, n):
    return arrive(app, **{**WEAK, "description": f"Once more, {n}"})


def rounds():
    return list(Enrollment.objects.order_by("round").values_list("round", "status"))


@pytest.fixture
def short(put, running):
    """A campaign of one mail; whoever enters has ended as soon as time passes."""
    put("email", "Hello")
    return running()


@pytest.mark.parametrize(("policy", "expected"), [("never", 1), ("after", 1), ("each_act", 2)])
def test_who_was_in_it_enters_again_as_the_policy_says(app, short, arrive, pass_time, policy, expected):
    Campaign.objects.filter(pk=short.pk).update(reentry=policy, reentry_days=30)
    act(arrive, app, 1)
    pass_time()
    Enrollment.objects.update(entered_at=timezone.now() - timedelta(hours=1))  # the test is one transaction, and all in it one moment
    act(arrive, app, 2)
    assert Enrollment.objects.count() == expected
    assert Enrollment.objects.filter(status="active").count() == expected - 1


def test_after_so_many_days_the_sweep_lets_in_again_and_mail_goes_once_per_round(app, short, arrive, pass_time):
    Campaign.objects.filter(pk=short.pk).update(reentry="after", reentry_days=30)
    act(arrive, app, 1)
    pass_time()
    Enrollment.objects.update(ended_at=timezone.now() - timedelta(days=29))
    Campaign.objects.update(swept_at=None)
    sweep()
    assert rounds() == [(1, "ended")]
    Enrollment.objects.update(ended_at=timezone.now() - timedelta(days=31))
    Campaign.objects.update(swept_at=None)
    sweep()
    assert rounds() == [(1, "ended"), (2, "active")]
    pass_time()
    assert Message.objects.count() == 2


def test_by_hand_asks_no_condition_but_takes_neither_closed_nor_foreign_nor_running_ones(app, offer, short, arrive, marketing, sales):
    Campaign.objects.filter(pk=short.pk).update(entry=IN_US)
    fits, closed, foreign = arrive(app, **WEAK), arrive(app, **{**WEAK, "email": "x@gmail.com"}), arrive(offer, email="ada@firm.example")
    Lead.objects.filter(pk=closed.pk).update(status="lost")
    assert enroll_by_hand(short, Lead.objects.all(), by=marketing) == 1
    enrollment = Enrollment.objects.get()
    assert (enrollment.lead, enrollment.status) == (fits, "active")
    assert fits.activities.get(kind="enrolled").actor == marketing
    assert enroll_by_hand(short, Lead.objects.all(), by=marketing) == 0
    assert foreign.enrollments.count() == 0
    assert take_out(enrollment, by=marketing)
    assert not take_out(enrollment, by=marketing)
    assert fits.activities.get(kind="left_campaign").actor == marketing
    assert enroll_by_hand(short, Lead.objects.all(), by=marketing) == 1
    assert rounds() == [(1, "exited"), (2, "active")]


def test_on_the_record_marketing_adds_and_takes_out_and_a_seller_does_neither(app, short, arrive, marketing, sales, signed_in):
    Campaign.objects.filter(pk=short.pk).update(entry=IN_US)
    lead = arrive(app, **WEAK)
    browser = signed_in(marketing)
    assert "/put-in/" in browser.get(lead.get_absolute_url()).text
    browser.post(f"/campaigns/leads/{lead.pk}/put-in/", {"campaign": "mine"})
    enrollment = lead.enrollments.get()
    assert "Take out" in browser.get(lead.get_absolute_url()).text
    Lead.objects.update(owner=sales)
    seller = signed_in(sales)
    assert seller.post(f"/campaigns/enrollments/{enrollment.pk}/take-out/").status_code == 403
    assert "/put-in/" not in seller.get(lead.get_absolute_url()).text
    browser.post(f"/campaigns/enrollments/{enrollment.pk}/take-out/")
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.reason) == ("exited", "by_hand")
    assert browser.post(f"/campaigns/leads/{lead.pk}/put-in/", {"campaign": "nothing"}).status_code == 404


def test_by_the_api_too(app, short, arrive, marketing, sales, api):
    Campaign.objects.filter(pk=short.pk).update(entry=IN_US)
    lead = arrive(app, **WEAK)
    wanted = {"campaign": "mine", "lead": str(lead.pk)}
    assert api(sales).post("/api/v1/enrollments/", wanted, content_type="application/json").status_code == 403
    answer = api(marketing).post("/api/v1/enrollments/", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["lead"], answer.json()["status"]) == (201, str(lead.pk), "active")
    for wrong in (wanted, {**wanted, "campaign": "none"}, {**wanted, "lead": "x"}, {}):
        assert api(marketing).post("/api/v1/enrollments/", wrong, content_type="application/json").status_code == 400


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_at_once_let_a_lead_in_once(app, short, post, marketing):
    Campaign.objects.filter(pk=short.pk).update(reentry="each_act", entry=IN_US)
    post(app, **WEAK)
    pipeline.run()
    at_once(6, lambda: enroll_by_hand(short, Lead.objects.all(), by=marketing))
    assert rounds() == [(1, "active")]


def test_ticked_leads_are_put_into_a_campaign(app, offer, short, arrive, marketing, sales, signed_in):
    Campaign.objects.filter(pk=short.pk).update(entry=IN_US)
    leads = [arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"}) for n in range(3)]
    foreign = arrive(offer, email="ada@firm.example")
    browser = signed_in(marketing)
    assert "Mine" in browser.get("/leads/").text
    picked = {"pick": [str(one.pk) for one in (*leads[:2], foreign)]}
    browser.post("/campaigns/leads/put-in/?status=new", {**picked, "campaign": "none"})
    assert not Enrollment.objects.exists()
    answer = browser.post("/campaigns/leads/put-in/?status=new", {**picked, "campaign": "mine"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/leads/?status=new"
    assert "2 leads added to Mine; 1 can’t be" in answer.text
    assert Enrollment.objects.count() == 2
    assert "add to a campaign" not in signed_in(sales).get("/leads/").text
    assert signed_in(sales).post("/campaigns/leads/put-in/", {**picked, "campaign": "mine"}).status_code == 403


def test_a_close_that_is_taken_back_leaves_nobody_outside(app, campaign, put, running, arrive, marketing):
    put("wait", "Three days", timedelta(days=3))
    put("task", "Call")
    running()
    lead = arrive(app, **WEAK)
    there = Enrollment.objects.get()
    before = set_status(Lead.objects.filter(pk=lead.pk), "lost", by=marketing)
    pipeline.run()
    there.refresh_from_db()
    assert (there.status, there.reason) == ("exited", "lead_closed")
    put_back(Lead.objects.all(), "lost", before, by=marketing)
    pipeline.run()
    back = Enrollment.objects.get()
    assert (back.status, back.stage_id, back.ended_at) == ("active", there.stage_id, None)
    assert back.due_at - back.stage_since == timedelta(days=3)


def test_who_comes_back_after_long_does_not_go_on(app, campaign, put, running, arrive, marketing):
    put("wait", "Three days", timedelta(days=3))
    running()
    lead = arrive(app, **WEAK)
    before = set_status(Lead.objects.filter(pk=lead.pk), "lost", by=marketing)
    pipeline.run()
    Enrollment.objects.update(ended_at=timezone.now() - timedelta(hours=2))
    put_back(Lead.objects.all(), "lost", before, by=marketing)
    pipeline.run()
    assert Enrollment.objects.get().status == "exited"


def test_who_comes_back_to_a_wait_until_an_hour_waits_for_it(app, campaign, put, running, arrive, marketing):
    put("wait", "Nine", timedelta(days=3), minute=540, weekdays=[1, 2, 3, 4, 5, 6, 7])
    put("task", "Call")
    running()
    lead = arrive(app, **WEAK)
    due = Enrollment.objects.get().due_at
    before = set_status(Lead.objects.filter(pk=lead.pk), "lost", by=marketing)
    pipeline.run()
    put_back(Lead.objects.all(), "lost", before, by=marketing)
    pipeline.run()
    assert Enrollment.objects.get().due_at == due != Enrollment.objects.get().stage_since + timedelta(days=3)
