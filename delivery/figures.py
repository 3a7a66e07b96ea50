"""What waits, what is dead and what went out, per destination, in two queries however many destinations there are."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from delivery.contract import connectors
from delivery.models import Delivery, Destination

FAR = 100_000  # nothing is counted further than this
State = Delivery.State


@dataclass(slots=True)
class Standing:
    """One destination and its deliveries."""

    destination: Destination
    counts: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None

    @property
    def kind(self) -> str:
        connector = connectors().get(self.destination.kind)
        return str(connector.label) if connector else self.destination.kind

    @property
    def waiting(self) -> int:
        return self.counts.get(State.DUE, 0) + self.counts.get(State.RETRYING, 0)

    @property
    def delivered(self) -> int:
        return self.counts.get(State.DELIVERED, 0)

    @property
    def dead(self) -> int:
        return self.counts.get(State.DEAD, 0)

    @property
    def handled(self) -> int:
        return self.counts.get(State.HANDLED, 0)

    @property
    def many(self) -> bool:
        """Whether counting stopped at the bound."""
        return any(count > FAR for count in self.counts.values())

    @property
    def tries_again_at(self) -> datetime | None:
        """While the breaker is open: when it closes."""
        until = self.destination.closed_until
        return until if self.destination.state == Destination.State.ON and until and until > timezone.now() else None


def standings() -> list[Standing]:
    """Every destination with its figures, by name."""
    found = {one.pk: Standing(one) for one in Destination.objects.prefetch_related("listings")}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"states": list(State.values), "far": FAR + 1})
        for destination, state, count in cursor:
            if destination in found:  # others were made a moment ago
                found[destination].counts[state] = count
    waiting = Delivery.objects.filter(state__in=Delivery.WAITING).values_list("destination").annotate(since=Min("owed_since")).order_by()
    for destination, since in waiting:
        if destination in found:
            found[destination].oldest = since
    return list(found.values())


def standing_of(destination: Destination) -> Standing:
    """One destination with its figures."""
    return next(one for one in standings() if one.destination.pk == destination.pk)


# Bounded per destination and state, each an index-only scan.
COUNT = """
    SELECT x.id, s.state, (SELECT count(*) FROM (SELECT FROM delivery_delivery d WHERE d.destination_id = x.id AND d.state = s.state LIMIT %(far)s) AS counted)
    FROM delivery_destination x, unnest(%(states)s::text[]) AS s(state)
"""
