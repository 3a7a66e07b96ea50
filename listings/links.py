"""Addresses of pages in apps that this one does not import: by name."""

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.urls import get_script_prefix, get_urlconf, reverse


def page(name: str, *args: Any, **query: Any) -> str:
    """The address of a page with a query; empty values are left out of it. A trailing underscore frees a Python keyword: from_=…"""
    address = _address(name, args, get_urlconf(), get_script_prefix())
    asked = {key.rstrip("_"): value for key, value in query.items() if value not in ("", None)}
    return f"{address}?{urlencode(asked)}" if asked else address


# A table of figures links from every cell to the same few pages.
@lru_cache(2_000)
def _address(name: str, args: tuple[Any, ...], urlconf: str | None, prefix: str) -> str:
    return reverse(name, args=args)
