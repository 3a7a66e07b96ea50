"""Deliveries that are due are called out: claimed with a lease and a fence, sent without a transaction open, written down only under the same fence.

One drain per destination at a time, at most four calls in flight to it, destinations beside each other: a stuck one holds up nobody else. A claim that
never came back is counted at the next claim and then taken alone, so a payload that kills its worker ends as a dead letter and harms no neighbour.
"""

import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone, translation

from accounts.locks import only_one
from delivery.contract import Answer, DeliveryFailed, Misconfigured, Refused, RetryLater, connectors
from delivery.models import Delivery, DeliveryAttempt, Destination
from delivery.payload import payload
from leads import reasons
from leads.models import Activity, Lead

log = logging.getLogger(__name__)
LOCK = 0xDE11
IN_FLIGHT, BUDGET = 4, 30.0
THREADS, LOOK, TURN = 8, 1.0, 5.0  # destinations at once; seconds between two looks at what came due, and of one that fails while others may wait
LEASE = timedelta(seconds=120)  # longer than any call, which egress bounds
GIVE_UP_AFTER = 3  # claims in a row that never came back
WINDOW = timedelta(hours=72)
FIRST_DELAY, LONGEST_DELAY = 5.0, 6 * 3600.0
BREAKER_FROM, BREAKER_FIRST, BREAKER_LONGEST = 5, timedelta(seconds=30), timedelta(minutes=15)
State = Delivery.State


@dataclass(slots=True)
class Call:
    """One claimed delivery with all that the network thread needs; it touches no database. Without a body its failure stands already."""

    delivery: Delivery
    body: dict[str, object] = field(default_factory=dict)
    answer: Answer | None = None
    failure: DeliveryFailed | None = None
    took_ms: int = 0


def send() -> int:
    """Send what is due to every open destination; returns how many calls were made. Stops after half a minute: the rest stays due.

    As long as one is at it, what comes due to others begins beside it, and those that fail never keep all threads: who answers waits for nobody who does not.
    """
    made, until = 0, time.monotonic() + BUDGET
    if Destination.objects.count() <= 1:
        return sum(drain(one, until) for one in Destination.objects.with_due(timezone.now()))
    with ThreadPoolExecutor(THREADS, "delivery") as pool:
        at_it: dict[Future[int], Destination] = {}
        while True:
            busy = [one.pk for one in at_it.values()]
            for one in Destination.objects.with_due(timezone.now()).exclude(pk__in=busy) if time.monotonic() < until else ():
                if not one.is_failing or sum(other.is_failing for other in at_it.values()) < THREADS // 2:
                    at_it[pool.submit(in_thread(drain), one, until, gives_way=True)] = one
            for done in wait(at_it, timeout=LOOK).done:
                made += done.result()
                del at_it[done]
            if not at_it:
                return made


def in_thread(verb: Callable[..., int]) -> Callable[..., int]:
    """A thread of the pool has its own connection and closes it."""

    def run(*given: Any, **named: Any) -> int:
        try:
            return verb(*given, **named)
        finally:
            connection.close()

    return run


def drain(destination: Destination, until: float, gives_way: bool = False) -> int:
    """Send to one destination until nothing is due, the breaker opens, the time is up, or its turn is, if it fails and others may wait. Skips it when another
    session is at it."""
    with only_one(LOCK, destination.pk) as is_ours:
        if not is_ours:
            return 0
        destination.refresh_from_db()  # whoever held the lock may have paused it
        return rounds(destination, until, gives_way) if destination.is_open else 0


def rounds(destination: Destination, until: float, gives_way: bool) -> int:
    made, began = 0, time.monotonic()
    with ThreadPoolExecutor(IN_FLIGHT, "call") as pool:
        while time.monotonic() < until:
            probing = destination.closed_until is not None  # it failed up to now
            bury(destination)
            calls = claim(destination, 1 if probing else IN_FLIGHT)
            if not calls:
                break
            for call in pool.map(lambda one: perform(destination, one), calls):
                finish(destination, call)
            made += len(calls)
            destination.refresh_from_db()
            if not destination.is_open or (gives_way and destination.is_failing and time.monotonic() > began + TURN):
                break
    return made


