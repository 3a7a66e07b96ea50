"""What a campaign did: who entered and reached the goal week by week, how long people stand at each stage, how its mails did, where the goal is
reached, and what came of it. Every figure is of all versions together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Q, Sum, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import first_id
from accounts.remembered import remembered
from campaigns.models import Campaign, Cost, Enrollment, MailEvent, Message, Stage, Strategy, Transition
from leads.wording import country_name
from listings.days import short
from listings.links import page
from listings.models import Listing, Publisher

WEEKS, MOST_ROWS, DAYS = 12, 12, 90
COUNTED = ("unsubscribed", "replied", "opened")
Z = 1.96  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with the interval that it lies in with 95 % (Wilson): of few, it says how little is known."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        if not self.whole:
            return 0.0, 1.0
        p, n = self.part / self.whole, self.whole
        middle, half = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, (middle - half) / (1 + Z * Z / n)), min(1.0, (middle + half) / (1 + Z * Z / n))

    @property
    def low(self) -> float:
        return self.interval[0] * 100

    @property
    def high(self) -> float:
        return self.interval[1] * 100


def this_week() -> date:
    """The Monday of the week it is for the publisher."""
    today = Publisher.current().today
    return today - timedelta(days=today.weekday())


def per_week(rows: Any, column: str, key: str, count: int) -> dict[Any, list[int]]:
    """How many of these rows fall into each of the last so many weeks, the running one included, by `key`."""
    zone = Publisher.current().zone
    begins = [datetime.combine(this_week() - timedelta(weeks=count - 1 - n), time(), zone) for n in range(count)]
    found: dict[Any, list[int]] = {}
    recent = rows.filter(**{f"{column}__gte": begins[0]}).annotate(week=number_of(column, begins)).order_by()
    for one, week, n in recent.values_list(key, "week").annotate(n=Count("pk")):
        found.setdefault(one, [0] * count)[week - 1] += n
    return found


def number_of(column: str, begins: list[datetime]) -> Func:
    """Which of these spans of time a moment falls into, from 1. Cheaper for millions than to find each one's day in a time zone."""
    return Func(F(column), Value(begins, ArrayField(DateTimeField())), function="width_bucket", output_field=IntegerField())


def entered_by_week() -> dict[int, list[int]]:
    """Of every campaign: how many entered in each of the last weeks; one query."""
    return remembered("campaigns entered by week", lambda: per_week(Enrollment.objects.all(), "entered_at", "campaign", 9))


def weeks(campaign: Campaign) -> list[dict[str, Any]]:
    """Of each of the last weeks its Monday, and how many entered and reached the goal."""
    people = Enrollment.objects.filter(campaign=campaign)

    def counted() -> tuple[list[int], list[int]]:
        entered = per_week(people, "entered_at", "campaign", WEEKS).get(campaign.pk, [0] * WEEKS)
        return entered, per_week(people.filter(status="reached"), "ended_at", "campaign", WEEKS).get(campaign.pk, [0] * WEEKS)

    entered, reached = remembered(f"campaigns weeks {campaign.pk}", counted)
    mondays = [this_week() - timedelta(weeks=WEEKS - 1 - n) for n in range(WEEKS)]
    return [{"week": week, "entered": n, "reached": goal} for week, n, goal in zip(mondays, entered, reached, strict=True)]


def chart(campaign: Campaign) -> dict[str, Any]:
    """Who entered and who reached the goal, week by week."""
    found = weeks(campaign)
    names, entered, reached = [short(one["week"]) for one in found], [one["entered"] for one in found], [one["reached"] for one in found]
    return {
        "label": _("Entered and reached the goal, by week"), "categories": names, "stacked": False,
        "series": [
            {"name": _("Entered"), "kind": "grey", "values": entered, "total": sum(entered)},
            {"name": _("Reached the goal"), "kind": "accent", "values": reached, "total": sum(reached)},
        ],
        "before": None, "rows": list(zip(names, entered, reached, strict=True)), "urls": None,
    }  # fmt: skip


@dataclass(slots=True)
class Mail:
    """One mail of the campaign: how many went out, and what became of them."""

    stage: Stage
    sent: int = 0
    clicked: int = 0
    bounced: int = 0
    unsubscribed: int = 0
    replied: int = 0
    opened: int = 0
    failed: int = 0
    withheld: int = 0
    uncertain: int = 0

    @property
    def rate(self) -> Rate:
        return Rate(self.clicked, self.sent)


def mails(campaign: Campaign) -> list[Mail]:
    """The mail stages of all versions, each once, in the order of the newest that has them."""
    stages = Stage.objects.filter(version__campaign=campaign, kind=Stage.Kind.EMAIL).order_by("-version__number", "position")
    found: dict[Any, Mail] = {}
    key_of = {}
    for stage in stages:
        found.setdefault(stage.key, Mail(stage))
        key_of[stage.pk] = stage.key

    def counted() -> list[tuple[Any, ...]]:
        of = Message.objects.filter(stage__in=list(key_of)).values_list("stage", "state").annotate(n=Count("pk")).order_by()
        clicks = Message.objects.filter(stage__in=list(key_of), state="sent", clicks__by_program=False).values_list("stage")
        clicked = clicks.annotate(n=Count("pk", distinct=True)).order_by()
        events = MailEvent.objects.filter(message__stage__in=list(key_of), kind__in=COUNTED).values_list("message__stage", "kind")
        return [*of, *((stage, "clicked", n) for stage, n in clicked), *events.annotate(n=Count("pk")).order_by()]

    for stage_id, state, n in remembered(f"campaigns mail results {campaign.pk}", counted):
        mail = found[key_of[stage_id]]
        if state in ("sent", "clicked", "bounced", *COUNTED, "failed", "withheld", "uncertain"):
            setattr(mail, state, getattr(mail, state) + n)
    return list(found.values())


