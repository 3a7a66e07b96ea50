"""Leads from a CSV file: every readable row becomes a submission of its own, as if the marketplace had sent it, and takes the one path.

Rows are read and written one by one, so a file of any length costs the same memory. All of a file is taken in, or nothing of it.
"""

import csv
import io
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import uuid7
from leads import dialects, normal, reasons
from leads.door import nudge
from leads.models import Disposition, Import, Submission
from leads.reading import Reading, judge
from leads.spreadsheets import read_back
from listings.models import Listing

log = logging.getLogger(__name__)
SOURCE, BATCH, PROBLEMS_KEPT = "Import", 1_000, 100
WRONG_FILE = 1_000  # rows that can't be read, from which on somebody has taken the wrong file
# What other systems call the marketplace's fields.
ALIASES = {
    "companyname": "company", "organization": "company", "organisation": "company", "jobtitle": "title", "phonenumber": "phone", "mobile": "phone",
    "telephone": "phone", "emailaddress": "email", "mail": "email", "countryregion": "country", "surname": "lastname", "familyname": "lastname",
    "givenname": "firstname", "message": "description", "notes": "description", "source": "leadsource",
}  # fmt: skip
KNOWN = {*dialects.PERSON, *dialects.ACT, *dialects.NESTED}
KEYS = {"firstname": "firstName", "lastname": "lastName", "leadsource": "leadSource", "actioncode": "actionCode", "offertitle": "offerTitle"}


class BadFile(ValueError):
    """The file as a whole can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: the submission it would become, or why it can't be one."""

    line: int
    body: bytes = b""
    problem: str = ""


@dataclass(slots=True)
class Result:
    """What a file holds: the columns that nothing reads, how many rows are readable, and what is wrong with the others, of which the first are kept."""

    unread: list[str]
    good: int = 0
    bad: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def count(self, rows: Iterable[Row], most_bad: int | None = None) -> Iterator[Row]:
        """Pass the good rows on, counting all. Raises BadFile at more bad ones than may be."""
        for row in rows:
            if row.problem:
                self.bad += 1
                if most_bad and self.bad > most_bad:
                    said = {"n": most_bad, "line": self.problems[0][0], "problem": reasons.in_words(self.problems[0][1])}
                    raise BadFile(_("More than %(n)d rows can’t be read; the first is line %(line)d: %(problem)s") % said)
                if len(self.problems) < PROBLEMS_KEPT:
                    self.problems.append((row.line, row.problem))
            else:
                self.good += 1
                yield row


def opened(raw: IO[bytes]) -> io.TextIOWrapper:
    """A file of bytes as text; a mark at its beginning is no part of it."""
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a file: what separates its cells, what its columns are called, and what that means here."""

    delimiter: str
    said: list[str]
    names: list[str]

    @property
    def unread(self) -> list[str]:
        """The columns that no field of a lead is called after: their cells are kept, and nothing reads them."""
        return [said for said, name in zip(self.said, self.names, strict=True) if said.strip() and name not in KNOWN]


@contextmanager
def told() -> Iterator[None]:
    """What makes a file as a whole unreadable, as a BadFile."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise BadFile(_("Not UTF-8: byte %(n)d can’t be read. Save it as “CSV UTF-8”.") % {"n": error.start + 1}) from None
    except csv.Error as error:
        raise BadFile(_("Not readable as CSV: %(error)s.") % {"error": error}) from None


def head_of(file: IO[str]) -> Head:
    """Read the first line. Raises BadFile when it is no CSV in UTF-8, or names nothing that a lead has."""
    csv.field_size_limit(settings.LEAD_MAX_BYTES)
    with told():
        line = file.readline()
        separator = delimiter(line)
        said = next(csv.reader([line], delimiter=separator), [])
    names = [ALIASES.get(name, name) for name in map(dialects.plain, said)]
    if not set(names) & {"email", "phone", *dialects.NESTED}:
        raise BadFile(_("The first line names no column “Email” or “Phone”."))
    return Head(separator, said, names)


def rows(file: IO[str], head: Head) -> Iterator[Row]:
    """Every row below the head. Raises BadFile when the file is no CSV in UTF-8."""
    with told():
        below = csv.reader(file, delimiter=head.delimiter, strict=True)  # a quote that is never closed would swallow the rows below it
        for cells in below:
            if any(cell.strip() for cell in cells):
                yield read(below.line_num + 1, head, cells)


