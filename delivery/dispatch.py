"""Step 4e of a lead's path: what its destinations are owed. Every destination of a revised lead's listing, and every one that a campaign
told of it, gets a delivery of the new revision; one still waiting is simply owed the newer one. One that is switched off is owed like any other and sent
nothing, so that nothing is missing when it is on again."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from accounts.ids import NEW_ID, array


def dispatch(revised: Sequence[UUID]) -> int:
    """Owe the newest revision of these leads to the destinations of their listings; returns how many deliveries were opened or renewed.

    Set: the given leads, whose rows the caller holds; then delivery rows in (lead, destination) order.
    """
    with connection.cursor() as cursor:
        cursor.execute(DISPATCH, {"leads": array(revised)})
        return cursor.rowcount


DISPATCH = f"""
    INSERT INTO delivery_delivery AS d (id, lead_id, destination_id, revision, state, due_at, owed_since, fence, attempts, last_error)
    SELECT {NEW_ID}, owed.lead, owed.destination, owed.revision, 'due', now(), now(), 0, 0, '' FROM (
        SELECT l.id AS lead, x.id AS destination, l.revision FROM leads_lead l
        JOIN delivery_destination_listings m ON m.listing_id = l.listing_id JOIN delivery_destination x ON x.id = m.destination_id
        WHERE l.id = ANY(%(leads)s::uuid[])
        UNION SELECT l.id, x.id, l.revision FROM campaigns_asked a JOIN leads_lead l ON l.id = a.lead_id
        JOIN delivery_destination x ON x.uid = a.destination WHERE a.lead_id = ANY(%(leads)s::uuid[])
    ) AS owed ORDER BY owed.lead, owed.destination
    ON CONFLICT (lead_id, destination_id) DO UPDATE SET revision = EXCLUDED.revision, state = 'due', due_at = now(), owed_since = now(), attempts = 0,
        last_error = ''
"""
