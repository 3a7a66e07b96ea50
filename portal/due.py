"""All periodic work, one list. The sweeper of every worker, beat and `manage.py run_due` share it; each verb is safe to run twice, at once, or late.

`due` says in one cheap look whether there is something to do, so that a quiet portal stays quiet.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from campaigns.advance import advance
from campaigns.models import Enrollment, Message
from campaigns.send import LOST_AFTER, find_uncertain
from campaigns.send import send as send_mail
from delivery.models import Destination
from delivery.send import send as send_deliveries
from leads.models import Demand, Lead, Submission
from leads.partitions import keep_months_ahead
from portal import pipeline
from scoring.score import decay

log = logging.getLogger(__name__)
PAUSE = 1.0  # seconds between two looks of a sweeper


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: what it is called, what does it, how often it is worth a look, and whether anything is due now."""

    name: str
    verb: Callable[[], Any]
    every: timedelta
    due: Callable[[], bool]


def leads_due() -> bool:
    return Submission.objects.pending().exists() or Lead.objects.stale(timezone.now()).exists() or Demand.objects.filter(counted=False).exists()


def enrollments_due() -> bool:
    return Enrollment.objects.due(timezone.now()).exists()


def mail_due() -> bool:
    return Message.objects.due(timezone.now()).exists()


def deliveries_due() -> bool:
    return Destination.objects.with_due(timezone.now()).exists()


WORK = (
    Work("leads", pipeline.run, timedelta(seconds=1), leads_due),
    Work("deliveries", send_deliveries, timedelta(seconds=1), deliveries_due),
    Work("campaigns", advance, timedelta(seconds=5), enrollments_due),
    Work("mail", send_mail, timedelta(seconds=5), mail_due),
    Work("uncertain_mail", find_uncertain, timedelta(seconds=15), lambda: Message.objects.filter(state="sending", claimed_at__lt=timezone.now() - LOST_AFTER).exists()),
    Work("decay", decay, timedelta(minutes=1), lambda: Lead.objects.filter(rescore_at__lte=timezone.now()).exists()),
    Work("months", keep_months_ahead, timedelta(hours=6), lambda: True),
)  # fmt: skip
BY_NAME = {work.name: work for work in WORK}


def run_due() -> dict[str, int]:
    """Do all that is due now, in this process, until nothing is; returns how often each verb ran."""
    ran = dict.fromkeys(BY_NAME, 0)
    while todo := [work for work in WORK if work.due() and (work.name != "months" or not ran["months"])]:
        for work in todo:
            work.verb()
            ran[work.name] += 1
        if max(ran.values()) > 1_000:
            break
    return ran


def nudge(name: str = "leads") -> bool:
    """Ask the workers to look at this kind of work now; false when the broker can't be reached, which costs one sweep of time and nothing else."""
    from portal.tasks import run

    if not settings.REDIS_URL:
        return False
    try:
        run.apply_async(args=(name,), retry=False, expires=60)
    except Exception:
        return False
    return True


_nudged = [0.0]
NUDGE_GRAIN = 0.5  # seconds


def nudge_leads() -> None:
    """After a submission: at most two nudges a second and process, from a thread, so that a slow broker can't delay an answer."""
    if settings.REDIS_URL and time.monotonic() - _nudged[0] > NUDGE_GRAIN:
        _nudged[0] = time.monotonic()
        threading.Thread(target=nudge, daemon=True).start()


def broker_answers() -> bool:
    """Whether the broker takes messages right now."""
    if not settings.REDIS_URL:
        return False
    try:
        return bool(redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2).ping())
    except redis.RedisError:
        return False


def sweep(seen: dict[str, float]) -> None:
    """One look at everything whose time has come: nudge when the broker answers, else do the work here."""
    nudging = broker_answers()
    for work in WORK:
        if time.monotonic() - seen.get(work.name, -1e9) < work.every.total_seconds():
            continue
        seen[work.name] = time.monotonic()
        try:
            if work.due() and not (nudging and nudge(work.name)):
                work.verb()
        except Exception:  # one kind of work in trouble must not hold up the others
            log.exception("%s failed", work.name)
            connection.close_if_unusable_or_obsolete()


def sweep_forever(ended: threading.Event) -> None:
    """Look for due work until told to end. A failing round is logged and the next one comes: the sweeper itself must not die."""
    seen: dict[str, float] = {}
    while not ended.wait(PAUSE):
        close_old_connections()
        try:
            sweep(seen)
        except Exception:
            log.exception("a sweep failed")
            connection.close()
