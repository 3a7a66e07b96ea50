"""Deliveries that are due are called out: claimed with a lease and a fence, sent without a transaction open, written down only under the same fence.

One drain per destination at a time, at most four calls in flight to it, destinations beside each other: a stuck one holds up nobody else. Attempts
grow at the claim, so that a payload which kills its worker still ends as a dead letter.
"""

import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone, translation

from delivery.contract import Answer, DeliveryFailed, Misconfigured, Refused, RetryLater, connectors
from delivery.models import Delivery, DeliveryAttempt, Destination
from delivery.payload import payload
from leads.models import Activity, Lead

log = logging.getLogger(__name__)
LOCK = 0xDE11
IN_FLIGHT, BATCH, BUDGET = 4, 40, 30.0
LEASE = timedelta(seconds=120)
WINDOW = timedelta(hours=72)
FIRST_DELAY, LONGEST_DELAY = 5.0, 6 * 3600.0
BREAKER_FROM, BREAKER_FIRST, BREAKER_LONGEST = 5, 30.0, 900.0
State = Delivery.State


@dataclass(slots=True)
class Call:
    """One claimed delivery with all that the network thread needs; it touches no database."""

    delivery: Delivery
    body: dict[str, object]
    answer: Answer | None = None
    failure: DeliveryFailed | None = None
    took_ms: int = 0


def send() -> int:
    """Send what is due to every open destination; returns how many calls were made. Stops after half a minute: the rest stays due."""
    open_now = [one for one in Destination.objects.filter(state=Destination.State.ON) if not one.closed_until or one.closed_until <= timezone.now()]
    due = [one for one in open_now if Delivery.objects.filter(destination=one, state__in=Delivery.WAITING, due_at__lte=timezone.now()).exists()]
    if len(due) <= 1:
        return sum(drain(one) for one in due)
    with ThreadPoolExecutor(min(8, len(due)), "delivery") as pool:
        return sum(pool.map(in_thread(drain), due))


def in_thread(verb: Callable[[Destination], int]) -> Callable[[Destination], int]:
    """A thread of the pool has its own connection and closes it."""

    def run(destination: Destination) -> int:
        try:
            return verb(destination)
        finally:
            connection.close()

    return run


