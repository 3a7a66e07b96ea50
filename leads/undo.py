"""Taking back the last change of status: what the leads were before waits in the session of whoever changed them."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import who
from leads.bulk import KEPT, put_back
from leads.models import Lead

KEY, MOST = "undo", 1_000


def offer(request: HttpRequest, status: str, before: Sequence[dict[str, Any]]) -> str:
    """Remember what the leads were; returns the tag that puts Undo into the message. Of very many leads nothing is remembered."""
    if len(before) > MOST:
        return ""
    batch = secrets.token_urlsafe(9)
    rows = [[str(row["pk"]), *(str(row[column]) if row[column] else None for column in KEPT)] for row in before]
    request.session[KEY] = {"batch": batch, "status": status, "rows": rows}
    return "undo:" + reverse("leads:undo", args=[batch])


def undo(request: HttpRequest, batch: str) -> int | None:
    """Put back the remembered batch, once; returns how many leads, or nothing when it is not the one remembered."""
    kept = request.session.get(KEY)
    if not kept or kept["batch"] != batch:
        return None
    del request.session[KEY]
    rows = [{"pk": pk, "status": status, **moments(rest)} for pk, status, *rest in kept["rows"]]
    user = who(request)
    return put_back(Lead.objects.visible_to(user), kept["status"], rows, by=user)


def moments(texts: Sequence[str | None]) -> dict[str, Any]:
    return {column: parse_datetime(text) if text else None for column, text in zip(KEPT[1:], texts, strict=True)}


def is_ours(request: HttpRequest) -> bool:
    """Whether the page that the request came from is one of ours, to go back to."""
    return url_has_allowed_host_and_scheme(request.META.get("HTTP_REFERER"), {request.get_host()}, request.is_secure())
