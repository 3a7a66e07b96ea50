"""Figures: equal to a live count whatever happened, by cohort, with medians on whole minutes."""

import random
import statistics
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.locks import only_one
from insights.models import Counted, DailyTally, ResponseStep, ResponseTally
from insights.offers import Period, offers
from insights.tally import LOCK, rebuild, recount
from leads.bulk import set_status
from leads.lists import chosen
from leads.models import Contact, Demand, Lead
from leads.work import log_call
from listings.models import Publisher
from portal import pipeline
from tests.conftest import at_once


def live():
    """The same figures counted from the leads themselves."""
    zone = Publisher.current().zone
    found = {}
    for lead in Lead.objects.all():
        row = found.setdefault((lead.received_at.astimezone(zone).date(), lead.listing_id), [0, 0, 0, 0, 0, 0])
        for place, holds in enumerate((True, lead.qualified_at, lead.opportunity_at, lead.won_at)):
            row[place] += bool(holds)
    for one in Demand.objects.all():
        row = found.setdefault((one.received_at.astimezone(zone).date(), one.listing_id), [0, 0, 0, 0, 0, 0])
        row[4 if one.kind == "anonymous" else 5] += 1
    return found


def tallied():
    rows = DailyTally.objects.values_list("day", "listing_id", "leads", "qualified", "opportunities", "won", "anonymous", "asked_neighbour")
    return {(day, listing): list(figures) for day, listing, *figures in rows if any(figures)}


def answers(model, column):
    return list(model.objects.filter(leads__gt=0).order_by("day", "listing", column).values_list("day", "listing", column, "leads"))


def test_counting_follows_every_change_and_equals_the_live_count(offer, app, sales, marketing, post):
    rng = random.Random(7)
    for number in range(40):
        post(rng.choice([offer, app]), email=rng.choice(["", f"p{number}@x.example"]), phone="", actionCode=rng.choice(["INS", "PLT", "DNC"]))
    pipeline.run()
    for lead in Lead.objects.all():
        Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(hours=rng.randrange(200)))
        for status in rng.sample(["qualified", "opportunity", "won", "lost", "disqualified", "new"], 2):
            set_status(Lead.objects.filter(pk=lead.pk), status, by=marketing)
        if rng.random() < 0.5:
            log_call(lead, by=sales)
    pipeline.run()
    assert tallied() == live()
    before = tallied(), answers(ResponseTally, "minutes"), answers(ResponseStep, "step")
    rebuild()
    assert before == (tallied(), answers(ResponseTally, "minutes"), answers(ResponseStep, "step"))


def test_test_neighbour_quarantined_and_refused_are_in_no_lead_figure(offer, sales, post):
    post(offer, firstName="MSFT_TEST_1")
    post(offer, actionCode="DNC")
    post(offer, b"rubbish")
    post(offer, email="", phone="")
    pipeline.run()
    figures = offers(Period.last(1)).total
    assert (figures.leads, figures.anonymous, figures.asked_neighbour) == (0, 1, 1)
    assert not Counted.objects.exists()


def test_the_first_response_counts_in_whole_minutes(offer, sales, arrive):
    for number, minutes in enumerate((5, 7, 30)):
        lead = arrive(offer, email=f"p{number}@x.example")
        Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(minutes=minutes, seconds=30))
        log_call(lead, by=sales)
    pipeline.run()
    assert offers(Period.last(2)).total.median_first_response_minutes == 7


def answered(listing, minutes):
    """Leads of a listing that were first answered after so many minutes, received on several days."""
    contacts = Contact.objects.bulk_create(Contact(key=f"{listing.slug}-{n}@x.example") for n in range(len(minutes)))
    received = [timezone.now() - timedelta(days=20 + n % 5) for n in range(len(minutes))]
    Lead.objects.bulk_create(
        Lead(contact=contact, listing=listing, received_at=at, first_response_at=at + timedelta(minutes=wait, seconds=20))
        for contact, at, wait in zip(contacts, received, minutes, strict=True)
    )


@pytest.mark.parametrize(
    ("here", "there"),
    [([3], []), ([1, 2], [4]), ([1, 2, 3], [0, 0]), ([5, 5, 5, 9], [10_080, 20_000]), ([4, 5], [9, 10]), ([0, 0, 10, 20], [90]), ([*range(0, 3_000, 7)], [*range(50)])],
)  # fmt: skip
def test_medians_are_exact_across_days_steps_and_listings(offer, app, here, there):
    answered(offer, here)
    answered(app, there)
    rebuild()
    found = offers(Period.last(30))
    wanted = {offer.slug: statistics.median(here), app.slug: statistics.median(there) if there else None}
    assert {one.slug: one.median_first_response_minutes for one in found.lines} == wanted
    assert found.total.median_first_response_minutes == statistics.median(here + there)


def test_of_no_answers_there_is_no_median(offer):
    assert offers(Period.last(30)).total.median_first_response_minutes is None


def test_days_are_the_publishers(offer, publisher, sales, arrive):
    publisher.time_zone = "Pacific/Auckland"
    publisher.save()
    lead = arrive(offer)
    assert DailyTally.objects.get().day == lead.received_at.astimezone(publisher.zone).date()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_counting_counts_each_lead_once(offer, app, sales, post):
    for number in range(60):
        post(offer if number % 3 else app, email=f"p{number}@x.example")
    post(offer, email="", phone="")
    pipeline.intake()

    def work():
        while pipeline.follow(5):
            pass
        pipeline.tally_demand()

    at_once(5, work)
    pipeline.run()
    assert tallied() == live()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-28T22:59:59+00:00", "2026-03-28"), ("2026-03-28T23:00:00+00:00", "2026-03-29"), ("2026-03-29T21:59:59+00:00", "2026-03-29"),
        ("2026-03-29T22:00:00+00:00", "2026-03-30"), ("2026-10-24T21:59:59+00:00", "2026-10-24"), ("2026-10-25T00:30:00+00:00", "2026-10-25"),
        ("2026-10-25T01:30:00+00:00", "2026-10-25"), ("2026-10-25T22:59:59+00:00", "2026-10-25"), ("2026-10-25T23:00:00+00:00", "2026-10-26"),
    ],
)  # fmt: skip
def test_nights_when_clocks_change_belong_to_one_day_in_figures_and_lists_alike(offer, moment, day):
    """Prague: 29 March has 23 hours, 25 October has 25."""
    contact = Contact.objects.create(key="night@x.example")
    Lead.objects.create(contact=contact, listing=offer, received_at=datetime.fromisoformat(moment))
    rebuild()
    wanted = date.fromisoformat(day)
    assert DailyTally.objects.get().day == wanted
    assert tallied() == live()
    for found, count in ((wanted - timedelta(days=1), 0), (wanted, 1), (wanted + timedelta(days=1), 0)):
        assert chosen(Lead.objects.all(), {"from": str(found), "to": str(found)}).count() == count


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_one_session_counts_anew_and_the_others_go_on(publisher):
    Publisher.objects.update(recount_asked_at=timezone.now())
    counted = []
    with only_one(LOCK):
        at_once(1, lambda: counted.append(recount()))
    assert counted == [0]
    assert recount() == 1 and recount() == 0
