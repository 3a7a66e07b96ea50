"""The last touch of a walk: the leads are stale no more, and those whose face changed get a new revision.

A lead's face is what other systems are shown of it. Notes, clocks and a score that faded without changing change nothing there, so destinations
hear of a lead when there is something to hear.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from accounts.ids import array


def revise(leads: Sequence[UUID]) -> list[UUID]:
    """Close the walk of these leads, whose rows the caller holds; returns those with a new revision. One UPDATE: each costs every index of the table."""
    with connection.cursor() as cursor:
        cursor.execute(REVISE, {"leads": array(leads)})
        return [row[0] for row in cursor if row[1]]


FACE = """hashtextextended(concat_ws('|', l.status, l.score, l.cluster, l.owner_id, l.interaction_count, c.first_name, c.last_name, c.email, c.phone,
    c.country, c.company_said, c.title, nullif(array_to_string(l.tags, ','), ''), l.value), 0)"""
REVISE = f"""
    WITH faced AS MATERIALIZED (
        SELECT l.id, {FACE} AS face FROM leads_lead l JOIN leads_contact c ON c.id = l.contact_id WHERE l.id = ANY(%(leads)s::uuid[])
    )
    UPDATE leads_lead l SET stale_since = NULL, follow_error = '', face = f.face, revision = l.revision + (l.face IS DISTINCT FROM f.face)::int
    FROM faced f WHERE f.id = l.id RETURNING l.id, old.revision <> new.revision
"""