def bury(destination: Destination) -> None:
    """Deliveries that stopped their worker at every claim are dead. Locks delivery rows, skipping those others hold."""
    with transaction.atomic():
        fatal = Delivery.objects.due(timezone.now()).filter(destination=destination, losses__gte=GIVE_UP_AFTER, lease_until__isnull=False)
        for delivery in fatal.select_for_update(skip_locked=True):
            Delivery.objects.filter(pk=delivery.pk).update(state=State.DEAD, lease_until=None, last_error=reasons.FATAL)
            tell(delivery.lead_id, "delivery_dead", destination.name, error=reasons.FATAL)


def claim(destination: Destination, limit: int) -> list[Call]:
    """Lease due deliveries, counting the attempt, and load what they carry. Locks delivery rows, skipping those others hold.

    A lease that ran out means that the claim before never came back: such a delivery is taken alone.
    """
    now = timezone.now()
    with transaction.atomic():
        due = Delivery.objects.due(now).filter(destination=destination).order_by("due_at", "pk").select_for_update(skip_locked=True)
        suspect = due.filter(lease_until__isnull=False).values_list("pk", flat=True)[:1]
        ids = list(suspect) or list(due.values_list("pk", flat=True)[:limit])
        lost = Case(When(lease_until__isnull=True, then=Value(0)), default=F("losses") + 1)
        Delivery.objects.filter(pk__in=ids).update(lease_until=now + LEASE, attempts=F("attempts") + 1, fence=F("fence") + 1, losses=lost)
    return load(Delivery.objects.filter(pk__in=ids).order_by("due_at", "pk"))


def load(claimed: QuerySet[Delivery]) -> list[Call]:
    """What each delivery carries. One that can't be written is refused, and the others go."""
    leads = {lead.pk: lead for lead in Lead.objects.for_list().filter(pk__in=[one.lead_id for one in claimed])}
    calls = []
    with translation.override("en"):  # a CRM reads one language
        for delivery in claimed:
            try:
                calls.append(Call(delivery, payload(leads[delivery.lead_id], delivery.revision)))
            except Exception as error:
                log.exception("delivery %s: its payload can't be written", delivery.pk)
                calls.append(Call(delivery, failure=Refused(f"{type(error).__name__} while writing its payload.")))
    return calls


def perform(destination: Destination, call: Call) -> Call:
    """The call itself, on a thread without database."""
    if call.failure:
        return call
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
            is_known = ours.update(delivered_revision=delivery.revision, delivered_at=timezone.now())
            same.update(state=State.DELIVERED, last_error="")
            if is_known and delivery.delivered_revision is None:
                tell(delivery.lead_id, "delivered", destination.name)
        elif isinstance(failure, Misconfigured):
            same.update(attempts=F("attempts") - 1, state=State.RETRYING, last_error=str(failure))
        elif isinstance(failure, Refused) or has_had_its_time(delivery, destination):
            if same.update(state=State.DEAD, last_error=str(failure)):
                tell(delivery.lead_id, "delivery_dead", destination.name, error=str(failure)[:200])
        else:
            pause = timedelta(seconds=delay(delivery.attempts, failure.after if isinstance(failure, RetryLater) else 0))
            same.update(state=State.RETRYING, due_at=timezone.now() + pause, last_error=str(failure))
        judge(destination, failure)


def has_had_its_time(delivery: Delivery, destination: Destination) -> bool:
    """Whether it was tried for three days, since it was owed or since a person last mended the destination, be it during this call."""
    mended = Destination.objects.values_list("resumed_at", flat=True).get(pk=destination.pk)
    return timezone.now() - max(filter(None, (delivery.owed_since, mended))) > WINDOW


