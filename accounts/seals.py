"""Proof that nobody rewrote the audit: every few minutes its new lines are closed by a seal, which hangs on the one before and on PORTAL_KEYS.

The trigger keeps everybody from changing lines through PostgreSQL. Whoever takes the trigger away, or edits a dump, breaks the chain, and
`manage.py check_audit` says where.
"""

import hmac
import logging
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from django.db.models import QuerySet
from django.utils import timezone

from accounts.crypto import keyed_digests
from accounts.ids import first_id
from accounts.locks import only_one
from accounts.models import AccessRecord, AuditSeal

log = logging.getLogger(__name__)
LOCK, MOST = 0xA0D17, 20_000
SETTLED = timedelta(minutes=5)  # lines get their id before they are committed; so long no request lasts
COLUMNS = ("pk", "user_id", "kind", "subject", "address")  # and the moment and the count, which are written out


def unsealed() -> QuerySet[AccessRecord]:
    """The lines that are old enough to be closed, oldest first."""
    last = AuditSeal.objects.order_by("-pk").first()
    lines = AccessRecord.objects.filter(pk__lt=first_id(timezone.now() - SETTLED)).order_by("pk")
    return lines.filter(pk__gt=last.last) if last else lines


def seal() -> int:
    """Close the lines that are not closed yet, 20,000 a seal; returns how many. One session at a time; locks no row."""
    closed = 0
    with only_one(LOCK) as is_ours:
        while is_ours and (lines := list(unsealed()[:MOST])):
            before = AuditSeal.objects.order_by("-pk").first()
            made = AuditSeal.objects.create(last=lines[-1].pk, count=len(lines), digest=keyed_digests(text_of(before, lines))[0])
            # In the log as well, which other people keep: that is what an audit that was cut off at its end is found by.
            log.info("audit sealed up to %s: %d lines, %s", made.last, made.count, bytes(made.digest).hex())
            closed += len(lines)
    return closed


def text_of(before: AuditSeal | None, lines: list[AccessRecord]) -> str:
    """What a seal is the keyed hash of: the seal before, and every column of every line."""
    told = sha256(bytes(before.digest) if before else b"")
    for line in lines:
        told.update("\x1f".join(str(getattr(line, name)) for name in COLUMNS).encode())
        many = f"\x1f{line.count}" if line.count != 1 else ""
        told.update(f"\x1f{line.at.timestamp():.6f}{many}\x1e".encode())
    return told.hexdigest()


def broken() -> Iterator[str]:
    """Every seal that does not hold, in a sentence; a key that is no longer in PORTAL_KEYS breaks those it made."""
    before: AuditSeal | None = None
    for one in AuditSeal.objects.order_by("pk").iterator():
        lines = AccessRecord.objects.filter(pk__lte=one.last).order_by("pk")
        found = list(lines.filter(pk__gt=before.last) if before else lines)
        if len(found) != one.count:
            yield f"seal {one.pk} of {one.at:%Y-%m-%d %H:%M}: {one.count} lines were closed, {len(found)} are there"
        elif not any(hmac.compare_digest(bytes(one.digest), digest) for digest in keyed_digests(text_of(before, found))):
            yield f"seal {one.pk} of {one.at:%Y-%m-%d %H:%M}: its lines, or the seal before, are not what they were"
        before = one
