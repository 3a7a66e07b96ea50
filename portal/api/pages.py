"""Lists are cursor pages: a page costs the same wherever it is."""

from typing import Any

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Ids are time-ordered, so the newest come first."""

    ordering: Any = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ByName(NewestFirst):
    ordering = "slug"


class ReceivedLast(NewestFirst):
    ordering = ("-received_at", "-id")
