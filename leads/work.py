"""What people do with a lead, beside its status (leads.bulk): note, value, log a call, make and finish tasks. Each is one transaction, on the timeline
with who and when. What others must follow (a response, a value) makes the lead stale; a note and a task are the lead's own."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from leads.models import Activity, Lead, Task


def set_value(lead: Lead, value: Decimal | None, by: User) -> bool:
    """What the lead is expected to be worth; none when nobody can tell. Returns false when it said so already. Locks the lead row."""
    now = timezone.now()
    with transaction.atomic():
        current = Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
        if current.value == value:
            return False
        Lead.objects.filter(pk=lead.pk).update(value=value, stale_since=now, last_activity_at=now)
        data = {"was": amount(current.value), "value": amount(value)}
        Activity.objects.create(lead=lead, kind="valued", actor=by, at=now, data=data)
    return True


def amount(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.2f}"


def respond(lead: Lead, by: User, kind: str, **data: Any) -> None:
    """Somebody answered the buyer: the clock stops at the first time; later ones only join the timeline. Locks the lead row."""
    now = timezone.now()
    with transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(first_response_at=Coalesce(F("first_response_at"), now), stale_since=now, last_activity_at=now)
        Activity.objects.create(lead=lead, kind=kind, actor=by, at=now, data=data)


def log_call(lead: Lead, by: User, reached_them: bool = True, note: str = "") -> None:
    respond(lead, by, "called", reached=reached_them, note=note[:2000])


def add_note(lead: Lead, by: User, text: str) -> Activity:
    """A note answers nobody, so the clock runs on."""
    with transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(last_activity_at=timezone.now())
        return Activity.objects.create(lead=lead, kind="noted", actor=by, data={"note": text[:5000]})


def add_task(lead: Lead, by: User, title: str, due_at: datetime) -> Task:
    with transaction.atomic():
        task = Task.objects.create(lead=lead, title=title, due_at=due_at, made_by=by)
        Activity.objects.create(lead=lead, kind="task_made", actor=by, data={"stage": title})
    return task


def finish_task(task: Task, by: User) -> None:
    """Done once; finishing again changes nothing."""
    with transaction.atomic():
        if Task.objects.filter(pk=task.pk, done_at=None).update(done_at=timezone.now()):
            Activity.objects.create(lead_id=task.lead_id, kind="task_done", actor=by, data={"stage": task.title})
