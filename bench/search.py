"""Finding a rare name among many contacts; the time of the database, warm.

Reference: a sequential scan of the same contacts for the same letters.
"""

from collections.abc import Iterator

from bench import crowd
from bench.database import rows
from bench.rows import Bench, Row, measures, median_seconds
from leads.lists import searched
from leads.models import Lead

SEARCH = "search a rare name"
SCAN = """
    SELECT l.id FROM leads_contact c JOIN leads_lead l ON l.contact_id = c.id
    WHERE lower(c.first_name || ' ' || c.last_name || ' ' || c.email || ' ' || c.phone || ' ' || c.company_said) LIKE %s
"""


@measures(SEARCH)
def search(bench: Bench) -> Iterator[Row]:
    """Both find the same leads."""
    crowd.grow(bench.scale.many_leads)
    statement, parameters = searched(Lead.objects.order_by(), crowd.RARE).values_list("pk").query.sql_with_params()
    pattern = [f"%{crowd.RARE}%"]
    found = set(rows(statement, parameters))
    assert found and found == set(rows(SCAN, pattern)), "the search and the scan differ"
    ours, reference = median_seconds(lambda: rows(statement, parameters), 51), median_seconds(lambda: rows(SCAN, pattern), 5)
    yield Row(SEARCH, ours * 1000, reference * 1000, "ms", 1 / 100, 1 / 1000, more_is_better=False, note=f"{len(found)} leads")
