"""The overview: what came in, what became of it, what needs a person. A fixed number of queries, whatever the number of leads and listings."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from accounts.remembered import remembered
from insights import series
from insights.asked import Asked
from insights.needs import Need, needs
from insights.offers import Offer, Period, compared
from listings.health import Health, health_of
from listings.models import Listing


@dataclass(slots=True)
class Line:
    """One offer of the table with its trend and health."""

    offer: Offer
    weeks: list[int]
    health: Health


@dataclass(slots=True)
class Overview:
    """Everything the page shows."""

    asked: Asked
    at: datetime
    total: Offer
    before: Offer
    lines: list[Line]
    chart: dict[str, Any]
    funnel: list[dict[str, Any]]
    needs: list[Need]

    @property
    def period(self) -> Period:
        return self.asked.period


def overview(asked: Asked) -> Overview:
    every = list(Listing.objects.for_display())
    listings = [one for one in every if asked.storefront in ("", one.storefront.slug)]
    now, before = compared(asked.period, listings)
    health = remembered(f"health {get_language()} {[one.pk for one in every]}", lambda: health_of(every))
    trend = series.weeks([one.pk for one in listings], trend_end(asked))
    return Overview(
        asked, timezone.now(), now.total, before, [Line(one, trend[one.pk], health[one.pk]) for one in now.lines],
        series.chart(asked, now.lines), series.funnel(now, before), needs(every, health),
    )  # fmt: skip


def trend_end(asked: Asked) -> date:
    return min(asked.period.last_day, Period.last(1).last_day)
