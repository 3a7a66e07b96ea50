"""All periodic work, one list. The sweeper of every worker and `manage.py run_due` go through it, and beat asks for the same by name, at longer
intervals of its own (settings.BEAT); each verb is safe to run twice, at once, or late.

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
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from accounts.alarms import excesses, raise_alarms
from accounts.models import Pace
from accounts.seals import seal, unsealed
from campaigns.advance import advance
from campaigns.carry_out import carry_out_all
from campaigns.models import Campaign, Enrollment, Message, Notice
from campaigns.notices import send_notices
from campaigns.send import LOST_AFTER, find_uncertain
from campaigns.send import send as send_mail
from campaigns.splits import decide as decide_splits
from campaigns.splits import undecided
from campaigns.sweep import sweep as sweep_campaigns
from delivery.models import Destination
from delivery.send import send as send_deliveries
from insights.tally import recount
from leads.models import Demand, Lead, Submission
from leads.partitions import keep_months_ahead, months_are_missing
from listings.models import Publisher
from portal import pipeline
from routing.seats import fill_seats
from routing.seats import wanted as seats_wanted
from scoring.score import decay, rescore

log = logging.getLogger(__name__)
PAUSE = 1.0  # seconds between two looks of a sweeper
PATIENCE = 5.0  # seconds that nudged leads may wait for the pool


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: what it is called, what does it, how often it is worth a look, and whether anything is due now."""

    name: str
    verb: Callable[[], Any]
    every: timedelta
    due: Callable[[], bool]
    is_urgent: bool = False


def leads_due() -> bool:
    return Submission.objects.pending().exists() or Lead.objects.stale(timezone.now()).exists() or Demand.objects.filter(counted=False).exists()


def enrollments_due() -> bool:
    return Enrollment.objects.due(timezone.now()).exists()


def mail_due() -> bool:
    return Message.objects.due(timezone.now()).sendable().exists()


def deliveries_due() -> bool:
    return Destination.objects.with_due(timezone.now()).exists()


WORK = (
    Work("leads", pipeline.run, timedelta(seconds=1), leads_due, is_urgent=True),
    Work("deliveries", send_deliveries, timedelta(seconds=1), deliveries_due),
    Work("campaigns", advance, timedelta(seconds=5), enrollments_due),
    Work("states", carry_out_all, timedelta(seconds=5), lambda: Campaign.objects.filter(said_at__isnull=False).exists()),
    Work("mail", send_mail, timedelta(seconds=5), mail_due),
    Work("notices", send_notices, timedelta(seconds=15), lambda: Notice.objects.due(timezone.now()).exists()),
    Work("uncertain_mail", find_uncertain, timedelta(seconds=15), lambda: Message.objects.filter(state="sending", claimed_at__lt=timezone.now() - LOST_AFTER).exists()),
    Work("segments", sweep_campaigns, timedelta(seconds=15), lambda: Campaign.objects.unswept(timezone.now()).exists()),
    Work("splits", decide_splits, timedelta(minutes=10), lambda: bool(undecided(timezone.now()))),
    Work("rescore", rescore, timedelta(seconds=5), lambda: Publisher.objects.filter(rescore_asked_at__isnull=False).exists()),
    Work("recount", recount, timedelta(seconds=5), lambda: Publisher.objects.filter(recount_asked_at__isnull=False).exists()),
    Work("decay", decay, timedelta(minutes=1), lambda: Lead.objects.filter(rescore_at__lte=timezone.now()).exists()),
    Work("seats", fill_seats, timedelta(seconds=15), seats_wanted),
    Work("alarms", raise_alarms, timedelta(minutes=1), lambda: any(excesses())),
    Work("seals", seal, timedelta(minutes=5), lambda: unsealed().exists()),
    Work("paces", lambda: Pace.forgotten().delete(), timedelta(hours=1), lambda: Pace.forgotten().exists()),
    Work("months", keep_months_ahead, timedelta(hours=6), months_are_missing),
)  # fmt: skip
BY_NAME = {work.name: work for work in WORK}


def run_due() -> dict[str, int]:
    """Do all that is due now, in this process, until nothing is; returns how often each verb ran."""
    ran = dict.fromkeys(BY_NAME, 0)
    while todo := [work for work in WORK if work.due()]:
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
    """One look at everything whose time has come: nudge when the broker answers, else do the work here.

    Leads are also done here when they still wait after several nudges: then every process of the pool is busy with something else, or consumes nothing.
    """
    nudging = broker_answers()
    for work in WORK:
        if time.monotonic() - seen.get(work.name, -1e9) < work.every.total_seconds():
            continue
        seen[work.name] = time.monotonic()
        try:
            since = seen.setdefault(f"{work.name} wait", time.monotonic())
            if not work.due():
                seen.pop(f"{work.name} wait")
            elif not (nudging and nudge(work.name)) or (work.is_urgent and time.monotonic() - since > PATIENCE):
                work.verb()
                seen.pop(f"{work.name} wait")  # what waits from here on came later
        except Exception as error:  # one kind of work in trouble must not hold up the others
            if isinstance(error, (OperationalError, InterfaceError)) and is_cut_off():
                raise  # nothing else can be looked at either
            log.exception("%s failed", work.name)
            connection.close_if_unusable_or_obsolete()


def is_cut_off() -> bool:
    """Whether the database went away; two that waited for each other, or one that waited too long, fail with the same error."""
    return connection.connection is None or bool(connection.connection.closed)


def sweep_forever(ended: threading.Event) -> None:
    """Look for due work until told to end. A failing round is logged, an outage of the database once, and the next one comes: the sweeper must not die."""
    seen: dict[str, float] = {}
    is_away = False
    while not ended.wait(PAUSE):
        close_old_connections()
        try:
            sweep(seen)
            is_away = False
        except (OperationalError, InterfaceError) as error:
            if not is_away:
                log.error("the database can't be used: %s", str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
            is_away = True
            connection.close()
        except Exception:
            log.exception("a sweep failed")
            connection.close()
