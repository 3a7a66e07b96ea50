"""Start, pause and end count at once, and are carried out for everybody in the campaign, some at a time, whoever is busy with them meanwhile."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns import carry_out as carrying
from campaigns.advance import advance
from campaigns.carry_out import carry_out, carry_out_all
from campaigns.inflight import move_in_flight
from campaigns.models import Campaign, Enrollment
from campaigns.publish import end, pause, publish
from leads.models import Lead
from portal import pipeline
from portal.due import BY_NAME
from tests.campaigns.test_engine import WEAK

STAYS = "Still being carried out"


@pytest.fixture
def people(app, put, running, arrive, campaign):
    """Five, on the first stage of a running campaign, each due in some days; batches of two."""
    put("wait", "Long", timedelta(days=5))
    put("goal", "On", timedelta(days=9))
    running()
    for number in range(5):
        lead = arrive(app, **{**WEAK, "email": f"p{number}@gmail.com"})
        lead.enrollments.update(due_at=timezone.now() + timedelta(days=number + 1))
    return Enrollment.objects.filter(campaign=campaign)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(carrying, "BATCH", 2)


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits for it: all is left to the workers."""
    monkeypatch.setattr(carry_out, "__defaults__", (0.0,))


def dues(people):
    return list(people.order_by("id").values_list("due_at", flat=True))


def test_several_batches_stop_and_start_everybody(people, small, campaign, marketing):
    before = dues(people)
    assert pause(campaign) is True
    assert dues(people) == [None] * 5
    campaign.refresh_from_db()
    assert (campaign.state, campaign.said_at) == ("paused", None)
    assert publish(campaign, by=marketing) == 5
    assert all(abs(was - now) < timedelta(minutes=1) for was, now in zip(before, dues(people), strict=True))
    assert end(campaign) == 5
    assert set(people.values_list("status", "reason", "due_at")) == {("exited", "campaign_over", None)}
    campaign.refresh_from_db()
    assert campaign.said_at is None


def test_a_pause_counts_before_it_is_carried_out_and_the_workers_do_it(people, small, impatient, campaign, signed_in, marketing):
    people.update(due_at=timezone.now() - timedelta(minutes=1))
    assert pause(campaign)
    assert None not in dues(people)
    assert advance() == 0
    page = signed_in(marketing).get(reverse("campaigns:detail", args=["mine"])).text
    assert STAYS in page
    assert BY_NAME["states"].due()
    assert carry_out_all() == 5
    assert dues(people) == [None] * 5
    assert not BY_NAME["states"].due()
    assert STAYS not in signed_in(marketing).get(reverse("campaigns:detail", args=["mine"])).text


def test_what_is_said_last_holds_for_everybody(people, small, impatient, campaign, marketing):
    """Paused, and started again while the pause was carried out for two of five."""
    before = dues(people)
    pause(campaign)
    said = Campaign.objects.get(pk=campaign.pk).said_at
    assert carrying.some("paused", campaign.pk, said, carrying.FIRST)[0] == 2
    publish(campaign, by=marketing)
    assert dues(people)[:2] == [None, None]
    carry_out_all()
    assert all(abs(was - now) < timedelta(minutes=1) for was, now in zip(before, dues(people), strict=True))


def test_nothing_is_carried_out_for_those_who_left_meanwhile(people, small, impatient, campaign):
    gone = people.order_by("id")[2]
    pause(campaign)
    people.filter(pk=gone.pk).update(status="exited", ended_at=timezone.now())
    assert carry_out_all() == 4
    gone.refresh_from_db()
    assert (gone.status, gone.remaining) == ("exited", None)


def test_a_move_to_the_new_version_keeps_what_was_left_of_a_pause_half_carried_out(people, impatient, campaign, marketing, put):
    put("task", "Another")
    publish(campaign, by=marketing)
    carry_out_all()
    pause(campaign)
    assert None not in dues(people)
    with pytest.raises(ValidationError, match="in a minute"):
        move_in_flight(campaign)
    carry_out_all()
    move_in_flight(campaign)
    assert {one.remaining.days for one in people} == {0, 1, 2, 3, 4}
    assert set(people.values_list("stage__version__number", flat=True)) == {2}


@pytest.mark.parametrize("verb", [pause, end])
def test_an_ended_campaign_stays_ended(people, campaign, marketing, verb, signed_in):
    end(campaign)
    verb(campaign)
    with pytest.raises(ValidationError, match="started again"):
        publish(campaign, by=marketing)
    browser = signed_in(marketing)
    for name in ("pause", "publish", "resume"):
        browser.post(reverse(f"campaigns:{name}", args=["mine"]))
    assert Campaign.objects.get(pk=campaign.pk).state == "ended"


def test_a_draft_is_not_paused_so_nobody_enters_it(campaign, put, app, arrive):
    put("wait", "Long", timedelta(days=5))
    assert pause(campaign) is False
    assert Campaign.objects.get(pk=campaign.pk).state == "draft"
    assert not arrive(app, **WEAK).enrollments.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_is_being_followed_is_not_waited_for_and_comes_later(people, small, impatient, campaign):
    """A lead whose enrollment somebody holds is passed over, and stopped in the next round."""
    pause(campaign)
    first = people.order_by("id")[0]
    held, over = Event(), Event()

    def hold():
        with transaction.atomic():
            list(people.filter(pk=first.pk).select_for_update())
            held.set()
            over.wait(20)
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(20)
    assert carry_out_all() == 4
    assert Campaign.objects.get(pk=campaign.pk).said_at is not None
    over.set()
    holder.join(20)
    assert carry_out_all() == 1
    assert dues(people) == [None] * 5
    assert Campaign.objects.get(pk=campaign.pk).said_at is None


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_leads_are_followed_while_it_is_carried_out(people, small, impatient, campaign, app, post):
    pause(campaign)
    with transaction.atomic():
        state, at = carrying.word(campaign.pk)
        carrying.some(state, campaign.pk, at, carrying.FIRST)
        other = Thread(target=follow_another, args=[post, app])
        other.start()
        other.join(20)
        assert not other.is_alive()
    assert Lead.objects.count() == 6


def follow_another(post, app):
    post(app, **{**WEAK, "email": "late@gmail.com"})
    pipeline.run()
    connection.close()
