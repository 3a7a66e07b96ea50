"""What demand activities and strategies brought and cost: first touch and last touch side by side, plan against actual."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from accounts.remembered import remembered
from campaigns.models import Campaign, Cost, DemandActivity, Enrollment, Strategy, Target, Visits
from leads.models import Lead
from listings.models import Publisher

REACHED = {"leads": Q(), "qualified": Q(qualified_at__isnull=False), "opportunities": Q(opportunity_at__isnull=False), "won": Q(won_at__isnull=False)}
REACHED["value"] = REACHED["opportunities"]


@dataclass(slots=True)
class Brought:
    """What one activity brought, by one way of attributing."""

    leads: int = 0
    opportunities: int = 0
    won: int = 0


@dataclass(slots=True)
class Return:
    """One activity with all its figures."""

    activity: DemandActivity
    visits: int = 0
    first: Brought = field(default_factory=Brought)
    last: Brought = field(default_factory=Brought)
    linear: float = 0  # leads, each shared out evenly among the acts that brought it
    linear_opportunities: float = 0
    pipeline: Decimal = Decimal(0)  # what the opportunities of last touch are expected to be worth
    earned: Decimal = Decimal(0)  # and those that were won
    guessed: int = 0
    cost: Decimal = Decimal(0)

    @property
    def per_lead(self) -> Decimal | None:
        """Cost per lead by last touch; nothing without leads."""
        return self.cost / self.last.leads if self.last.leads else None

    @property
    def per_opportunity(self) -> Decimal | None:
        return self.cost / self.last.opportunities if self.last.opportunities else None

    @property
    def roi(self) -> float | None:
        """What was won over what was spent, as a share of the spending; nothing where nothing was spent or nothing is known to be worth anything."""
        return float((self.earned - self.cost) / self.cost) if self.cost and self.earned else None

    @property
    def currency(self) -> str:
        return self.activity.strategy.currency if self.activity.strategy else ""


def returns(activities: Iterable[DemandActivity]) -> list[Return]:
    """The figures of these activities; three queries, however many there are."""
    found = {one.pk: Return(one) for one in activities}
    for pk, *figures in remembered("campaigns touches", touched):
        if pk in found:
            one = found[pk]
            one.first, one.last, one.guessed = Brought(*figures[:3]), Brought(*figures[3:6]), figures[6]
            one.linear, one.linear_opportunities = float(figures[7]), float(figures[8])
            one.pipeline, one.earned = figures[9], figures[10]
    for pk, n in Visits.objects.filter(activity__in=list(found)).values_list("activity").annotate(n=Sum("count")).order_by():
        found[pk].visits = n
    for pk, amount in Cost.objects.filter(activity__in=list(found)).values_list("activity").annotate(n=Sum("amount")).order_by():
        found[pk].cost = amount
    return list(found.values())


def touched() -> list[tuple[Any, ...]]:
    """Of each activity: leads, opportunities, won by first touch; the same by last touch; how many last touches are guesses; leads and opportunities
    shared out evenly among the touches of each lead."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED)
        return list(cursor.fetchall())


TOUCHED = """
    WITH touched AS (
        SELECT lead_id, activity_id, is_certain, row_number() OVER (PARTITION BY lead_id ORDER BY at, interaction_id) AS up,
               row_number() OVER (PARTITION BY lead_id ORDER BY at DESC, interaction_id DESC) AS down,
               1.0 / count(*) OVER (PARTITION BY lead_id) AS part FROM campaigns_touch
    )
    SELECT activity_id, count(*) FILTER (WHERE up = 1), count(l.opportunity_at) FILTER (WHERE up = 1), count(l.won_at) FILTER (WHERE up = 1),
           count(*) FILTER (WHERE down = 1), count(l.opportunity_at) FILTER (WHERE down = 1), count(l.won_at) FILTER (WHERE down = 1),
           count(*) FILTER (WHERE down = 1 AND NOT is_certain), round(sum(part), 1),
           round(coalesce(sum(part) FILTER (WHERE l.opportunity_at IS NOT NULL), 0), 1),
           coalesce(sum(l.value) FILTER (WHERE down = 1 AND l.opportunity_at IS NOT NULL), 0),
           coalesce(sum(l.value) FILTER (WHERE down = 1 AND l.won_at IS NOT NULL), 0)
    FROM touched JOIN leads_lead l ON l.id = lead_id GROUP BY activity_id
"""


@dataclass(slots=True)
class Course:
    """One target beside what was reached of it so far."""

    target: Target
    actual: int
    elapsed: float  # of the period, 0 to 1

    @property
    def expected(self) -> int:
        """What an even course would have reached by now."""
        return round(self.target.amount * self.elapsed)

    @property
    def is_on_course(self) -> bool:
        return self.actual >= self.expected

    @property
    def share(self) -> float:
        return min(1.0, self.actual / self.target.amount)


