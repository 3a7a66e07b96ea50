"""Owners for 10,000 leads among 200 sellers, with reasons.

Reference: one bulk INSERT of the assignment rows and one bare UPDATE of the same columns of as many leads.
"""

from collections.abc import Iterator
from typing import Any

from bench import cast, crowd
from bench.database import rows, run, settle, value
from bench.rows import Bench, Row, measures, say, seconds
from routing.assign import assign

ASSIGN = "assign 10,000 leads to 200 sellers, with reasons"
WAITING = """
    SELECT l.id FROM leads_lead l JOIN listings_listing g ON g.id = l.listing_id JOIN listings_storefront s ON s.id = g.storefront_id
    WHERE l.owner_id IS NULL AND l.status IN ('new', 'nurturing') AND s.owner_when = 'at_once' ORDER BY l.id LIMIT 20000
"""
INSERT = """
    INSERT INTO routing_assignment (id, lead_id, owner_id, reason, made_at)
    SELECT uuidv7(), id, %(owner)s, '{"code": "lowest_load", "storefront": "Azure Marketplace", "because": "at_once", "open": 12}', now() FROM unnest(%(leads)s) AS id
"""
UPDATE = """
    UPDATE leads_lead SET owner_id = %(owner)s, assigned_at = now(), respond_by = now() + interval '1 day',
        owner_reason = '{"code": "lowest_load", "storefront": "Azure Marketplace", "because": "at_once", "open": 12}' WHERE id = ANY(%(leads)s)
"""


@measures(ASSIGN)
def give_owners(bench: Bench) -> Iterator[Row]:
    """Two sets of ten thousand from the same table: every second is ours."""
    crowd.grow(bench.scale.leads)
    owner = cast.gather().sellers[0].pk
    waiting: list[Any] = [pk for (pk,) in rows(WAITING)]
    ours, theirs = sorted(waiting[::2]), sorted(waiting[1::2])
    assert len(ours) == len(theirs) == 10_000, "the crowd has too few leads without an owner"
    settle("leads_lead", "routing_assignment")
    reference = seconds(lambda: [run(statement, {"owner": owner, "leads": theirs}) for statement in (INSERT, UPDATE)])
    settle("leads_lead", "routing_assignment")
    took = seconds(lambda: assign(ours))
    owned = value("SELECT count(DISTINCT owner_id) FROM routing_assignment WHERE lead_id = ANY(%s)", [ours])
    assert owned > 1 and value("SELECT count(*) FROM routing_assignment WHERE lead_id = ANY(%s)", [ours]) == len(ours)
    say(f"  {took:.2f} s to {owned} sellers, reference {reference:.2f} s")
    yield Row(ASSIGN, len(ours) / took, len(theirs) / reference, "leads/s", 0.3, 0.6)
