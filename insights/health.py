"""The silence alarm: has a listing been quiet for longer than chance explains?

Leads are taken to arrive as a Poisson process at the listing's own rate over the last 90 days. When the chance that none comes for as long as the
present silence is under one in a thousand, the listing counts as silent. A silence of less than a day is never called one: people sleep. What a person brought,
from a file or by hand, says nothing about the lead URL: neither a rate nor a sign of life is taken from it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from insights.models import DailyTally
from leads.models import Disposition, Lead, Submission
from listings.days import length, weekday
from listings.health import OK, SILENCE, WARN, Check, Found, collector
from listings.models import Listing, Publisher

WINDOW, SHOWN = 90, 30  # days the rate is taken from, days of the strip
YOUNGEST = 14.0  # days: a listing that began with a burst is not held to it
ALARM = 1 / 1000
SHORTEST = timedelta(days=1)
JUST_NOW = timedelta(minutes=1)
KNOWN_FOR = 3  # days, before which a burst could pass for what is usual
FEW = 5  # arrivals: of fewer nobody knows what is usual
Place = tuple[int, date]
ARRIVED = (Disposition.LEAD, Disposition.ANONYMOUS, Disposition.DO_NOT_CONTACT)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence and how likely it is."""

    lasts: timedelta
    rate: float  # arrivals a day

    @property
    def chance(self) -> float:
        """That none arrives for this long."""
        return math.exp(-self.rate * self.lasts / timedelta(days=1))

    @property
    def is_alarming(self) -> bool:
        return self.lasts >= SHORTEST and self.chance < ALARM

    @property
    def usual(self) -> timedelta:
        """The mean time between two arrivals."""
        return timedelta(days=1 / self.rate)

    @property
    def once_in(self) -> int:
        """The chance as `less than 1 time in …`: the power of ten below it, at most a million."""
        return int(10 ** min(6, math.floor(round(self.rate * (self.lasts / timedelta(days=1)) / math.log(10), 9))))


def rate_of(arrived: int, days_known: float) -> float:
    """Arrivals a day, over the window or as much of it as the listing has been known for."""
    return arrived / min(max(days_known, YOUNGEST), WINDOW)


@collector(15)
def silence(listings: Sequence[Listing]) -> Found:
    """Five queries: when something last arrived, the tallies of the window, what of them was brought, and since when the listing is known."""
    now = timezone.now()
    today = Publisher.current().today
    ids = [one.pk for one in listings]
    since = today - timedelta(days=WINDOW - 1)
    last, known = last_arrivals(ids), dict(DailyTally.objects.filter(listing__in=ids).order_by().values_list("listing").annotate(d=Min("day")))
    daily = tallies(ids, since)
    return {
        one.pk: [check(one, now, today, last.get(one.pk), known_since(known.get(one.pk), since, daily[one.pk]), daily[one.pk])] for one in listings
    }


def known_since(first: date | None, since: date, daily: dict[date, Any]) -> date | None:
    """Since when the listing is known: its first day, if that lies before the window, else the first on which something came by itself."""
    if first is None or first < since:
        return first
    return min((day for day, (_leads, any_kind) in daily.items() if any_kind), default=None)


def last_arrivals(listings: Sequence[int]) -> dict[int, datetime | None]:
    """When a lead was last received, or anything real last came in: an index probe per listing and kind."""

    def came(disposition: str) -> Subquery:
        rows = Submission.objects.filter(listing=OuterRef("pk"), disposition=disposition, is_brought=False).order_by("-received_at")
        return Subquery(rows.values("received_at")[:1])

    leads = Lead.objects.filter(listing=OuterRef("pk"), is_brought=False).order_by("-received_at", "-id").values("received_at")[:1]
    rows = (
        Listing.objects.filter(pk__in=listings)
        .order_by()
        .annotate(newest_lead=Subquery(leads), **{f"{kind.value}_at": came(kind) for kind in ARRIVED})
    )
    names = ("newest_lead", *(f"{kind.value}_at" for kind in ARRIVED))
    return {row["pk"]: max((row[name] for name in names if row[name]), default=None) for row in rows.values("pk", *names)}


def brought(listings: Sequence[int], since: date) -> tuple[Counter[Place], Counter[Place]]:
    """What people brought, by listing and day: (leads, demand without a lead)."""
    zone = Publisher.current().zone
    start, day = datetime.combine(since, time.min, zone), TruncDate("received_at", tzinfo=zone)

    def counted(rows: QuerySet[Any]) -> Counter[Place]:
        mine = rows.filter(listing__in=listings, is_brought=True, received_at__gte=start).order_by()
        return Counter({(listing, when): n for listing, when, n in mine.annotate(day=day).values_list("listing", "day").annotate(n=Count("pk"))})

    return counted(Lead.objects.all()), counted(Submission.objects.filter(disposition__in=ARRIVED[1:]))


def tallies(listings: Sequence[int], since: date) -> dict[int, dict[date, tuple[int, int]]]:
    """Listing -> day -> (all leads, arrivals of any real kind without what people brought)."""
    leads_brought, demand_brought = brought(listings, since)
    found: dict[int, dict[date, tuple[int, int]]] = defaultdict(dict)
    rows = DailyTally.objects.filter(listing__in=listings, day__gte=since).values_list("listing", "day", "leads", "anonymous", "asked_neighbour")
    for listing, day, leads, anonymous, asked in rows:
        place = (listing, day)
        found[listing][day] = leads, max(leads - leads_brought[place], 0) + max(anonymous + asked - demand_brought[place], 0)
    return found


def check(listing: Listing, now: datetime, today: date, last: datetime | None, known: date | None, daily: dict[date, Any]) -> Check:
    shown = [today - timedelta(days=back) for back in reversed(range(SHOWN))]
    days = tuple((day, daily.get(day, (0, 0))[0]) for day in shown)
    arrived = sum(any_kind for _leads, any_kind in daily.values())
    if last is None or known is None or 0 < arrived < FEW or (today - known).days < KNOWN_FOR:
        return Check(SILENCE, OK, _("Too little has come in to know a usual interval"), days=days)
    quiet = Quiet(now - last, rate_of(arrived, (today - known).days + 1))
    return told(listing, quiet, last, days)


def told(listing: Listing, quiet: Quiet, last: datetime, days: tuple[tuple[date, int], ...]) -> Check:
    """The check in words: the usual interval, and when silent the chance as well."""
    if not quiet.rate:
        return Check(SILENCE, OK, _("No new lead for 90 days"), days=days, story=_("No new lead came in for 90 days; no usual interval is known."))
    usual = length(quiet.usual)
    seldom = _("Usually a lead every %(interval)s") % {"interval": usual}
    out = listing.lead_sharing and listing.state in (Listing.State.LIVE, Listing.State.PREVIEW)
    if not (out and quiet.is_alarming):
        came = _("The last one came %(time)s ago.") % {"time": length(quiet.lasts)} if quiet.lasts >= JUST_NOW else _("The last one came just now.")
        story = _("%(came)s This listing usually brings a lead every %(interval)s.") % {"came": came, "interval": usual}
        return Check(SILENCE, OK, seldom, days=days, story=story)
    story = _(
        "Nothing has come in since %(day)s. This listing usually brings a lead every %(interval)s; "
        "chance alone would explain this silence less than 1 time in %(times)s."
    ) % {"day": weekday(timezone.localtime(last).date()).rstrip("."), "interval": usual, "times": number_format(quiet.once_in, force_grouping=True)}
    sign = _("Silent %(time)s") % {"time": length(quiet.lasts)}
    return Check(SILENCE, WARN, sign, seldom, sign=sign, story=story, days=days)
