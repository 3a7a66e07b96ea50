"""Figures that take long to count are kept for a little while; the others are counted at every look, so a small portal is always live."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from django.core.cache import cache

Figures = TypeVar("Figures")
LONG = 0.03  # seconds: what takes less is not kept
KEPT_FOR, LONGEST = 300, 60.0  # times as long as counting took, at most so many seconds


def remembered(key: str, counted: Callable[[], Figures]) -> Figures:
    """What `counted` returns, now or a little while ago. Costs one look into the cache."""
    kept: Figures | None = cache.get(name(key))
    if kept is not None:
        return kept
    began = time.monotonic()
    figures = counted()
    took = time.monotonic() - began
    if took > LONG:
        cache.set(name(key), figures, min(LONGEST, took * KEPT_FOR))
    return figures


def forget(key: str) -> None:
    """A person just changed what these figures are about."""
    cache.delete(name(key))


def name(key: str) -> str:
    return "remembered-" + (key.replace(" ", "-") if len(key) < 150 else sha256(key.encode()).hexdigest())
