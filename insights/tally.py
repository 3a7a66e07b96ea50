"""Step 4f of a lead's path: the figures. Per lead we keep what the tallies already hold of it, and apply only the difference, so counting a lead twice,
late or again changes nothing. Days are those of reception in the publisher's time zone; qualified, opportunity and won mean ever reached."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array
from accounts.locks import only_one
from insights.models import STEPS
from listings.models import Publisher

LOCK = 0x7A11


def tally(leads: Sequence[UUID]) -> int:
    """Count these leads as they are now; returns how many differed. Takes `Counted` rows in key order, then tallies in (day, listing) order."""
    with connection.cursor() as cursor:
        cursor.execute(TALLY, {"leads": array(leads), "steps": list(STEPS)})
        return int(cursor.fetchone()[0])


# Read by the statement itself: who waits for a change of the zone to be counted must not go on with the old one.
ZONE = "coalesce((SELECT time_zone FROM listings_publisher ORDER BY id LIMIT 1), 'UTC')"
STATE = f"""
    SELECT l.id AS lead_id, (l.received_at AT TIME ZONE {ZONE})::date AS day, l.listing_id, l.qualified_at IS NOT NULL AS qualified,
           l.opportunity_at IS NOT NULL AS opportunity, l.won_at IS NOT NULL AS won,
           CASE WHEN l.first_response_at IS NOT NULL
                THEN greatest(0, floor(extract(epoch FROM l.first_response_at - l.received_at) / 60))::int END AS response_minutes
    FROM leads_lead l
"""
# What a lead adds to a tally, with sign: the new state counts +1, the old one -1.
TALLY = f"""
    WITH now AS MATERIALIZED ({STATE} WHERE l.id = ANY(%(leads)s::uuid[])),
    was AS MATERIALIZED (SELECT c.* FROM insights_counted c WHERE c.lead_id = ANY(%(leads)s::uuid[]) ORDER BY c.lead_id FOR UPDATE),
    changed AS MATERIALIZED (
        SELECT n.* FROM now n LEFT JOIN was w USING (lead_id) WHERE w.lead_id IS NULL OR
        (w.day, w.listing_id, w.qualified, w.opportunity, w.won, w.response_minutes)
            IS DISTINCT FROM (n.day, n.listing_id, n.qualified, n.opportunity, n.won, n.response_minutes)
    ), kept AS (
        INSERT INTO insights_counted AS c (lead_id, day, listing_id, qualified, opportunity, won, response_minutes)
        SELECT lead_id, day, listing_id, qualified, opportunity, won, response_minutes FROM changed ORDER BY lead_id
        ON CONFLICT (lead_id) DO UPDATE SET day = EXCLUDED.day, listing_id = EXCLUDED.listing_id, qualified = EXCLUDED.qualified,
            opportunity = EXCLUDED.opportunity, won = EXCLUDED.won, response_minutes = EXCLUDED.response_minutes
    ), signed AS (
        SELECT 1 AS sign, c.* FROM changed c UNION ALL
        SELECT -1, w.lead_id, w.day, w.listing_id, w.qualified, w.opportunity, w.won, w.response_minutes FROM was w JOIN changed USING (lead_id)
    ), daily AS (
        INSERT INTO insights_dailytally AS t (day, listing_id, leads, qualified, opportunities, won, anonymous, asked_neighbour)
        SELECT day, listing_id, sum(sign), coalesce(sum(sign) FILTER (WHERE qualified), 0),
               coalesce(sum(sign) FILTER (WHERE opportunity), 0), coalesce(sum(sign) FILTER (WHERE won), 0), 0, 0
        FROM (SELECT day, listing_id, sign, qualified, opportunity, won FROM signed) s GROUP BY day, listing_id ORDER BY day, listing_id
        ON CONFLICT (day, listing_id) DO UPDATE SET leads = t.leads + EXCLUDED.leads, qualified = t.qualified + EXCLUDED.qualified,
            opportunities = t.opportunities + EXCLUDED.opportunities, won = t.won + EXCLUDED.won
    ), responses AS (
        INSERT INTO insights_responsetally AS t (day, listing_id, minutes, leads)
        SELECT day, listing_id, response_minutes, sum(sign) FROM signed WHERE response_minutes IS NOT NULL
        GROUP BY day, listing_id, response_minutes HAVING sum(sign) <> 0 ORDER BY day, listing_id, response_minutes
        ON CONFLICT (day, listing_id, minutes) DO UPDATE SET leads = t.leads + EXCLUDED.leads
    ), steps AS (
        INSERT INTO insights_responsestep AS t (day, listing_id, step, leads)
        SELECT day, listing_id, width_bucket(response_minutes, %(steps)s::int[]) AS step, sum(sign) FROM signed WHERE response_minutes IS NOT NULL
        GROUP BY day, listing_id, step HAVING sum(sign) <> 0 ORDER BY day, listing_id, step
        ON CONFLICT (day, listing_id, step) DO UPDATE SET leads = t.leads + EXCLUDED.leads
    )
    SELECT count(*) FROM changed
