"""Owners: who gets a lead, why, and the clock that starts with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.people import give_roles
from leads.bulk import set_status
from leads.models import Lead
from portal import pipeline
from portal.due import run_due
from routing.handover import hand_over
from routing.models import Assignment, Seller
from routing.reasons import because
from routing.seats import free_seats, wanted
from tests.conftest import at_once, person


def owners():
    return list(Lead.objects.order_by("received_at").values_list("owner__username", flat=True))


def test_an_azure_lead_gets_an_owner_at_once_with_a_reason_and_a_clock(offer, sales, arrive):
    lead = arrive(offer)
    assert because(lead.owner_reason) == "Azure Marketplace; lowest load: 0 open"
    assert timedelta(hours=23, minutes=59) < lead.respond_by - timezone.now() <= timedelta(hours=24)
    assert Assignment.objects.get(ended_at=None).owner == sales


def test_an_appsource_lead_below_act_now_stays_marketings_and_says_why(app, sales, arrive):
    lead = arrive(app, email="x@gmail.com", title="", company="", leadSource="", actionCode="INS")
    assert (lead.owner, lead.respond_by, lead.status) == (None, None, "nurturing")
    assert because(lead.owner_reason) == "nurture: below act now"


def test_an_appsource_lead_that_asked_to_be_contacted_gets_an_owner(app, sales, arrive):
    lead = arrive(app, email="x@gmail.com", title="", company="", actionCode="PLT", leadSource="SPZA-PLT|x")
    assert lead.owner == sales
    assert because(lead.owner_reason) == "AppSource; asked to be contacted; lowest load: 0 open"


def test_lowest_load_first_then_whoever_waited_longest(offer, sales, stranger, post):
    for number in range(6):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    assert sorted(owners()) == ["sales"] * 3 + ["stranger"] * 3
    third = person("third", "sales")
    for number in range(6, 10):
        post(offer, email=f"p{number}@x.example")
        pipeline.run()
    assert Lead.objects.filter(owner=third).count() == 3


def test_capacity_and_absence_are_kept_and_without_anybody_the_reason_says_so(offer, sales, stranger, post):
    Seller.objects.filter(user=sales).update(capacity=1)
    Seller.objects.filter(user=stranger).update(takes_leads=False)
    for number in range(3):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    assert sorted(owners(), key=str) == [None, None, "sales"]
    waiting = Lead.objects.filter(owner=None)[0]
    assert because(waiting.owner_reason).startswith("no seller can take it")
    Seller.objects.filter(user=stranger).update(takes_leads=True)
    Lead.objects.filter(owner=None).update(stale_since=timezone.now() - timedelta(minutes=1))
    pipeline.run()
    assert None not in owners()


def test_who_left_field_sales_gets_no_more_leads(offer, sales, stranger, arrive):
    give_roles(sales, ["marketing"])
    for number in range(3):
        arrive(offer, email=f"p{number}@x.example")
    assert owners() == ["stranger"] * 3
    give_roles(stranger, [])
    assert arrive(offer, email="last@x.example").owner is None
    assert free_seats() == 0


@pytest.mark.parametrize("freed", ["won", "handed over", "came back"])
def test_a_lead_that_nobody_could_take_gets_an_owner_when_a_seat_is_free(offer, sales, stranger, marketing, arrive, freed):
    Seller.objects.update(capacity=1)
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    first, second, third = (arrive(offer, email=f"p{number}@x.example") for number in range(3))
    Lead.objects.filter(pk=second.pk).update(received_at=second.received_at - timedelta(minutes=1))
    run_due()
    assert [Lead.objects.get(pk=one.pk).owner for one in (first, second, third)] == [sales, None, None]
    if freed == "won":
        set_status(Lead.objects.filter(pk=first.pk), "won", by=sales)
    elif freed == "handed over":
        hand_over(Lead.objects.filter(pk=first.pk), marketing, by=marketing)
    else:
        User.objects.filter(pk=stranger.pk).update(is_active=True)
    run_due()
    second.refresh_from_db()
    third.refresh_from_db()
    assert second.owner == (stranger if freed == "came back" else sales)  # who waited longest
    assert second.respond_by
    assert third.owner is None
    assert not wanted()


def test_a_person_may_give_the_lead_away_and_history_stays(offer, sales, stranger, marketing, arrive):
    lead = arrive(offer)
    hand_over(Lead.objects.filter(pk=lead.pk), stranger, by=marketing)
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.owner, because(lead.owner_reason)) == (stranger, "given by Marketing")
    assert Assignment.objects.filter(lead=lead).count() == 2
    assert Assignment.objects.get(lead=lead, ended_at=None).owner == stranger


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_workers_see_each_others_loads(offer, sales, stranger, post):
    for number in range(60):
        post(offer, email=f"p{number}@x{number}.example")
    pipeline.intake()

    def work():
        while pipeline.follow(7):
            pass

    at_once(4, work)
    pipeline.run()
    assert sorted(owners()) == ["sales"] * 30 + ["stranger"] * 30
    assert Assignment.objects.filter(ended_at=None).count() == 60
