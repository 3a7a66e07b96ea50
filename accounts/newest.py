"""A list whose ids are time-ordered, the newest first: its next page begins below the last id of the one before, however deep it lies."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Newest(Generic[Row]):
    """Some rows, and the ways to older ones and back to the newest."""

    rows: list[Row]
    older_url: str
    newest_url: str


def newest(rows: QuerySet[Row], asked: Mapping[str, str]) -> Newest[Row]:
    """The rows that `asked` (the query of the address) speaks of; a mark that can't be read is the first page."""
    kept: dict[str, Any] = {name: value for name, value in asked.items() if name != "before" and value}
    before = read(asked.get("before", ""))
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: SIZE + 1])
    older = "?" + urlencode({**kept, "before": found[SIZE - 1].pk}) if len(found) > SIZE else ""
    return Newest(found[:SIZE], older, ("?" + urlencode(kept)) if before else "")


def read(mark: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(mark)
    except ValueError:
        return None
