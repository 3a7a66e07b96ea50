"""A person takes over what a destination would not take: replays it, or says how it was handled by hand. Both are for dead deliveries."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from delivery.models import Delivery
from delivery.send import AT_ONCE, MOST, replay
from leads.models import Activity, Lead


def replay_all(dead: "QuerySet[Delivery]") -> int:
    """Make these dead deliveries due again, 20,000 of them at most, some thousand in a transaction; returns how many."""
    again = 0
    for _batch in range(MOST // AT_ONCE):
        batch = list(dead.values_list("pk", flat=True)[:AT_ONCE])
        again += replay(batch)
        if len(batch) < AT_ONCE:
            break
    return again


def handle(deliveries: Sequence[UUID], by: User, reason: str) -> int:
    """Close dead deliveries as handled by hand, with the reason on each lead's timeline; returns how many.

    Set: the dead ones among `deliveries`. Lock order: their leads, which get the line, in key order; then the delivery rows, by lead and destination.
    """
    now = timezone.now()
    with transaction.atomic():
        told = Lead.objects.filter(pk__in=Delivery.objects.dead().filter(pk__in=deliveries).values("lead")).order_by("pk")
        list(told.select_for_update(no_key=True).values_list("pk"))
        dead = Delivery.objects.dead().filter(pk__in=deliveries).select_related("destination").order_by("lead_id", "destination_id")
        found = list(dead.select_for_update(of=("self",)))
        Delivery.objects.filter(pk__in=[one.pk for one in found]).update(state=Delivery.State.HANDLED, last_error=reason)
        Lead.objects.filter(pk__in={one.lead_id for one in found}).update(last_activity_at=now)
        Activity.objects.bulk_create(
            Activity(lead_id=one.lead_id, kind="handled", actor=by, at=now, data={"destination": one.destination.name, "reason": reason})
            for one in found
        )
    return len(found)