def outcome(failure: DeliveryFailed | None) -> str:
    kinds = {RetryLater: "retry", Refused: "refused", Misconfigured: "misconfigured"}
    return "delivered" if failure is None else kinds[type(failure)]


def delay(attempts: int, after: float) -> float:
    """Seconds until the next try: full jitter under a doubling bound, never before what the other side asked for."""
    jitter = random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts, 20)))
    return after + random.uniform(0, FIRST_DELAY) if after and after > jitter else jitter


def judge(destination: Destination, failure: DeliveryFailed | None) -> None:
    """Keep the destination's breaker, and pause a misconfigured one.

    Five failures and more, and nothing but failures for half a minute, hold calls back for as long as it has failed already, so each wait is twice the
    one before, up to a quarter of an hour; then one call probes. Until then every delivery has its own first retries. An answer that says when to come back
    holds back every delivery until then, also when a call that was in flight beside it went through.
    """
    now, row = timezone.now(), Destination.objects.filter(pk=destination.pk)
    if failure is None or (isinstance(failure, Refused) and failure.answer.status):
        row.filter(failures_in_row__gt=0).update(failures_in_row=0, failing_since=None)
        if destination.closed_until:
            row.filter(closed_until=destination.closed_until).update(closed_until=None)
    elif isinstance(failure, Misconfigured):
        row.filter(state=Destination.State.ON).update(state=Destination.State.PAUSED, pause_reason=str(failure)[:300])
    elif isinstance(failure, RetryLater):
        row.update(failures_in_row=F("failures_in_row") + 1, failing_since=Coalesce(F("failing_since"), now))
        failed, since = row.values_list("failures_in_row", "failing_since")[0]
        if failed >= BREAKER_FROM and since and now - since >= BREAKER_FIRST:
            row.exclude(closed_until__gt=now).update(closed_until=now + min(BREAKER_LONGEST, now - since))
        if failure.after:
            row.update(closed_until=Greatest(F("closed_until"), Value(now + timedelta(seconds=failure.after))))


def tell(lead: UUID, kind: str, destination: str, **data: str) -> None:
    Activity.objects.create(lead_id=lead, kind=kind, data={"destination": destination, **data})


def replay(deliveries: "list[UUID]") -> int:
    """Make dead deliveries due again, with the same message id; returns how many. Locks their rows in (lead, destination) order."""
    now = timezone.now()
    with transaction.atomic():
        dead = Delivery.objects.dead().filter(pk__in=deliveries).order_by("lead_id", "destination_id").select_for_update()
        again = list(dead.values_list("pk", flat=True))
        return Delivery.objects.filter(pk__in=again).update(state=State.DUE, due_at=now, owed_since=now, attempts=0, lease_until=None)


AT_ONCE, MOST = 5_000, 20_000  # rows in one transaction, and in one request


def resume(destination: Destination) -> None:
    """A person mended the destination: deliver again, and try at once what waits for its next try, the soonest 20,000; the rest comes in its own time.

    Locks the destination alone, and then, each batch in a transaction of its own, waiting deliveries, skipping those others hold: whoever finishes a
    call holds its delivery before the destination.
    """
    now = timezone.now()
    mended = {"pause_reason": "", "failures_in_row": 0, "failing_since": None, "closed_until": None, "resumed_at": now}
    Destination.objects.filter(pk=destination.pk).update(state=Destination.State.ON, **mended)
    waiting = Delivery.objects.filter(destination=destination, state=State.RETRYING, due_at__gt=now).order_by("due_at")
    for _batch in range(MOST // AT_ONCE):
        with transaction.atomic():
            batch = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)[:AT_ONCE])
            Delivery.objects.filter(pk__in=batch).update(due_at=now)
        if len(batch) < AT_ONCE:
            break
