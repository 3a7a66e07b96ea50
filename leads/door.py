"""Step 1 of a lead's path: the marketplace POSTs to a listing's secret URL, and the bytes are in the archive before it hears 202 (P1, P2).

A middleware, and the first: everything between the socket and the one INSERT costs a lead its chance when the machine is busy. What is no POST
with a right secret goes on like any other request, so that a wrong secret meets the same 404 as every other address that does not exist.
The secret is never logged: nothing here writes the path, and failures carry none.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from accounts.ids import uuid7
from leads import reasons
from listings.models import LeadUrl

log = logging.getLogger(__name__)
PATH: Final = re.compile(r"^/in/([^/]{1,200})/?$")
DROPPED, PATIENCE = 32 * 1024 * 1024, 5.0  # bytes and seconds that are spent on a body which is too large
# One statement: look the secret up and keep the bytes; no row means that there is no such secret.
KEEP: Final = """
    INSERT INTO leads_submission (id, received_at, listing_id, content_type, size, sha256, body, disposition, reason, attempts)
    SELECT %s, now(), u.listing_id, %s, %s, %s, %s, %s, %s, 0 FROM listings_leadurl u
    WHERE u.digest = %s AND (u.ends_at IS NULL OR u.ends_at > now())
    ON CONFLICT (id) DO UPDATE SET attempts = leads_submission.attempts RETURNING id
"""


class LeadDoor:
    """Answers POST /in/<secret> by itself; passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.nudge: Callable[[], None] | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = PATH.match(request.path_info) if request.method == "POST" else None
        answer = self.receive(request, LeadUrl.digest_of(match[1])) if match else None
        return answer if answer is not None else self.get_response(request)

    def receive(self, request: HttpRequest, digest: bytes) -> HttpResponseBase | None:
        """202 once the bytes are committed, 413 when they are too many, 503 when the database can't be reached, none when the secret is unknown."""
        try:
            body, size = read(request)
        except Exception:
            return HttpResponse(status=400)  # the sender hung up or sent broken chunks; nothing came whole
        cut_off = body is not None and len(body) < announced(request)
        kept = keep(
            digest, body, size, request.headers.get("Content-Type", ""), reasons.CUT_OFF % {"n": size, "whole": announced(request)} if cut_off else ""
        )
        if kept is None or isinstance(kept, HttpResponseBase):
            return kept
        if body is None:
            return in_one_piece(JsonResponse({"detail": f"More than {settings.LEAD_MAX_BYTES} bytes."}, status=413))
        if cut_off:
            return in_one_piece(JsonResponse({"detail": "The body ended early."}, status=400))
        self.tell()
        return in_one_piece(JsonResponse({"id": kept}, status=202))

    def tell(self) -> None:
        """Best effort, after the commit: wake a worker. A sweeper finds the row without it."""
        with suppress(Exception):
            if self.nudge is None:
                from django.utils.module_loading import import_string

                self.nudge = import_string(settings.NUDGE)
            self.nudge()


def in_one_piece(answer: HttpResponse) -> HttpResponse:
    """With its length said, which the middlewares that are skipped would do: else it leaves in three chunks."""
    answer["Content-Length"] = str(len(answer.content))
    return answer


def announced(request: HttpRequest) -> int:
    """The Content-Length; 0 when there is none."""
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said) if said.isdecimal() else 0


def read(request: HttpRequest) -> tuple[bytes | None, int]:
    """(bytes, size) of the body, at most one byte over the limit; no bytes when it is longer, then size is what was announced or seen."""
    limit = settings.LEAD_MAX_BYTES
    stream: Any = request.META["wsgi.input"] if request.META.get("HTTP_TRANSFER_ENCODING") else request
    body = b"" if announced(request) > limit else stream.read(limit + 1)
    if max(announced(request), len(body)) <= limit:
        return body, len(body)
    drop(stream)
    return None, min(max(announced(request), len(body)), 2**31 - 1)


def drop(stream: Any) -> None:
    """Read what is too much and forget it: a sender that is answered in the middle of its body sees a broken line, not the answer. Bounded in both ways."""
    left, until = DROPPED, time.monotonic() + PATIENCE
    while left > 0 and time.monotonic() < until and (chunk := stream.read(min(left, 65_536))):
        left -= len(chunk)


def keep(digest: bytes, body: bytes | None, size: int, content_type: str, odd: str = "") -> str | HttpResponseBase | None:
    """Commit one submission; returns its id, none for an unknown secret, or the 503 that says nothing was kept. An `odd` one waits in quarantine.

    A connection that the server has dropped is found out by the INSERT itself, which is repeated once on a new one under the same id: whether the
    first had come through or not, there is one row. A second failure has an unknown outcome and is answered 503: better told twice than lost.
    """
    pk = str(uuid7())
    disposition, reason = ("quarantined" if odd else "pending", odd)
    if body is None:
        disposition, reason = "refused", reasons.TOO_LONG % {"n": size, "limit": settings.LEAD_MAX_BYTES}
    sha256 = hashlib.sha256(body).digest() if body is not None else None
    values = [pk, content_type.replace("\x00", "")[:200], size, sha256, body, disposition, reason, digest]
    for _ in range(2):
        try:
            return pk if insert(values) else None
        except DatabaseError as error:
            log.error("a submission could not be kept: %s", type(error).__name__)
            connection.close()
    return HttpResponse(status=503, headers={"Retry-After": "5"})


def insert(values: list[Any]) -> bool:
    """Run KEEP in a transaction of its own; false when no lead URL has that digest. Skips Django's SELECT 1 per request, which would double the cost."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        return cursor.fetchone() is not None
