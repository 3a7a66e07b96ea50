"""Step 3 of a lead's path: pending submissions become interactions, leads, contacts and companies; the rest gets its disposition and reason.

One drain at a time per installation, by an advisory lock: measured faster than parallel drains, and free of deadlocks. Attempts are committed before
anything is parsed, so that a row which kills its worker stands alone on the third try. A batch that fails is halved until the offending row is alone.
"""

import contextlib
import gc
import logging
from collections.abc import Iterator
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from accounts.locks import only_one
from leads import reasons
from leads.models import Disposition, Submission
from leads.reading import read
from leads.understand import understand

log = logging.getLogger(__name__)
LOCK = 0x1EAD
BATCH = 2_000
BYTES = 4 * 1024 * 1024  # of bodies in a batch: parsed they take many times as much memory
# The server went away, two waited for each other, the disk is full, the worker's time is over.
NOT_THE_ROWS = (OperationalError, SoftTimeLimitExceeded)
PROGRAM_LIMIT = "54"  # the class of PostgreSQL's errors for what is too long or too deep
ALONE_AFTER = 2  # a row that was begun this often and never settled is taken by itself
GIVE_UP_AFTER = 5  # and after this often not taken at all: three times by itself, which no worker that is killed for other reasons makes likely


def intake(limit: int = BATCH, only: UUID | None = None) -> int:
    """Understand up to `limit` pending submissions, oldest first, or the one of this id; returns how many were settled. Zero when another session drains."""
    with only_one(LOCK) as is_ours:
        if not is_ours:
            return 0
        batch = begin(limit, only)
        try:
            with collecting_later():
                settle(batch)
        except (*NOT_THE_ROWS, InterfaceError):
            forgive(batch)
            raise
        return len(batch)


@contextlib.contextmanager
def collecting_later() -> Iterator[None]:
    """A batch makes a million objects that are soon gone, and hardly a cycle: to look for cycles among them took a twentieth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def begin(limit: int, only: UUID | None = None) -> list[Submission]:
    """Count an attempt on the oldest pending submissions and commit it, before any of their bytes is looked at.

    Not more than 4 MB of them, but one at least. A suspect, begun before and never settled, is taken alone, so that its neighbours are not punished for what it does.
    """
    suspects = Submission.objects.pending().filter(attempts__gte=ALONE_AFTER).order_by("attempts", "id")
    lonely = only or suspects.values_list("pk", flat=True).first()
    with transaction.atomic():
        batch = list(Submission.objects.raw(BEGIN, {"lonely": lonely, "limit": limit, "bytes": BYTES}))
    return sorted(batch, key=lambda row: row.pk)


BEGIN = """
    UPDATE leads_submission s SET attempts = s.attempts + 1
    FROM (
        SELECT id, size, sum(size) OVER (ORDER BY id) AS up_to FROM (
            SELECT id, coalesce(octet_length(repair), size) AS size FROM leads_submission
            WHERE disposition = 'pending' AND (%(lonely)s::uuid IS NULL OR id = %(lonely)s::uuid) ORDER BY id LIMIT %(limit)s
        ) waiting
    ) p
    WHERE s.id = p.id AND p.up_to - p.size < %(bytes)s AND s.disposition = 'pending'
    RETURNING s.id, s.received_at, s.listing_id, s.content_type, s.body, s.repair, s.attempts, s.is_brought
"""


def settle(batch: list[Submission]) -> None:
    """Give every submission of the batch its disposition; on an error halve the batch until the one at fault is alone, and quarantine that."""
    if not batch:
        return None
    if len(batch) == 1 and batch[0].attempts > GIVE_UP_AFTER:
        return quarantine(batch[0], reasons.FATAL)
    try:
        with transaction.atomic():
            understand([read(row) for row in batch])
    except Exception as error:
        if is_not_the_rows(error):
            raise
        if connection.connection is None or connection.connection.closed:
            raise
        if len(batch) == 1:
            log.warning("submission %s quarantined: %s", batch[0].pk, type(error).__name__)
            return quarantine(batch[0], f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}")
        middle = len(batch) // 2
        settle(batch[:middle])
        settle(batch[middle:])


def is_not_the_rows(error: Exception) -> bool:
    """Whether it would have failed with any rows. What is too much for a statement is an OperationalError too, and a row's own."""
    code = getattr(error.__cause__, "pgcode", None) or ""
    return isinstance(error, NOT_THE_ROWS) and not code.startswith(PROGRAM_LIMIT)


def forgive(batch: list[Submission]) -> None:
    """Take back the attempt that was counted, for those that were not settled: it is not the rows that failed. On a new connection when this one broke."""
    if connection.connection is not None and connection.connection.closed:
        connection.close()  # the next statement opens another
    with contextlib.suppress(Error):
        Submission.objects.pending().filter(pk__in=[row.pk for row in batch], attempts__gt=0).update(attempts=F("attempts") - 1)


def quarantine(submission: Submission, reason: str) -> None:
    Submission.objects.filter(pk=submission.pk).update(disposition=Disposition.QUARANTINED, reason=reason)


def rerun(submission: Submission, repair: bytes | None = None) -> None:
    """Take up again what was not read, was discarded, or taken for a test. Repaired bytes are kept beside the archived ones, which stay as they came."""
    Submission.objects.repairable().filter(pk=submission.pk).update(
        disposition=Disposition.PENDING, reason="", attempts=0, **({} if repair is None else {"repair": repair})
    )


def discard(submission: Submission, by: str) -> bool:
    """Take a submission out of quarantine that is no lead; the bytes stay in the archive. Returns whether it was there."""
    rows = Submission.objects.quarantined().filter(pk=submission.pk)
    return bool(rows.update(disposition=Disposition.REFUSED, reason=reasons.DISCARDED % {"name": by}))
