"""What the overview is asked for: periods that can be read, and what is said of those that can't."""

from datetime import date, timedelta

import pytest

from insights.asked import Asked
from insights.offers import Period

pytestmark = pytest.mark.django_db


def test_without_anything_it_is_the_last_thirty_days(publisher):
    asked = Asked.of({})
    assert (asked.key, asked.period, asked.error) == ("30", Period.last(30), "")


@pytest.mark.parametrize(("key", "days"), [("7", 7), ("30", 30), ("quarter", 91)])
def test_the_switch(publisher, key, days):
    assert Asked.of({"period": key}).period.days == days


def test_a_period_of_ones_own_includes_both_days(publisher):
    asked = Asked.of({"from": "2026-01-01", "to": "2026-01-31"})
    assert (asked.key, asked.period, asked.period.days) == ("custom", Period(date(2026, 1, 1), date(2026, 1, 31)), 31)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"from": "yesterday"}, "A date looks like 2026-11-20."),
        ({"to": "2026-02-30"}, "A date looks like 2026-11-20."),
        ({"from": "1999-12-31", "to": "2000-02-01"}, "That day is too far away."),
        ({"to": (date.today() + timedelta(days=400)).isoformat()}, "That day is too far away."),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "The first day is after the last."),
        ({"from": "2023-01-01", "to": "2026-01-01"}, "That is more than two years."),
    ],
)
def test_what_can_not_be_shown_is_said_and_the_last_thirty_days_stand_in(publisher, query, error):
    asked = Asked.of({"period": "custom", **query})
    assert (asked.key, asked.period, asked.error) == ("custom", Period.last(30), error)


def test_changes_of_the_address_keep_the_rest(publisher):
    asked = Asked.of({"from": "2026-01-01", "to": "2026-01-31", "storefront": "appsource"})
    assert asked.query(storefront="") == "period=custom&from=2026-01-01&to=2026-01-31"
    assert asked.query(period="7") == "period=7&storefront=appsource"


@pytest.mark.parametrize(("days", "weekly"), [(100, False), (101, True)])
def test_long_periods_are_drawn_by_the_week(publisher, days, weekly):
    last = Period.last(1).last_day
    assert Asked("custom", Period(last - timedelta(days=days - 1), last)).by_week is weekly
