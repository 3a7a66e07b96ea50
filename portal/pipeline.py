"""The path of one lead, readable on one screen: what is pending is understood, what is stale is followed.

The endpoint (leads.door) has put the bytes into the archive. Everything after that is here, in this order, set by set; each step is the verb
of one app. A lead that any verb, page or import changes is stale, and takes the second half of this path again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2.errors
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils import timezone

from campaigns.enroll import enroll
from delivery.dispatch import dispatch
from insights.tally import tally, tally_demand
from leads.intake import intake
from leads.models import Lead
from leads.revise import revise
from routing.assign import assign
from scoring.score import score

log = logging.getLogger(__name__)
BATCH = 2_000
LATER = timedelta(minutes=10)
LOST_A_RACE = (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)
BUDGET = 60.0  # seconds; well below the time limit of a task, which would kill it in the middle of a batch


def run(seconds: float = BUDGET) -> dict[str, int]:
    """Take pending submissions and stale leads down the path until none is left or the time is up; returns how many of each. The rest stays due."""
    understood = followed = 0
    until = time.monotonic() + seconds
    while True:
        settled = intake()
        moved = follow()
        understood, followed = understood + settled, followed + moved
        if (not settled and not moved) or time.monotonic() > until:
            return {"understood": understood, "followed": followed, "demand": tally_demand()}


def follow(limit: int = BATCH) -> int:
    """Follow the leads that have been stale longest; returns how many. Locks them first, skipping those somebody else holds."""
    with transaction.atomic():
        stale = Lead.objects.stale(timezone.now()).select_for_update(skip_locked=True, no_key=True)
        leads = sorted(stale.values_list("pk", flat=True)[:limit])
        follow_all(leads)
    return len(leads)


def follow_all(leads: Sequence[UUID]) -> None:
    """Walk these locked leads; if one of them fails, halve until it is alone, note its error and try it again later."""
    if not leads:
        return
    try:
        with transaction.atomic():
            walk(leads)
    except SoftTimeLimitExceeded:  # the worker's time is over, whatever the leads
        raise
    except Exception as error:  # a rule that can't be compiled stops its leads, not the portal
        if isinstance(error.__cause__, LOST_A_RACE) and len(leads) == 1:
            return  # it stays stale and is taken again at once
        if connection.connection is None or connection.connection.closed:
            raise
        if len(leads) == 1:
            log.exception("lead %s could not be followed", leads[0])
            Lead.objects.filter(pk=leads[0]).update(follow_error=(str(error) or repr(error))[:1000], stale_since=timezone.now() + LATER)
            return
        middle = len(leads) // 2
        follow_all(leads[:middle])
        follow_all(leads[middle:])


def plainly(verb: Callable[[Sequence[UUID]], Any], leads: Sequence[UUID]) -> Any:
    return verb(leads)


def walk(leads: Sequence[UUID], step: Callable[..., Any] = plainly) -> None:
    """How good, whose, which campaign, who else must know, how many: the five answers, each resting on the ones before.

    `step` is how each is taken; a rehearsal takes the time as well.
    """
    step(score, leads)
    step(assign, leads)
    if again := step(enroll, leads):
        step(assign, again)
    revised = step(revise, leads)
    step(dispatch, revised)
    step(tally, leads)