"""


def tally_demand() -> int:
    """Count demand without a lead that was not counted yet; returns how many. Locks demand rows, skipping held ones, then tallies in key order."""
    with connection.cursor() as cursor:
        cursor.execute(DEMAND)
        return int(cursor.fetchone()[0])


DEMAND = f"""
    WITH fresh AS MATERIALIZED (
        SELECT id FROM leads_demand WHERE NOT counted ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE leads_demand d SET counted = true FROM fresh f WHERE f.id = d.id RETURNING d.*
    ), daily AS (
        INSERT INTO insights_dailytally AS t (day, listing_id, leads, qualified, opportunities, won, anonymous, asked_neighbour)
        SELECT (received_at AT TIME ZONE {ZONE})::date AS day, listing_id, 0, 0, 0, 0, count(*) FILTER (WHERE kind = 'anonymous'),
               count(*) FILTER (WHERE kind = 'asked_neighbour') FROM taken GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (day, listing_id) DO UPDATE SET anonymous = t.anonymous + EXCLUDED.anonymous,
            asked_neighbour = t.asked_neighbour + EXCLUDED.asked_neighbour
    )
    SELECT count(*) FROM taken
"""


def recount() -> int:
    """Count everything anew if somebody asked for it; returns 1 when they did. One session at a time; what is asked meanwhile is done the next time."""
    asked = Publisher.objects.filter(recount_asked_at__isnull=False)
    with only_one(LOCK) as is_ours:
        at = asked.values_list("recount_asked_at", flat=True).first() if is_ours else None
        if at is None:
            return 0
        rebuild()
        return asked.filter(recount_asked_at=at).update(recount_asked_at=None)


def rebuild() -> None:
    """Count everything anew, in one transaction. Locks the tallies against other counting while it runs."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE insights_counted, insights_dailytally, insights_responsetally, insights_responsestep IN SHARE ROW EXCLUSIVE MODE")
        for statement in REBUILD:
            cursor.execute(statement, {"steps": list(STEPS)})


REBUILD = (
    "DELETE FROM insights_counted",
    "DELETE FROM insights_dailytally",
    "DELETE FROM insights_responsetally",
    "DELETE FROM insights_responsestep",
    f"INSERT INTO insights_counted (lead_id, day, listing_id, qualified, opportunity, won, response_minutes) {STATE}",
    f"""INSERT INTO insights_dailytally (day, listing_id, leads, qualified, opportunities, won, anonymous, asked_neighbour)
       SELECT day, listing_id, sum(leads), sum(qualified), sum(opportunities), sum(won), sum(anonymous), sum(asked) FROM (
           SELECT day, listing_id, 1 AS leads, qualified::int, opportunity::int AS opportunities, won::int, 0 AS anonymous, 0 AS asked FROM insights_counted
           UNION ALL SELECT (received_at AT TIME ZONE {ZONE})::date, listing_id, 0, 0, 0, 0, (kind = 'anonymous')::int, (kind = 'asked_neighbour')::int
           FROM leads_demand WHERE counted) AS every GROUP BY day, listing_id""",
    """INSERT INTO insights_responsetally (day, listing_id, minutes, leads) SELECT day, listing_id, response_minutes, count(*) FROM insights_counted
       WHERE response_minutes IS NOT NULL GROUP BY 1, 2, 3""",
    """INSERT INTO insights_responsestep (day, listing_id, step, leads) SELECT day, listing_id, width_bucket(minutes, %(steps)s::int[]), sum(leads)
       FROM insights_responsetally GROUP BY 1, 2, 3""",
)
