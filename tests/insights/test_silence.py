"""The silence alarm's arithmetic: a Poisson process at the listing's own rate, one in a thousand, never within a day."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from insights.health import ALARM, Quiet, rate_of
from insights.tally import rebuild
from leads.models import Contact, Lead
from listings.health import health_of
from listings.models import Listing


def quiet(days, rate):
    return Quiet(timedelta(days=days), rate)


def test_the_chance_is_that_of_no_arrival():
    assert quiet(3, 2).chance == pytest.approx(math.exp(-6))


@pytest.mark.parametrize(
    ("days", "rate", "alarming"), [(6, 2.4, True), (6, 1.0, False), (7, 1.0, True), (0.9, 100, False), (1, 100, True), (80, 0.05, False)]
)
def test_it_alarms_below_one_in_a_thousand_and_never_within_a_day(days, rate, alarming):
    assert quiet(days, rate).is_alarming is alarming
    assert (quiet(days, rate).chance < ALARM and days >= 1) is alarming


def test_the_usual_interval_and_the_chance_in_words():
    assert quiet(6, 2.4).usual == timedelta(hours=10)
    assert quiet(6, 2.4).once_in == 1_000_000  # e^-14.4 is less than one in a million
    assert quiet(7, 1).once_in == 1_000
    assert quiet(math.log(10_000), 1).once_in == 10_000


def test_a_young_listing_is_not_held_to_its_first_burst():
    assert rate_of(28, 2) == 2  # taken over 14 days, not over 2
    assert rate_of(90, 400) == 1


@pytest.fixture
def received(offer):
    """Leads of the offer, so many a day between two days back."""

    def make(first, last, a_day=2):
        for back in range(last, first + 1):
            for number in range(a_day):
                contact = Contact.objects.create(key=f"{back}-{number}", email=f"{back}-{number}@old.example")
                at = timezone.now() - timedelta(days=back)
                Lead.objects.create(contact=contact, listing=offer, received_at=at)
        rebuild()
        return health_of([offer])[offer.pk]

    return make


def test_a_silent_listing_says_so_with_its_usual_interval(received):
    health = received(60, 6)
    assert (health.state, health.text) == ("silent", "Silent 6 days")
    assert "usually brings a lead every 13 hours" in health.story
    assert "less than 1 time in 10,000" in health.story
    assert sum(count for _day, count in health.days) == health.arrivals == 2 * 24


def test_a_listing_that_speaks_is_healthy(received):
    assert received(60, 0).state == "healthy"


def test_a_seldom_listing_is_not_silent(received):
    assert received(7, 7, a_day=1).state == "healthy"


@pytest.mark.parametrize("changes", [{"lead_sharing": False}, {"state": "withdrawn"}])
def test_what_is_not_shared_is_off_and_not_silent(received, offer, changes):
    Listing.objects.filter(pk=offer.pk).update(**changes)
    offer.refresh_from_db()
    health = received(60, 6)
    assert (health.state, health.text) == ("off", "Off")


def test_demand_without_a_lead_breaks_the_silence(received, offer, post):
    from portal import pipeline

    post(offer, email="", phone="", firstName="", lastName="")
    pipeline.run()
    assert received(60, 6).state == "healthy"
