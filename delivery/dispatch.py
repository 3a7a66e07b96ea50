"""Step 4d of a lead's path: what its destinations are owed. A lead whose face (what destinations see) changed gets a new revision, and every
destination of its listing a delivery of it; one still waiting is simply owed the newer one."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection


def dispatch(leads: Sequence[UUID]) -> int:
    """Owe the newest revision of these leads to the destinations of their listings; returns how many deliveries were opened or renewed.

    Set: the given leads, whose rows the caller holds; then delivery rows in (lead, destination) order.
    """
    with connection.cursor() as cursor:
        cursor.execute(DISPATCH, {"leads": list(leads)})
        return cursor.rowcount


DISPATCH = """
    WITH faced AS MATERIALIZED (
        SELECT l.id, hashtextextended(concat_ws('|', l.status, l.score, l.cluster, l.owner_id, l.interaction_count, c.first_name, c.last_name, c.email,
               c.phone, c.country, c.company_said, c.title), 0) AS face
        FROM leads_lead l JOIN leads_contact c ON c.id = l.contact_id WHERE l.id = ANY(%(leads)s)
    ), revised AS (
        UPDATE leads_lead l SET revision = l.revision + 1, face = f.face FROM faced f WHERE f.id = l.id AND l.face IS DISTINCT FROM f.face
        RETURNING l.id, l.revision, l.listing_id
    )
    INSERT INTO delivery_delivery AS d (id, lead_id, destination_id, revision, state, due_at, owed_since, fence, attempts, last_error)
    SELECT uuidv7(), r.id, x.id, r.revision, 'due', now(), now(), 0, 0, '' FROM revised r
    JOIN delivery_destination_listings m ON m.listing_id = r.listing_id JOIN delivery_destination x ON x.id = m.destination_id AND x.state <> 'off'
    ORDER BY r.id, x.id
    ON CONFLICT (lead_id, destination_id) DO UPDATE SET revision = EXCLUDED.revision, state = 'due', due_at = now(), owed_since = now(), attempts = 0,
        last_error = ''
"""