def drain(destination: Destination) -> int:
    """Send to one destination until nothing is due, the breaker opens, or the time is up. Skips it when another session is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, destination.pk])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return rounds(destination)
        finally:
            if not connection.needs_rollback:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, destination.pk])


def rounds(destination: Destination) -> int:
    made, until = 0, time.monotonic() + BUDGET
    with ThreadPoolExecutor(IN_FLIGHT, "call") as pool:
        while time.monotonic() < until:
            probing = destination.failures_in_row >= BREAKER_FROM
            calls = claim(destination, 1 if probing else BATCH)
            if not calls:
                break
            for call in pool.map(lambda one: perform(destination, one), calls):
                finish(destination, call)
            made += len(calls)
            destination.refresh_from_db()
            if destination.state != Destination.State.ON or (destination.closed_until and destination.closed_until > timezone.now()):
                break
    return made


def claim(destination: Destination, limit: int) -> list[Call]:
    """Lease due deliveries, counting the attempt, and load what they carry. Locks delivery rows, skipping those others hold."""
    now = timezone.now()
    with transaction.atomic():
        due = Delivery.objects.filter(destination=destination, state__in=Delivery.WAITING, due_at__lte=now).exclude(lease_until__gt=now)
        ids = list(due.order_by("due_at").select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Delivery.objects.filter(pk__in=ids).update(lease_until=now + LEASE, attempts=F("attempts") + 1, fence=F("fence") + 1)
    claimed = Delivery.objects.filter(pk__in=ids).order_by("due_at")
    leads = {lead.pk: lead for lead in Lead.objects.for_list().filter(pk__in=[one.lead_id for one in claimed]).prefetch_related("interactions")}
    with translation.override("en"):  # a CRM reads one language
        return [Call(one, payload(leads[one.lead_id], one.revision)) for one in claimed]


def perform(destination: Destination, call: Call) -> Call:
    """The call itself, on a thread without database."""
    began = time.monotonic()
    try:
        call.answer = connectors()[destination.kind].send(destination, call.delivery.message_id, call.body)
    except DeliveryFailed as failure:
        call.failure = failure
    except Exception as error:  # a connector's own fault is worth another try, with its name on it
        log.exception("destination %s: connector failed", destination.pk)
        call.failure = RetryLater(type(error).__name__)
    call.took_ms = int((time.monotonic() - began) * 1000)
    return call


def finish(destination: Destination, call: Call) -> None:
    """Write down the attempt, and what comes of it for the delivery and the destination; a stale fence only leaves its line in the log."""
    delivery, failure = call.delivery, call.failure
    said = call.answer or (failure.answer if failure else Answer(None))
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery, revision=delivery.revision, outcome=outcome(failure), status=said.status, took_ms=call.took_ms,
            answer=(str(failure) if failure else said.text)[:4096],
        )  # fmt: skip
        ours = Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence)
        ours.update(lease_until=None)
        # A newer revision that came meanwhile stays due.
        same = ours.filter(revision=delivery.revision)
        if failure is None:
            ours.update(delivered_revision=delivery.revision, delivered_at=timezone.now())
            if same.update(state=State.DELIVERED, last_error="") and delivery.delivered_revision is None:
                tell(delivery.lead_id, "delivered", destination.name)
        elif isinstance(failure, Misconfigured):
            same.update(attempts=F("attempts") - 1, state=State.RETRYING, last_error=str(failure))
        elif isinstance(failure, Refused) or timezone.now() - delivery.owed_since > WINDOW:
            if same.update(state=State.DEAD, last_error=str(failure)):
                tell(delivery.lead_id, "delivery_dead", destination.name, error=str(failure)[:200])
        else:
            wait = timedelta(seconds=delay(delivery.attempts, failure.after if isinstance(failure, RetryLater) else 0))
            same.update(state=State.RETRYING, due_at=timezone.now() + wait, last_error=str(failure))
        judge(destination, failure)


def outcome(failure: DeliveryFailed | None) -> str:
    kinds = {RetryLater: "retry", Refused: "refused", Misconfigured: "misconfigured"}
    return "delivered" if failure is None else kinds[type(failure)]


def delay(attempts: int, after: float) -> float:
    """Seconds until the next try: full jitter under a doubling bound, never before what the other side asked for."""
    jitter = random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts, 20)))
    return after + random.uniform(0, FIRST_DELAY) if after and after > jitter else jitter


def judge(destination: Destination, failure: DeliveryFailed | None) -> None:
    """Keep the destination's breaker: five failures in a row close it for half a minute, doubling to a quarter of an hour; a misconfigured one is paused."""
    row = Destination.objects.filter(pk=destination.pk)
    if failure is None or isinstance(failure, Refused):
        row.filter(failures_in_row__gt=0).update(failures_in_row=0, closed_until=None)
    elif isinstance(failure, Misconfigured):
        row.update(state=Destination.State.PAUSED, pause_reason=str(failure)[:300])
    else:
        row.update(failures_in_row=F("failures_in_row") + 1)
        failed = row.values_list("failures_in_row", flat=True)[0]
        if failed >= BREAKER_FROM:
            wait = min(BREAKER_LONGEST, BREAKER_FIRST * 2 ** min(failed - BREAKER_FROM, 10))
            row.update(closed_until=timezone.now() + timedelta(seconds=wait))


def tell(lead: UUID, kind: str, destination: str, **data: str) -> None:
    Activity.objects.create(lead_id=lead, kind=kind, data={"destination": destination, **data})


def replay(deliveries: "list[UUID]") -> int:
    """Make dead deliveries due again, with the same message id; returns how many."""
    now = timezone.now()
    return Delivery.objects.dead().filter(pk__in=deliveries).update(state=State.DUE, due_at=now, owed_since=now, attempts=0, lease_until=None)


def resume(destination: Destination) -> None:
    """A person mended the destination: deliver again, what waits is due now."""
    now = timezone.now()
    with transaction.atomic():
        Destination.objects.filter(pk=destination.pk).update(state=Destination.State.ON, pause_reason="", failures_in_row=0, closed_until=None)
        Delivery.objects.filter(destination=destination, state__in=Delivery.WAITING).update(due_at=now, owed_since=now)