def courses(strategies: Iterable[Strategy]) -> dict[int, list[Course]]:
    """The targets of these strategies with what was reached of them; two queries, however many there are."""
    today = Publisher.current().today
    targets = list(Target.objects.filter(strategy__in=list(strategies)).select_related("strategy", "storefront", "listing"))
    found: dict[int, list[Course]] = defaultdict(list)
    for target, n in zip(targets, remembered(f"campaigns targets {[one.pk for one in targets]}", lambda: actuals(targets)), strict=True):
        found[target.strategy_id].append(Course(target, n, elapsed(target.strategy, today)))
    return found


def actuals(targets: list[Target]) -> list[int]:
    """Of each target, how many leads received in its period ever got so far, or what those are worth: one look at the leads of all periods together, for
    500 targets at a time, as a query has only so many columns."""
    return [n for at in range(0, len(targets), 500) for n in some_actuals(targets[at : at + 500])]


def some_actuals(targets: list[Target]) -> list[int]:
    zone = Publisher.current().zone
    periods = [bounds(one.strategy, zone) for one in targets]
    leads = Lead.objects.filter(received_at__gte=min(first for first, _beyond in periods), received_at__lt=max(beyond for _first, beyond in periods))
    counts = {f"n{i}": counted(one, wanted(one, *period)) for i, (one, period) in enumerate(zip(targets, periods, strict=True))}
    found = leads.order_by().aggregate(**counts)
    return [int(found[f"n{i}"] or 0) for i in range(len(targets))]


def counted(target: Target, leads: Q) -> Count | Sum:
    """How many of these leads there are, or what they are expected to be worth."""
    return Sum("value", filter=leads) if target.measure == Target.Measure.VALUE else Count("pk", filter=leads)


def wanted(target: Target, first: datetime, beyond: datetime) -> Q:
    """The leads that count for a target."""
    of: dict[str, Any] = {"listing__storefront": target.storefront_id, "listing": target.listing_id, "contact__country": target.country}
    return REACHED[target.measure] & Q(received_at__gte=first, received_at__lt=beyond, **{name: value for name, value in of.items() if value})


def elapsed(strategy: Strategy, today: date) -> float:
    """How much of its period is over, from 0 to 1; today counts as over."""
    whole, gone = (strategy.ends - strategy.starts).days + 1, (today - strategy.starts).days + 1
    return min(1.0, max(0.0, gone / whole))


def bounds(strategy: Strategy, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The period's first moment and the one after its last, in a time zone."""
    return datetime.combine(strategy.starts, time(), zone), datetime.combine(strategy.ends + timedelta(days=1), time(), zone)


def spent(strategies: Iterable[Strategy]) -> dict[int, Decimal]:
    """What was spent on the activities and campaigns of these strategies; one query."""
    of = Coalesce("activity__strategy", "campaign__strategy")
    rows = Cost.objects.annotate(strategy=of).filter(strategy__in=[one.pk for one in strategies]).values_list("strategy").annotate(n=Sum("amount"))
    return dict(rows.order_by())


@dataclass(slots=True)
class Contribution:
    """What one campaign brought within a strategy's period."""

    campaign: Campaign
    entered: int
    reached: int
    cost: Decimal


@dataclass(slots=True)
class Plan:
    """A strategy with how far it is; on its own page also with what contributes to it."""

    strategy: Strategy
    courses: list[Course]
    spent: Decimal
    activities: list[Return] = field(default_factory=list)
    campaigns: list[Contribution] = field(default_factory=list)

    @property
    def left(self) -> Decimal:
        return self.strategy.budget - self.spent

    @property
    def days_left(self) -> int:
        return max(0, (self.strategy.ends - Publisher.current().today).days)


def plans_of(strategies: list[Strategy]) -> list[Plan]:
    """These strategies with how far each is; three queries, however many there are."""
    on_course, money = courses(strategies), spent(strategies)
    return [Plan(one, on_course.get(one.pk, []), money.get(one.pk, Decimal(0))) for one in strategies]


def plan_of(strategy: Strategy) -> Plan:
    """Everything about one strategy."""
    [plan] = plans_of([strategy])
    plan.activities = returns(strategy.activities.select_related("listing__storefront", "strategy"))
    plan.campaigns = contributions(strategy)
    return plan


def contributions(strategy: Strategy) -> list[Contribution]:
    first, beyond = bounds(strategy, Publisher.current().zone)
    campaigns = list(strategy.campaigns.select_related("storefront"))
    entered = Enrollment.objects.filter(campaign__in=campaigns, entered_at__gte=first, entered_at__lt=beyond)
    counts = {
        pk: (n, reached)
        for pk, n, reached in entered.values_list("campaign").annotate(n=Count("pk"), reached=Count("pk", filter=Q(status="reached"))).order_by()
    }
    spent = dict(Cost.objects.filter(campaign__in=campaigns).values_list("campaign").annotate(n=Sum("amount")).order_by())
    return [Contribution(one, *counts.get(one.pk, (0, 0)), spent.get(one.pk, Decimal(0))) for one in campaigns]
