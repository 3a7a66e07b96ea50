"""A person takes over what a destination would not take: replays it, or says how it was handled by hand. Both are for dead deliveries."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from delivery.models import Delivery
from delivery.send import replay
from leads.models import Lead
from leads.work import add_note

BATCH = 5_000


def replay_all(dead: "QuerySet[Delivery]") -> int:
    """Make all of these dead deliveries due again, in batches; returns how many."""
    again = 0
    while batch := list(dead.values_list("pk", flat=True)[:BATCH]):
        moved = replay(batch)
        again += moved
        if not moved:
            break
    return again


def handle(deliveries: Sequence[UUID], by: User, reason: str) -> int:
    """Close dead deliveries as handled by hand, with the reason on each lead's timeline; returns how many.

    Set: the dead ones among `deliveries`. Lock order: their leads, which get the note, in key order; then the delivery rows.
    """
    with transaction.atomic():
        told = Lead.objects.filter(pk__in=Delivery.objects.dead().filter(pk__in=deliveries).values("lead")).order_by("pk")
        list(told.select_for_update(no_key=True).values_list("pk"))
        dead = Delivery.objects.dead().filter(pk__in=deliveries).select_related("lead", "destination").order_by("pk")
        found = list(dead.select_for_update(of=("self",)))
        Delivery.objects.filter(pk__in=[one.pk for one in found]).update(state=Delivery.State.HANDLED, last_error=reason)
        for one in found:
            add_note(one.lead, by, _("%(destination)s: handled by hand. %(reason)s") % {"destination": one.destination.name, "reason": reason})
    return len(found)
