"""Lists are cursor pages: a page costs the same wherever it is."""

import re
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from leads import keyset

BEYOND_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


class NewestFirst(CursorPagination):
    """Ids are time-ordered, so the newest come first."""

    ordering: Any = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        if BEYOND_BASE64.search(request.query_params.get("cursor", "")):
            raise ValidationError({"cursor": "No page begins there."})
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, DjangoValidationError, ValueError):
            raise ValidationError({"cursor": "No page begins there."}) from None


class ByName(NewestFirst):
    ordering = "slug"


class ReceivedLast(NewestFirst):
    """By the moment received, then by id: an import receives thousands in one moment, which a single column could not tell apart."""

    column = "received_at"
    rows: list[Any]
    leads_on: tuple[bool, bool]  # (back, forward)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request, size = request, self.get_page_size(request) or NewestFirst.page_size
        way, _, mark = request.query_params.get("cursor", "").partition(".")
        start, back = keyset.read(queryset.model, self.column, mark), way == "before"
        if (way or mark) and (start is None or way not in ("before", "after")):
            raise ValidationError({"cursor": "No page begins there."})
        found = keyset.fetch(queryset, self.column, start, back, size + 1)
        more, self.rows = len(found) > size, found[:size]
        if back:
            self.rows.reverse()
        self.leads_on = (more, True) if back else (start is not None, more)
        return self.rows

    def get_next_link(self) -> str | None:
        return self.link("after", self.rows[-1]) if self.rows and self.leads_on[1] else None

    def get_previous_link(self) -> str | None:
        return self.link("before", self.rows[0]) if self.rows and self.leads_on[0] else None

    def link(self, way: str, row: Any) -> str:
        mark = keyset.write(getattr(row, self.column), row.pk)
        return replace_query_param(self.request.build_absolute_uri(), "cursor", f"{way}.{mark}")
