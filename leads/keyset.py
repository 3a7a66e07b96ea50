"""Pages of a list by key: a page begins after the last row of the one before, so a deep page costs what the first does.

The address carries the sort value and id of the row it begins after (or ends before), and the number of its first row, which is for reading only.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, DateTimeField, F, Field, Func, Model, Q, QuerySet, Value

Row = TypeVar("Row", bound=Model)
Key = tuple[Any, uuid.UUID]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIZE, FAR = 25, 10_000
MARKS = ("after", "before", "n")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the ways to the ones before and after them."""

    rows: list[Row]
    first: int | None
    last: int | None
    total: int | None
    previous_url: str
    next_url: str


@dataclass(frozen=True)
class Count:
    """How many, counted no further than a bound."""

    figure: int
    exact: bool


def count(rows: QuerySet[Any], bound: int = FAR) -> Count:
    """How many rows there are, up to `bound`; one more and it only says that there are more."""
    return counts(rows, bound=bound)[0]


def counts(*several: QuerySet[Any], bound: int = FAR) -> list[Count]:
    """The same of several lists, in one query."""
    asked: list[str] = []
    params: list[Any] = []
    for rows in several:
        try:
            sql, given = rows.order_by().values("pk")[: bound + 1].query.sql_with_params()
        except EmptyResultSet:
            asked.append("0")
        else:
            asked.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
            params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", params)
        return [Count(min(found, bound), found <= bound) for found in cursor.fetchone()]


def turn(rows: QuerySet[Row], column: str, asked: Mapping[str, str], size: int = SIZE, total: Count | None = None) -> Page[Row]:
    """The page that `asked` (the query of the address) speaks of, sorted downwards by a column, equal values by id. An unreadable mark is the first page."""
    start = read(rows.model, column, asked.get("before") or asked.get("after") or "")
    back = "before" in asked and start is not None
    found = fetch(rows, column, start, back, size + 1)
    if start and not found:
        start, back, found = None, False, fetch(rows, column, None, False, size + 1)
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    first = number(asked, back, more) if start else 1
    return Page(
        found,
        first if found else None,
        first + len(found) - 1 if found else None,
        total.figure if total and total.exact else None,
        address(asked, "before", column, found[0], first - size) if found and (more if back else start) else "",
        address(asked, "after", column, found[-1], first + len(found)) if found and (start if back else more) else "",
    )


def fetch(rows: QuerySet[Row], column: str, start: Key | None, back: bool, limit: int) -> list[Row]:
    """Up to `limit` rows from a key on, in reading direction. PostgreSQL sorts a missing value above all others."""
    order = [name if back else f"-{name}" for name in dict.fromkeys((column, "pk"))]
    found: list[Row] = []
    for band in bands(rows.model, column, start, back):
        found += rows.filter(band).order_by(*order)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def every(rows: QuerySet[Row], column: str, size: int = 1_000) -> Iterator[Row]:
    """All rows in the order of the pages, so many at a time: the server never has all of them in hand, and nobody waits for the last to see the first."""
    start: Key | None = None
    while found := fetch(rows, column, start, False, size):
        yield from found
        start = (None if column == "pk" else getattr(found[-1], column), found[-1].pk)


def bands(model: type[Model], column: str, start: Key | None, back: bool) -> list[Any]:
    """The conditions whose rows, one after the other, come after (or before) a key; each is a single range of the index."""
    if start is None:
        return [Q()]
    value, pk = start
    if column == "pk":
        return [Q(pk__gt=pk) if back else Q(pk__lt=pk)]
    missing, present = Q(**{f"{column}__isnull": True}), Q(**{f"{column}__isnull": False})
    if value is None:
        return [missing & Q(pk__gt=pk)] if back else [missing & Q(pk__lt=pk), present]
    kind = model._meta.get_field(column)
    assert isinstance(kind, Field)
    here = Func(F(column), F("pk"), template="(%(expressions)s)", output_field=BooleanField())
    there = Func(Value(value, kind), Value(pk), template="(%(expressions)s)", output_field=BooleanField())
    beyond = Func(here, there, template="%(expressions)s", arg_joiner=" > " if back else " < ", output_field=BooleanField())
    return [beyond, missing] if back and kind.null else [beyond]


def number(asked: Mapping[str, str], back: bool, more: bool) -> int:
    """The number of the page's first row, as its address says; where nothing comes before, it is 1."""
    said = asked.get("n", "")
    return 1 if back and not more else max(int(said), 1) if said.isdecimal() and len(said) < 10 else 1


def address(asked: Mapping[str, str], mark: str, column: str, row: Model, first: int) -> str:
    kept = {name: value for name, value in asked.items() if name not in MARKS}
    return "?" + urlencode({**kept, mark: write(None if column == "pk" else getattr(row, column), row.pk), "n": max(first, 1)})


def write(value: Any, pk: uuid.UUID) -> str:
    if isinstance(value, datetime):
        value = (value - EPOCH) // timedelta(microseconds=1)
    return f"{'' if value is None else value}.{pk.hex}"


def read(model: type[Model], column: str, text: str) -> Key | None:
    """The key in this mark, or nothing when there is none to be read."""
    value, _, pk = text.partition(".")
    try:
        whole = int(value) if value else None
        if column != "pk" and isinstance(model._meta.get_field(column), DateTimeField):
            return EPOCH + timedelta(microseconds=int(value)), uuid.UUID(hex=pk)
        return (whole, uuid.UUID(hex=pk)) if whole is None or 0 <= whole < 2**15 else None
    except (ValueError, OverflowError):
        return None
