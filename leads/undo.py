"""Taking back what was last done to several leads at once: what they were before waits in the session of whoever did it, the last of each kind."""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

MOST = 1_000
Before = list[dict[str, Any]]


def offer(request: HttpRequest, address: str, done: Any, before: Sequence[dict[str, Any]]) -> str:
    """Remember what was `done` and what the leads were; returns the tag that puts Undo, which is at `address`, into the message. Of none and of very many
    nothing is remembered."""
    if not 0 < len(before) <= MOST:
        return ""
    batch = secrets.token_urlsafe(9)
    request.session[key(address)] = {"batch": batch, "done": done, "before": json.dumps(list(before), default=plain)}
    return "undo:" + reverse(address, args=[batch])


def taken(request: HttpRequest, address: str, batch: str) -> tuple[Any, Before] | None:
    """(what was done, what the leads were) of the remembered batch, once; nothing when it is not the one remembered. Moments are text, as they were kept."""
    kept = request.session.get(key(address))
    if not kept or kept["batch"] != batch:
        return None
    del request.session[key(address)]
    return kept["done"], json.loads(kept["before"])


def key(address: str) -> str:
    return f"undo {address}"


def plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def is_ours(request: HttpRequest) -> bool:
    """Whether the page that the request came from is one of ours, to go back to."""
    return url_has_allowed_host_and_scheme(request.META.get("HTTP_REFERER"), {request.get_host()}, request.is_secure())
