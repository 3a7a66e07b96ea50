"""Step 1 of a lead's path: the marketplace POSTs to a listing's secret URL, and the bytes are in the archive before it hears 202 (P1, P2).

It stands before Django, since everything between the socket and the one INSERT costs a lead its chance when the machine is busy. What is no POST
with a right secret goes on like any other request, so that a wrong secret meets the same 404 as every other address that does not exist.
The secret is never logged: nothing here writes the path, and failures carry none.
"""

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.module_loading import import_string

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
Environ = dict[str, Any]
ENDED_EARLY: Final = "portal.ended_early"  # in the environment of what did not come whole
SEEN: Final = "portal.seen_by_the_door"  # in the environment of what the door let pass


class Answer(NamedTuple):
    """What the sender hears."""

    status: HTTPStatus
    said: dict[str, str]
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        return json.dumps(self.said).encode()


class Door:
    """The WSGI application in front of the portal's own: answers POST /in/<secret>, passes everything else on."""

    def __init__(self, portal: Callable[..., Iterable[bytes]]) -> None:
        self.portal = portal

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = receive(environ)
        if answer is None:
            return self.portal({**environ, SEEN: True}, start_response)
        length = ("Content-Length", str(len(answer.body)))
        start_response(f"{answer.status.value} {answer.status.phrase}", [("Content-Type", "application/json"), length, *answer.headers])
        return [answer.body]


class LeadDoor:
    """The same as a middleware, for servers that know only Django: the test client and runserver."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = None if SEEN in request.META else receive(request.META)
        if answer is None:
            return self.get_response(request)
        return HttpResponse(answer.body, content_type="application/json", status=answer.status, headers=dict(answer.headers))


def receive(environ: Environ) -> Answer | None:
    """202 once the bytes are committed, 413 when they are too many, 400 when they did not come whole, 503 when the database can't be reached.

    None for what is no POST to a lead URL that exists.
    """
    match = PATH.match(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
    if match is None:
        return None
    try:
        body, size = read(environ)
    except Exception:
        return Answer(HTTPStatus.BAD_REQUEST, {"detail": "The body can't be read."})  # the sender hung up, or its chunks are broken
    odd = "" if body is None else cut_off(environ, size)
    kept = keep(LeadUrl.digest_of(match[1]), body, size, environ.get("CONTENT_TYPE", ""), odd)
    if kept is None or isinstance(kept, Answer):
        return kept
    if body is None:
        return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"detail": f"More than {settings.LEAD_MAX_BYTES} bytes."})
    if odd:
        return Answer(HTTPStatus.BAD_REQUEST, {"detail": "The body ended early."})
    nudge()
    return Answer(HTTPStatus.ACCEPTED, {"id": kept})


def cut_off(environ: Environ, size: int) -> str:
    """Why a body is not whole: shorter than announced, or the line broke off between its chunks. Empty when it is."""
    if size < (whole := announced(environ)):
        return reasons.CUT_OFF % {"n": size, "whole": whole}
    return reasons.CUT_OFF_SOMEWHERE % {"n": size} if environ.get(ENDED_EARLY) else ""


def nudge() -> None:
    """Best effort, after the commit: wake a worker. A sweeper finds the row without it."""
    with suppress(Exception):
        import_string(settings.NUDGE)()


def announced(environ: Environ) -> int:
    """The Content-Length; 0 when there is none."""
    said = environ.get("CONTENT_LENGTH") or ""
    return int(said) if said.isdecimal() else 0


def read(environ: Environ) -> tuple[bytes | None, int]:
    """(bytes, size) of the body, at most one byte over the limit; no bytes when it is longer, then size is what was announced or seen."""
    limit, length, stream = settings.LEAD_MAX_BYTES, announced(environ), environ["wsgi.input"]
    if length <= limit:
        body = stream.read(limit + 1 if environ.get("HTTP_TRANSFER_ENCODING") else length)
        if len(body) <= limit:
            return body, len(body)
        length = len(body)
    drop(stream, min(DROPPED, announced(environ) or DROPPED))
    return None, min(length, 2**31 - 1)


def drop(stream: Any, left: int) -> None:
    """Read what is too much and forget it: a sender that is answered in the middle of its body sees a broken line, not the answer. Bounded in both ways."""
    until = time.monotonic() + PATIENCE
    while left > 0 and time.monotonic() < until and (chunk := stream.read(min(left, 65_536))):
        left -= len(chunk)


def keep(digest: bytes, body: bytes | None, size: int, content_type: str, odd: str = "") -> str | Answer | None:
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
        except Error as error:  # InterfaceError, of a connection that somebody else found dead, is no DatabaseError
            log.error("a submission could not be kept: %s", type(error).__name__)
            connection.close()
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, {"detail": "Nothing was kept; send it again."}, (("Retry-After", "5"),))


def insert(values: list[Any]) -> bool:
    """Run KEEP in a transaction of its own; false when no lead URL has that digest. Skips Django's SELECT 1 per request, which would double the cost."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        return cursor.fetchone() is not None
