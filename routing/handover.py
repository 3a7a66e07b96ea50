"""People hand leads to another owner, many at once: and the way back from it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from leads.models import Activity, Lead
from listings.models import Storefront
from routing.models import Assignment

KEPT = ("owner_id", "owner_reason", "assigned_at", "respond_by")
BATCH = 1_000
Before = list[dict[str, Any]]


def hand_over(leads: QuerySet[Lead], owner: User | None, by: User | None, **because: str) -> Before:
    """Give these leads to a seller, or take them from everybody; returns what they were before. Leads that have the owner already are no part of it.
    Without a person it is a campaign that gives them, which `because` names.

    Locks the lead rows in id order. The clock of a lead that nobody answered starts anew with its owner.
    """
    now = timezone.now()
    reason = reason_of(owner, by, now) if by else {"code": "by_campaign", **because}
    with transaction.atomic():
        wanted = Lead.objects.filter(pk__in=leads.order_by().values("pk"))
        wanted = wanted.exclude(owner=owner) if owner else wanted.filter(owner__isnull=False)
        before = list(wanted.order_by("pk").select_for_update(of=("self",), no_key=True).values("pk", *KEPT))
        changed = Lead.objects.filter(pk__in=[row["pk"] for row in before])
        changed.update(owner=owner, owner_reason=reason, assigned_at=now if owner else None, stale_since=now)
        if owner is None:
            changed.update(respond_by=None)
        else:
            for storefront in Storefront.objects.all():
                changed.filter(listing__storefront=storefront, first_response_at=None).update(
                    respond_by=now + timedelta(hours=storefront.respond_within_hours)
                )
        write_down([(row["pk"], owner.pk if owner else None) for row in before], reason, by)
    return before


def take_back(leads: QuerySet[Lead], owner: User | None, before: Before, by: User) -> int:
    """Undo `hand_over` for those that still have the owner it gave them, with the clock they had; returns how many. Locks the lead rows in id order."""
    rows = {str(row["pk"]): row for row in before}
    with transaction.atomic():
        still = list(leads.filter(pk__in=list(rows), owner=owner).order_by("pk").select_for_update(of=("self",), no_key=True))
        for lead in still:
            for column in KEPT:
                setattr(lead, column, rows[str(lead.pk)][column])
            lead.stale_since = timezone.now()
        Lead.objects.bulk_update(still, ["owner", *KEPT[1:], "stale_since"], batch_size=BATCH)
        write_down([(lead.pk, lead.owner_id) for lead in still], {"code": "by_hand", "by": by.full_name}, by)
    return len(still)


def reason_of(owner: User | None, by: User, at: datetime) -> dict[str, Any]:
    """What is given stays given; what was taken from everybody gets no owner by itself until the buyer acts again (routing.assign)."""
    return {"code": "by_hand" if owner else "taken", "by": by.full_name, "at": at.isoformat()}


def write_down(owners: list[tuple[Any, int | None]], reason: dict[str, Any], by: User | None) -> None:
    """End the stretches of ownership that are open, begin the new ones, and put each on its timeline."""
    now = timezone.now()
    Assignment.objects.filter(lead__in=[lead for lead, _owner in owners], ended_at=None).update(ended_at=now)
    begun = (Assignment(lead_id=lead, owner_id=owner, reason=reason, made_by=by, made_at=now) for lead, owner in owners if owner)
    Assignment.objects.bulk_create(begun, batch_size=BATCH)
    names = {one.pk: one.full_name for one in User.objects.filter(pk__in={owner for _lead, owner in owners if owner})}
    told = (
        Activity(lead_id=lead, kind="assigned", actor=by, at=now, data={**reason, "owner": owner, "to": names.get(owner or 0, "")})
        for lead, owner in owners
    )
    Activity.objects.bulk_create(told, batch_size=BATCH)
