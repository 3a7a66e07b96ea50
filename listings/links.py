"""Addresses of pages in apps that this one does not import: by name, and nothing where there is no such page."""

from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse


def page(name: str, *args: Any, **query: Any) -> str:
    """The address of a page with a query; empty values are left out of it. A trailing underscore frees a Python keyword: from_=…"""
    try:
        address = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    asked = {key.rstrip("_"): value for key, value in query.items() if value not in ("", None)}
    return f"{address}?{urlencode(asked)}" if asked else address