def delimiter(head: str) -> str:
    """Comma, semicolon or tab, whichever the first line has most of."""
    return max(",;\t", key=head.count)


def read(line: int, head: Head, cells: list[str]) -> Row:
    """A row as the JSON that the marketplace would have sent, judged as intake will judge it."""
    if len(cells) > len(head.names):
        return Row(line, problem=reasons.CELLS % {"n": len(cells), "m": len(head.names)})
    lead = body_of(head, cells)
    body = json.dumps(lead, ensure_ascii=False).encode("utf-8", "replace")
    if len(body) > settings.LEAD_MAX_BYTES:
        return Row(line, problem=reasons.LONG_ROW)
    return Row(line, body, problem_of(lead))


def body_of(head: Head, cells: list[str]) -> dict[str, Any]:
    person: dict[str, str] = {}
    lead: dict[str, Any] = {"userDetails": person, "leadSource": SOURCE}
    for said, name, cell in zip(head.said, head.names, cells, strict=False):
        if text := read_back(cell.strip()):
            said = "CustomerInfo" if name in dialects.NESTED else said  # a table's JSON of the person, beside our own part of that kind
            (person if name in dialects.PERSON else lead)[KEYS.get(name, name) if name in dialects.PERSON + dialects.ACT else said] = text
    return lead


def problem_of(lead: dict[str, Any]) -> str:
    """Why intake could make nothing of it, as it would note it; empty when it can, be it a test or a neighbour's buyer. An address is enough, and the quick way to
    know."""
    if "CustomerInfo" not in lead and normal.email_key(lead["userDetails"].get("email", "")):
        return ""
    reading = Reading(Submission())
    try:
        judge(reading, dialects.understand(lead))
    except dialects.Unreadable as error:
        return str(error)
    return reading.reason if reading.disposition == Disposition.ANONYMOUS else ""


def check(file: IO[str], most: int | None = None) -> Result:
    """Read all of a file and write nothing. Raises BadFile when it has more than so many rows, or when a great many of them can't be read."""
    head = head_of(file)
    result = Result(head.unread)
    for _row in result.count(rows(file, head), WRONG_FILE if most else None):
        if most and result.good > most:
            raise BadFile(_("More than %(n)d rows: import it on the server with manage.py import_leads.") % {"n": most})
    if not (result.good or result.bad):
        raise BadFile(_("There is no row below the first line."))
    return result


def take_in(file: IO[str], listing: Listing, content_type: str = dialects.JSON) -> tuple[Result, UUID | None, UUID | None]:
    """Make every good row a pending submission, all in one transaction; returns the result and the first and last id."""
    head = head_of(file)
    result = Result(head.unread)
    first = last = None
    with transaction.atomic():
        good = result.count(rows(file, head))
        while batch := [(uuid7(), row.body) for row in islice(good, BATCH)]:
            insert(batch, listing, content_type)
            pks = [pk for pk, _body in batch]
            first, last = min(first or pks[0], *pks), max(last or pks[0], *pks)
        transaction.on_commit(nudge)
    return result, first, last


INSERT = """
    INSERT INTO leads_submission (id, received_at, listing_id, content_type, size, sha256, body, disposition, reason, attempts, is_brought)
    SELECT id, now(), %s, %s, length(body), sha256(body), body, 'pending', '', 0, true FROM unnest(%s::uuid[], %s::bytea[]) AS r(id, body)
"""


def insert(batch: list[tuple[UUID, bytes]], listing: Listing, content_type: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [listing.pk, content_type, [str(pk) for pk, _body in batch], [body for _pk, body in batch]])


def run(found: Import, file: IO[str]) -> Result:
    """Take a checked file in, once: of two who press the button the second finds it done. Locks the import's row."""
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=found.pk)
        if row.state != Import.State.CHECKED:
            return Result(row.unread, row.good, row.bad)
        result, row.first_id, row.last_id = take_in(file, row.listing, row.content_type)
        row.state, row.content, row.imported_at = Import.State.DONE, None, timezone.now()
        row.good, row.bad, row.problems = result.good, result.bad, result.problems
        row.save()
    log.info("import %s: %d rows taken in", row.pk, result.good)
    return result
