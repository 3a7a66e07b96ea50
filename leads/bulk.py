"""The status of leads, one or many at once, by people and campaigns."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import User
from leads.models import CLOSED, OPPORTUNITY_BY, QUALIFIED_BY, Activity, Lead, Status

KEPT = ("status", "qualified_at", "opportunity_at", "won_at", "closed_at")


def set_status(leads: QuerySet[Lead], status: str, by: User | None, **because: str) -> list[dict[str, Any]]:
    """Put these leads into a status, each with a line on its timeline that says who or what did; returns what those that changed were before.

    What they thereby ever reached is kept for good. Locks the lead rows in id order.
    """
    now = timezone.now()
    with transaction.atomic():
        wanted = Lead.objects.filter(pk__in=leads.order_by().values("pk")).exclude(status=status)
        before = list(wanted.order_by("pk").select_for_update(no_key=True).values("pk", *KEPT))
        changed = Lead.objects.filter(pk__in=[row["pk"] for row in before])
        closed = now if status in CLOSED else None
        changed.update(status=status, closed_at=closed, stale_since=now, last_activity_at=now, **reached(status, now))
        tell(before, status, by, because)
    return before


def reached(status: str, now: datetime) -> dict[str, Any]:
    """The moments that this status fixes unless they already are: won implies opportunity, and that implies qualified."""
    marks = {"qualified_at": QUALIFIED_BY, "opportunity_at": OPPORTUNITY_BY, "won_at": (Status.WON,)}
    return {column: Coalesce(F(column), now) for column, statuses in marks.items() if status in statuses}


def put_back(leads: QuerySet[Lead], status: str, before: list[dict[str, Any]], by: User) -> int:
    """Undo `set_status` for those that still stand where it put them, with the moments it fixed; returns how many."""
    rows = {str(row["pk"]): row for row in before}
    with transaction.atomic():
        still = list(leads.filter(pk__in=list(rows), status=status).order_by("pk").select_for_update(of=("self",), no_key=True))
        for lead in still:
            for column in KEPT:
                setattr(lead, column, rows[str(lead.pk)][column])
        Lead.objects.bulk_update(still, KEPT, batch_size=500)
        Lead.objects.filter(pk__in=[lead.pk for lead in still]).update(stale_since=Now(), last_activity_at=Now())
        Activity.objects.bulk_create([told(lead.pk, status, lead.status, by) for lead in still], batch_size=1_000)
    return len(still)


def tell(before: list[dict[str, Any]], status: str, by: User | None, because: dict[str, str]) -> None:
    Activity.objects.bulk_create([told(row["pk"], row["status"], status, by, because) for row in before], batch_size=1_000)


def told(lead: Any, was: str, status: str, by: User | None, because: dict[str, str] | None = None) -> Activity:
    return Activity(lead_id=lead, kind="status", actor=by, data={"was": was, "status": status} | (because or {}))
