"""Strict reading of the environment: an odd value stops the start with a sentence instead of being guessed at."""

import os

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """`1` or `0`; anything else is refused."""
    value = text(name, "1" if default else "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes 0 or 1.")
    return value == "1"


def number(name: str, default: int, lowest: int, highest: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not lowest <= int(value) <= highest:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes a whole number from {lowest} to {highest}.")
    return int(value)


def words(name: str) -> list[str]:
    """A comma-separated list, without empty entries."""
    return [word.strip() for word in text(name).split(",") if word.strip()]
