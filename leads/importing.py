"""Leads from a CSV file: every readable row becomes a submission of its own, as if the marketplace had sent it, and takes the one path.

Rows are read and written one by one, so a file of any length costs the same memory. All of a file is taken in, or nothing of it.
"""

import csv
import io
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import uuid7
from leads import dialects, normal
from leads.door import nudge
from leads.models import Disposition, Import, Submission
from leads.reading import Reading, judge
from leads.reasons import in_words
from leads.spreadsheets import read_back
from listings.models import Listing

log = logging.getLogger(__name__)
SOURCE, BATCH, PROBLEMS_KEPT = "Import", 1_000, 100
# What other systems call the marketplace's fields.
ALIASES = {
    "companyname": "company", "organization": "company", "organisation": "company", "jobtitle": "title", "phonenumber": "phone", "mobile": "phone",
    "telephone": "phone", "emailaddress": "email", "mail": "email", "countryregion": "country", "surname": "lastname", "familyname": "lastname",
    "givenname": "firstname", "message": "description", "notes": "description", "source": "leadsource",
}  # fmt: skip
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
    """What a file holds: how many rows are readable, and what is wrong with the others, of which the first are kept."""

    good: int = 0
    bad: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the good rows on, counting all."""
        for row in rows:
            if row.problem:
                self.bad += 1
                if len(self.problems) < PROBLEMS_KEPT:
                    self.problems.append((row.line, row.problem))
            else:
                self.good += 1
                yield row


def opened(raw: IO[bytes]) -> io.TextIOWrapper:
    """A file of bytes as text; a mark at its beginning is no part of it."""
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def rows(file: IO[str]) -> Iterator[Row]:
    """Every row below the head. Raises BadFile when the file is no CSV in UTF-8, or its head names nothing that a lead has."""
    try:
        csv.field_size_limit(settings.LEAD_MAX_BYTES)
        head_line = file.readline()
        head = next(csv.reader([head_line], delimiter=delimiter(head_line)), [])
        names = [ALIASES.get(name, name) for name in map(dialects.plain, head)]
        if not set(names) & {"email", "phone", *dialects.NESTED}:
            raise BadFile(_("The first line names no column “Email” or “Phone”."))
        below = csv.reader(file, delimiter=delimiter(head_line), strict=True)  # a quote that is never closed would swallow the rows below it
        for cells in below:
            if any(cell.strip() for cell in cells):
                yield read(below.line_num + 1, head, names, cells)
    except UnicodeDecodeError as error:
        raise BadFile(_("Not UTF-8: byte %(n)d can’t be read. Save it as “CSV UTF-8”.") % {"n": error.start + 1}) from None
    except csv.Error as error:
        raise BadFile(_("Not readable as CSV: %(error)s.") % {"error": error}) from None


def delimiter(head: str) -> str:
    """Comma, semicolon or tab, whichever the first line has most of."""
    return max(",;\t", key=head.count)


def read(line: int, head: list[str], names: list[str], cells: list[str]) -> Row:
    """A row as the JSON that the marketplace would have sent, judged as intake will judge it."""
    if len(cells) > len(names):
        return Row(line, problem=_("%(n)d cells under %(m)d column names.") % {"n": len(cells), "m": len(names)})
    lead = body_of(head, names, cells)
    body = json.dumps(lead, ensure_ascii=False).encode("utf-8", "replace")
    if len(body) > settings.LEAD_MAX_BYTES:
        return Row(line, problem=_("Longer than a lead may be."))
    return Row(line, body, problem_of(lead))


def body_of(head: list[str], names: list[str], cells: list[str]) -> dict[str, Any]:
    person: dict[str, str] = {}
    lead: dict[str, Any] = {"userDetails": person, "leadSource": SOURCE}
    for said, name, cell in zip(head, names, cells, strict=False):
        if text := read_back(cell.strip()):
            said = "CustomerInfo" if name in dialects.NESTED else said  # a table's JSON of the person, beside our own part of that kind
            (person if name in dialects.PERSON else lead)[KEYS.get(name, name) if name in dialects.PERSON + dialects.ACT else said] = text
    return lead


def problem_of(lead: dict[str, Any]) -> str:
    """Why intake would make no lead of it, in its own words; empty when it would. An address is enough, and the quick way to know."""
    if "CustomerInfo" not in lead and normal.email_key(lead["userDetails"].get("email", "")):
        return ""
    reading = Reading(Submission())
    try:
        judge(reading, dialects.understand(lead))
    except dialects.Unreadable as error:
        return in_words(str(error))
    return in_words(reading.reason) if reading.disposition == Disposition.ANONYMOUS else ""


def check(file: IO[str]) -> Result:
    """Read all of a file and write nothing."""
    result = Result()
    for _row in result.count(rows(file)):
        pass
    return result


def take_in(file: IO[str], listing: Listing, content_type: str = dialects.JSON) -> tuple[Result, UUID | None, UUID | None]:
    """Make every good row a pending submission, all in one transaction; returns the result and the first and last id."""
    result = Result()
    first = last = None
    with transaction.atomic():
        good = result.count(rows(file))
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
            return Result(row.good, row.bad)
        result, row.first_id, row.last_id = take_in(file, row.listing, row.content_type)
        row.state, row.content, row.imported_at = Import.State.DONE, None, timezone.now()
        row.good, row.bad, row.problems = result.good, result.bad, result.problems
        row.save()
    log.info("import %s: %d rows taken in", row.pk, result.good)
    return result
