"""How each offer performs in a period, from the tallies: what came in, what it became, how soon somebody answered."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from insights.models import DailyTally, ResponseTally
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
        today = timezone.now().astimezone(Publisher.current().zone).date()
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
    responses: dict[int, int] = field(default_factory=dict)

    @property
    def is_answered_late(self) -> bool:
        """Whether half of its first responses came after the storefront's clock."""
        minutes = self.median_first_response_minutes
        return minutes is not None and minutes > self.respond_within_hours * 60

    @property
    def median_first_response_minutes(self) -> float | None:
        return median(self.responses)


def median(counts: dict[int, int]) -> float | None:
    """The median of values given as value -> how often; of an even number the mean of the middle two. None of none."""
    total = sum(counts.values())
    if total <= 0:
        return None
    low = high = None
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if low is None and seen >= (total + 1) // 2:
            low = value
        if seen >= total // 2 + 1:
            high = value
            break
    return ((low or 0) + (high or 0)) / 2


def offers(period: Period, listings: Iterable[Listing] | None = None) -> list[Offer]:
    """Every listing (or the given ones) with its figures, most leads first; one query per table."""
    span = {"day__gte": period.first, "day__lte": period.last_day}
    rows: Any = DailyTally.objects.filter(**span).values("listing_id").annotate(**{f: Sum(f) for f in FIGURES})
    sums = {row["listing_id"]: row for row in rows}
    responses: dict[int, dict[int, int]] = defaultdict(dict)
    for listing, minutes, leads in (
        ResponseTally.objects.filter(**span, leads__gt=0).values_list("listing_id", "minutes").annotate(n=Sum("leads")).order_by()
    ):
        responses[listing][minutes] = leads
    found = [
        Offer(
            pk=one.pk, slug=one.slug, title=one.title, storefront=one.storefront.slug, storefront_name=one.storefront.name, kind=one.get_kind_display(),
            respond_within_hours=one.storefront.respond_within_hours, responses=responses[one.pk], **{f: sums.get(one.pk, {}).get(f) or 0 for f in FIGURES},
        )
        for one in (Listing.objects.for_display() if listings is None else listings)
    ]  # fmt: skip
    return sorted(found, key=lambda offer: -offer.leads)


def total(found: list[Offer]) -> Offer:
    """The sum of these offers; the median is that of all their responses together."""
    whole = Offer(**{f: sum(getattr(one, f) for one in found) for f in FIGURES})
    for one in found:
        for minutes, leads in one.responses.items():
            whole.responses[minutes] = whole.responses.get(minutes, 0) + leads
    return whole