@dataclass(slots=True)
class Part:
    """Those of one listing or country: how many entered, reached the goal, became an opportunity or were won after entering."""

    name: str
    url: str
    entered: int
    reached: int
    opportunities: int
    won: int

    @property
    def rate(self) -> Rate:
        return Rate(self.reached, self.entered)


# What became of a lead since it entered. Whoever was in it again entered first in round 1, so that round tells of the lead, once.
ONCE = {
    "leads": Q(round=1), "opportunities": Q(round=1, lead__opportunity_at__gte=F("entered_at")), "won": Q(round=1, lead__won_at__gte=F("entered_at")),
}  # fmt: skip
Rows = list[dict[str, Any]]
NUMBERS = ("entered", "reached", *ONCE)


def tallied(campaign: Campaign) -> Rows:
    """By listing and country: how many entered, reached the goal, and what became of them. One walk through the enrollments, for all of the page."""
    people = Enrollment.objects.filter(campaign=campaign).values(listing=F("lead__listing"), country=F("lead__contact__country")).order_by()
    numbers = {name: Count("pk", filter=only) for name, only in ONCE.items()}
    found: Any = people.annotate(entered=Count("pk"), reached=Count("pk", filter=Q(status="reached")), **numbers)
    return remembered(f"campaigns tallied {campaign.pk}", lambda: list(found))


def summed(rows: Rows) -> dict[str, int]:
    total = dict.fromkeys(NUMBERS, 0)
    for row in rows:
        for name in NUMBERS:
            total[name] += row[name]
    return total


def parts(campaign: Campaign, by: str, rows: Rows) -> list[Part]:
    """What was tallied by `listing` or `country`, the largest first."""
    found: dict[Any, Rows] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    sums = sorted(((key, summed(some)) for key, some in found.items()), key=lambda pair: (-pair[1]["entered"], str(pair[0])))[:MOST_ROWS]
    listings = Listing.objects.in_bulk([key for key, _figures in sums]) if by == "listing" else {}
    return [part(campaign, by, key, listings.get(key), figures) for key, figures in sums]


def part(campaign: Campaign, by: str, key: Any, listing: Listing | None, figures: dict[str, int]) -> Part:
    code = listing.slug if listing else key
    name = listing.title if listing else country_name(key) if key else "–"
    url = page("leads:list", campaign=campaign.slug, **{by: code}) if code else ""
    return Part(name, url, figures["entered"], figures["reached"], figures["opportunities"], figures["won"])


@dataclass(slots=True)
class Earned:
    """What came of those who entered, and what it cost. A lead that was in it twice has entered twice."""

    leads: int
    entered: int
    reached: int
    opportunities: int
    won: int
    cost: Decimal
    currency: str

    @property
    def goal(self) -> Rate:
        return Rate(self.reached, self.entered)

    @property
    def per_opportunity(self) -> Decimal | None:
        return self.cost / self.opportunities if self.opportunities and self.cost else None

    @property
    def per_lead(self) -> Decimal | None:
        return self.cost / self.leads if self.leads and self.cost else None


def earned(campaign: Campaign, rows: Rows) -> Earned:
    """Of what was tallied: leads that became opportunities or were won after they entered; the campaign need not have been what moved them."""
    cost = Cost.objects.filter(campaign=campaign).aggregate(n=Sum("amount"))["n"] or Decimal(0)
    currency = Strategy.objects.filter(campaigns=campaign).values_list("currency", flat=True).first() or ""
    return Earned(**summed(rows), cost=cost, currency=currency)


def moved_on(stages: Iterable[int]) -> dict[int, list[int]]:
    """Stage -> how many went on from it in each of the last 12 weeks, as far as the history is kept."""
    keys = list(stages)
    since = first_id(datetime.combine(this_week() - timedelta(weeks=WEEKS), time(), UTC))  # ids tell the time too, and the month's table
    went = Transition.objects.filter(pk__gte=since, from_stage__in=keys)
    return remembered(f"campaigns moved on {min(keys, default=0)} {len(keys)}", lambda: per_week(went, "at", "from_stage", WEEKS))


def times(stages: Iterable[int]) -> dict[int, tuple[float, int]]:
    """Stage -> (median minutes that people stood there, how many moved on) over the last 90 days, as far as the history is kept."""
    keys = list(stages)

    def counted() -> dict[int, tuple[float, int]]:
        with connection.cursor() as cursor:
            since = timezone.now() - timedelta(days=DAYS)
            cursor.execute(TIMES, {"stages": keys, "since": since, "first": first_id(since - timedelta(days=DAYS))})
            return {stage: (round(float(minutes)), n) for stage, minutes, n in cursor}

    return remembered(f"campaigns times {min(keys, default=0)} {len(keys)}", counted)


# Set: transitions of these stages, as far back as whoever went on lately may have come.
# How long somebody stood at a stage is from the transition that brought them, else from their entry.
TIMES = """
    WITH gone AS (
        SELECT t.from_stage_id, t.at - coalesce(lag(t.at) OVER (PARTITION BY t.enrollment_id ORDER BY t.at, t.id), e.entered_at) AS stood, t.at
        FROM campaigns_transition t JOIN campaigns_enrollment e ON e.id = t.enrollment_id WHERE t.from_stage_id = ANY(%(stages)s::bigint[])
            AND t.id >= %(first)s
    )
    SELECT from_stage_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stood) / 60), count(*)
    FROM gone WHERE at >= %(since)s GROUP BY from_stage_id
"""
