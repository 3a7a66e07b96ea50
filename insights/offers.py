"""How each offer performs in a period, from the tallies: what came in, what it became, how soon somebody answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, IntegerField, Sum, Value, When

from insights.medians import ALL, median, medians
from insights.models import DailyTally
from listings.models import Listing, Publisher

FIGURES = ("leads", "qualified", "opportunities", "won", "anonymous", "asked_neighbour")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included, in the publisher's time zone."""

    first: date
    last_day: date

    @classmethod
    def last(cls, days: int) -> "Period":
        """The last so many days, today included."""
        today = Publisher.current().today
        return cls(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> int:
        return (self.last_day - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The period of the same length just before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


@dataclass(slots=True)
class Offer:
    """One listing's figures, or a sum of several."""

    pk: int = 0
    slug: str = ""
    title: str = ""
    storefront: str = ""
    storefront_name: str = ""
    kind: str = ""
    respond_within_hours: int = 24
    leads: int = 0
    qualified: int = 0
    opportunities: int = 0
    won: int = 0
    anonymous: int = 0
    asked_neighbour: int = 0
    median_first_response_minutes: float | None = None

    @property
    def is_answered_late(self) -> bool:
        """Whether half of its first responses came after the storefront's clock."""
        minutes = self.median_first_response_minutes
        return minutes is not None and minutes > self.respond_within_hours * 60


@dataclass(slots=True)
class Offers:
    """Every offer's figures in a period, most leads first, and their sum; the median of the sum is that of all their responses together."""

    lines: list[Offer]
    total: Offer


def offers(period: Period, listings: Iterable[Listing] | None = None) -> Offers:
    """The figures of every listing, or of the given ones; three queries, whatever the period."""
    known = list(Listing.objects.for_display() if listings is None else listings)
    [found] = sums(period)
    return of_each(period, known, found)


def compared(period: Period, listings: list[Listing]) -> tuple[Offers, Offer]:
    """The figures of these listings, and their sum in the period just before. Five queries."""
    found, was = sums(period, period.before)
    return of_each(period, listings, found), total(period.before, listings, was)


Sums = dict[int, dict[str, int]]


def of_each(period: Period, listings: list[Listing], found: Sums) -> Offers:
    answered = medians(period.first, period.last_day, [one.pk for one in listings])
    lines = [
        Offer(
            pk=one.pk, slug=one.slug, title=one.title, storefront=one.storefront.slug, storefront_name=one.storefront.name, kind=one.get_kind_display(),
            respond_within_hours=one.storefront.respond_within_hours, median_first_response_minutes=answered.get(one.pk), **found.get(one.pk, {}),
        )
        for one in listings
    ]  # fmt: skip
    whole = Offer(median_first_response_minutes=answered.get(ALL), **{f: sum(getattr(one, f) for one in lines) for f in FIGURES})
    return Offers(sorted(lines, key=lambda offer: -offer.leads), whole)


def total(period: Period, listings: list[Listing], found: Sums) -> Offer:
    ids = [one.pk for one in listings]
    counted: dict[str, Any] = {f: sum(found[pk][f] for pk in ids if pk in found) for f in FIGURES}
    return Offer(median_first_response_minutes=median(period.first, period.last_day, ids), **counted)


def sums(*periods: Period) -> list[Sums]:
    """For each period: listing -> its counts. One query for all of them; no day may be in two."""
    which: Any = Case(*(When(day__range=(one.first, one.last_day), then=Value(i)) for i, one in enumerate(periods)), output_field=IntegerField())
    days = DailyTally.objects.filter(day__gte=min(one.first for one in periods), day__lte=max(one.last_day for one in periods)).order_by()
    rows = days.annotate(which=which).values_list("which", "listing_id").annotate(*map(Sum, FIGURES))
    found: list[Sums] = [{} for _ in periods]
    for period, listing, *counts in rows:
        if period is not None:
            found[period][listing] = dict(zip(FIGURES, counts, strict=True))
    return found
