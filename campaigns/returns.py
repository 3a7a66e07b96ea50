"""What demand activities and strategies brought and cost: first touch and last touch side by side, plan against actual."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.remembered import remembered
from campaigns.models import Campaign, Cost, DemandActivity, Enrollment, Strategy, Target, Visits
from leads.models import Lead
from listings.models import Publisher

REACHED = {"leads": Q(), "qualified": Q(qualified_at__isnull=False), "opportunities": Q(opportunity_at__isnull=False), "won": Q(won_at__isnull=False)}


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
    def currency(self) -> str:
        return self.activity.strategy.currency if self.activity.strategy else ""


def returns(activities: Iterable[DemandActivity]) -> list[Return]:
    """The figures of these activities; three queries, however many there are."""
    found = {one.pk: Return(one) for one in activities}
    for pk, *figures in remembered("campaigns touches", touched):
        if pk in found:
            one = found[pk]
            one.first, one.last, one.guessed = Brought(*figures[:3]), Brought(*figures[3:6]), figures[6]
    for pk, n in Visits.objects.filter(activity__in=list(found)).values_list("activity").annotate(n=Sum("count")).order_by():
        found[pk].visits = n
    for pk, amount in Cost.objects.filter(activity__in=list(found)).values_list("activity").annotate(n=Sum("amount")).order_by():
        found[pk].cost = amount
    return list(found.values())


def touched() -> list[tuple[int, ...]]:
    """Of each activity: leads, opportunities, won by first touch; the same by last touch; how many last touches are guesses."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED)
        return list(cursor.fetchall())


TOUCHED = """
    WITH touched AS (
        SELECT lead_id, activity_id, is_certain, row_number() OVER (PARTITION BY lead_id ORDER BY at, interaction_id) AS up,
               row_number() OVER (PARTITION BY lead_id ORDER BY at DESC, interaction_id DESC) AS down FROM campaigns_touch
    )
    SELECT activity_id, count(*) FILTER (WHERE up = 1), count(l.opportunity_at) FILTER (WHERE up = 1), count(l.won_at) FILTER (WHERE up = 1),
           count(*) FILTER (WHERE down = 1), count(l.opportunity_at) FILTER (WHERE down = 1), count(l.won_at) FILTER (WHERE down = 1),
           count(*) FILTER (WHERE down = 1 AND NOT is_certain)
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


@dataclass(slots=True)
class Contribution:
    """What one campaign brought within a strategy's period."""

    campaign: Campaign
    entered: int
    reached: int
    cost: Decimal


@dataclass(slots=True)
class Plan:
    """A strategy with all its figures."""

    strategy: Strategy
    courses: list[Course]
    activities: list[Return]
    campaigns: list[Contribution]
    days_left: int

    @property
    def spent(self) -> Decimal:
        costs = [one.cost for one in self.activities] + [one.cost for one in self.campaigns]
        return sum(costs, Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.strategy.budget - self.spent


def plan_of(strategy: Strategy) -> Plan:
    """Everything about a strategy: a query per target, and five more."""
    today = timezone.now().astimezone(Publisher.current().zone).date()
    whole, gone = (strategy.ends - strategy.starts).days + 1, (today - strategy.starts).days + 1
    elapsed = min(1.0, max(0.0, gone / whole))
    targets = strategy.targets.select_related("storefront", "listing")
    courses = [Course(target, actual(target, strategy), elapsed) for target in targets]
    activities = returns(strategy.activities.select_related("listing__storefront", "strategy"))
    return Plan(strategy, courses, activities, contributions(strategy), max(0, (strategy.ends - today).days))


def actual(target: Target, strategy: Strategy) -> int:
    """How many leads received in the period ever got so far."""
    first, beyond = bounds(strategy)
    leads = Lead.objects.filter(REACHED[target.measure], received_at__gte=first, received_at__lt=beyond)
    wanted: dict[str, Any] = {"listing__storefront": target.storefront_id, "listing": target.listing_id, "contact__country": target.country}
    some = leads.filter(**{name: value for name, value in wanted.items() if value})
    return remembered(f"campaigns target {target.pk}", some.count)


def bounds(strategy: Strategy) -> tuple[datetime, datetime]:
    """The period's first moment and the one after its last, in the publisher's time zone."""
    zone = Publisher.current().zone

    def start_of(day: date) -> datetime:
        return datetime.combine(day, time(), zone)

    return start_of(strategy.starts), start_of(strategy.ends + timedelta(days=1))


def contributions(strategy: Strategy) -> list[Contribution]:
    first, beyond = bounds(strategy)
    campaigns = list(strategy.campaigns.select_related("storefront"))
    entered = Enrollment.objects.filter(campaign__in=campaigns, entered_at__gte=first, entered_at__lt=beyond)
    counts = {
        pk: (n, reached)
        for pk, n, reached in entered.values_list("campaign").annotate(n=Count("pk"), reached=Count("pk", filter=Q(status="reached"))).order_by()
    }
    spent = dict(Cost.objects.filter(campaign__in=campaigns).values_list("campaign").annotate(n=Sum("amount")).order_by())
    return [Contribution(one, *counts.get(one.pk, (0, 0)), spent.get(one.pk, Decimal(0))) for one in campaigns]
