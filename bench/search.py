"""Finding a rare name among many contacts; the time of the database, warm.

Reference: a sequential scan of the same contacts for the same letters.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from bench import crowd
from bench.database import rows
from bench.rows import Bench, Row, measures
from leads.lists import searched
from leads.models import Lead

SEARCH = "search a rare name"
SCAN = """
    SELECT l.id FROM leads_contact c JOIN leads_lead l ON l.contact_id = c.id
    WHERE lower(c.first_name || ' ' || c.last_name || ' ' || c.email || ' ' || c.phone || ' ' || c.company_said) LIKE %s
"""


def found() -> set[UUID]:
    return set(searched(Lead.objects.order_by(), crowd.RARE).values_list("pk", flat=True))


def database_seconds(act: Callable[[], Any]) -> float:
    """How long the statements of one call took."""
    taken: list[float] = []

    def clock(execute: Callable[..., Any], *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*rest)
        finally:
            taken.append(time.perf_counter() - began)

    with connection.execute_wrapper(clock):
        act()
    return sum(taken)


@measures(SEARCH)
def search(bench: Bench) -> Iterator[Row]:
    """Both find the same leads."""
    crowd.grow(bench.scale.many_leads)
    pattern = [f"%{crowd.RARE}%"]
    leads = found()
    assert leads and leads == {pk for (pk,) in rows(SCAN, pattern)}, "the search and the scan differ"
    ours = statistics.median(database_seconds(found) for _ in range(51))
    reference = statistics.median(database_seconds(lambda: rows(SCAN, pattern)) for _ in range(5))
    yield Row(SEARCH, ours * 1000, reference * 1000, "ms", 1 / 100, 1 / 1000, more_is_better=False, note=f"{len(leads)} leads")
