"""Step 4b of a lead's path: an owner for the leads whose playbook wants one now, and the clock that starts with the owner.

Azure Marketplace leads get an owner at once. AppSource leads stay marketing's until they are act now, asked to be contacted, or reached the
nurture goal. The seller with the fewest open leads gets the next one; among equals whoever waited longest. Every answer has its reason.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import NEW_ID, array

LOCK = 0x0A551


def assign(leads: Sequence[UUID]) -> int:
    """Give owners to those of the leads that are due one, and a reason to those that are not; returns how many got one.

    Set: open leads without owner among `leads`. Lock order: lead rows (held by the caller), then the assignment lock, which makes parallel workers see
    each other's loads and holds until the caller commits, then sellers.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(ASSIGN, {"leads": array(leads)})
        assigned = int(cursor.fetchone()[0])
        cursor.execute(SAY_WHY_NOT, {"leads": array(leads)})
        return assigned


def let_go(leads: Sequence[UUID]) -> list[UUID]:
    """Take these leads from sellers who have more to do by now than others, or take none any more; returns which, for assign to give anew at once.

    Set: open, unanswered leads among `leads` that routing itself gave their owner. Lock order as in assign.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(LET_GO, {"leads": array(leads)})
        return [row[0] for row in cursor]


# How many open leads a seller `r` has.
LOAD = "(SELECT count(*) FROM leads_lead l WHERE l.owner_id = r.user_id AND NOT (l.status IN ('won', 'lost', 'disqualified')))"
# Whether user `u` may have leads at all: somebody who left field sales, or the house, gets no more.
SELLS = (
    "u.is_active AND EXISTS (SELECT 1 FROM accounts_user_groups m JOIN auth_group f ON f.id = m.group_id WHERE m.user_id = u.id AND f.name = 'sales')"
)
# What the storefront's playbook waits for before somebody owns the lead.
IS_READY = "s.owner_when = 'at_once' OR l.cluster = 'act_now' OR l.asked_contact_at IS NOT NULL OR l.goal_reached_at IS NOT NULL"
# A person took it from everybody, and the buyer did nothing since.
TAKEN = "coalesce(l.owner_reason->>'code' = 'taken' AND l.last_interaction_at <= (l.owner_reason->>'at')::timestamptz, false)"
# A seller's seats are their open leads counted upwards: seat number = load. Handing out the lowest seats first is "lowest load, then longest waiting".
# Where nobody has a capacity no seat above `level` can be reached, which keeps the seats few when many leads meet many sellers.
# For example Ana has 3 open leads of at most 5, Bo and Cy have 1 each, and five leads want an owner. `bend`: from 1 on two sellers have room, from 3 on
# three, from 5 on two. `level`: two sellers take 4 leads up to 3, so the fifth meets three sellers at 3, and no seat above 3 + ceil(1 / 3) is needed.
# `seat`: Bo 1, Cy 1, Bo 2, Cy 2, and at 3 whoever waited longest.
ASSIGN = f"""
    WITH wanting AS MATERIALIZED (
        SELECT l.id, s.name AS storefront, s.respond_within_hours AS hours,
               CASE WHEN s.owner_when = 'at_once' THEN 'at_once' WHEN l.goal_reached_at IS NOT NULL THEN 'goal'
                    WHEN l.asked_contact_at IS NOT NULL THEN 'asked' ELSE 'act_now' END AS because,
               row_number() OVER (ORDER BY l.last_interaction_at, l.id) AS place
        FROM leads_lead l JOIN listings_listing g ON g.id = l.listing_id JOIN listings_storefront s ON s.id = g.storefront_id
        WHERE l.id = ANY(%(leads)s::uuid[]) AND l.owner_id IS NULL AND l.status NOT IN ('won', 'lost', 'disqualified')
          AND NOT {TAKEN} AND ({IS_READY})
    ), seller AS MATERIALIZED (
        SELECT r.user_id, r.capacity, r.last_assigned_at, coalesce(nullif(trim(concat_ws(' ', u.first_name, u.last_name)), ''), u.username) AS name,
               {LOAD} AS load
        FROM routing_seller r JOIN accounts_user u ON u.id = r.user_id WHERE r.takes_leads AND {SELLS}
        AND EXISTS (SELECT 1 FROM wanting)
    ), bend AS (
        SELECT at, sum(sum(step)) OVER (ORDER BY at) AS sellers, lead(at) OVER (ORDER BY at) AS next FROM (
            SELECT load AS at, 1 AS step FROM seller WHERE coalesce(capacity, load + 1) > load
            UNION ALL SELECT capacity, -1 FROM seller WHERE capacity > load
        ) AS step GROUP BY at
    ), level AS (
        SELECT at + CASE WHEN sellers > 0 THEN ceil(((SELECT count(*) FROM wanting) - seats) / sellers) ELSE 0 END AS top FROM (
            SELECT at, sellers, coalesce(sum(sellers * (next - at)) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS seats FROM bend
        ) AS filled WHERE seats < (SELECT count(*) FROM wanting) ORDER BY at DESC LIMIT 1
    ), seat AS (
        SELECT user_id, number AS load, row_number() OVER (ORDER BY number, last_assigned_at NULLS FIRST, user_id) AS place
        FROM seller, level, LATERAL generate_series(load, least(coalesce(capacity - 1, 2000000000), level.top::bigint)) AS number
        ORDER BY number, last_assigned_at NULLS FIRST, user_id LIMIT (SELECT count(*) FROM wanting)
    ), pair AS MATERIALIZED (
        SELECT w.id, w.hours, s.user_id,
               jsonb_build_object('code', 'lowest_load', 'storefront', w.storefront, 'because', w.because, 'open', s.load) AS reason
        FROM wanting w JOIN seat s USING (place)
    ), owned AS (
        UPDATE leads_lead l SET owner_id = p.user_id, owner_reason = p.reason, assigned_at = now(),
            respond_by = CASE WHEN l.first_response_at IS NULL THEN least(l.respond_by, now() + p.hours * interval '1 hour') ELSE l.respond_by END
        FROM pair p WHERE p.id = l.id
    ), kept AS (
        INSERT INTO routing_assignment (id, lead_id, owner_id, reason, made_at) SELECT {NEW_ID}, id, user_id, reason, now() FROM pair
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {NEW_ID}, id, clock_timestamp(), 'assigned', reason || jsonb_build_object('owner', user_id, 'to', name) FROM pair JOIN seller USING (user_id)
    ), served AS (
        UPDATE routing_seller r SET last_assigned_at = now() FROM (SELECT DISTINCT user_id FROM pair) p WHERE p.user_id = r.user_id
    )
    SELECT count(*) FROM pair
"""
# Let go of: only what routing gave by load, would give again, and nobody answered; only where somebody else has less to do by more than the lead itself;
# and no more than there are free seats. The clock runs on.
LET_GO = f"""
    WITH seller AS MATERIALIZED (
        SELECT r.user_id, r.takes_leads AND {SELLS} AS takes, r.capacity,
               {LOAD} AS load
        FROM routing_seller r JOIN accounts_user u ON u.id = r.user_id
    ), meant AS MATERIALIZED (
        SELECT l.id FROM leads_lead l JOIN seller had ON had.user_id = l.owner_id
        JOIN listings_listing g ON g.id = l.listing_id JOIN listings_storefront s ON s.id = g.storefront_id
        WHERE l.id = ANY(%(leads)s::uuid[]) AND l.owner_reason->>'code' = 'lowest_load' AND l.first_response_at IS NULL
          AND l.status NOT IN ('won', 'lost', 'disqualified') AND ({IS_READY})
          AND EXISTS (SELECT 1 FROM seller o WHERE o.takes AND o.load < coalesce(o.capacity, o.load + 1) AND (o.load + 1 < had.load OR NOT had.takes))
        ORDER BY l.id
        LIMIT (SELECT coalesce(sum(CASE WHEN capacity IS NULL THEN 1000000 ELSE greatest(capacity - load, 0) END), 0) FROM seller WHERE takes)
    ), freed AS (
        UPDATE leads_lead l SET owner_id = NULL, assigned_at = NULL FROM meant WHERE l.id = meant.id RETURNING l.id
    ), ended AS (
        UPDATE routing_assignment a SET ended_at = now() FROM freed WHERE a.lead_id = freed.id AND a.ended_at IS NULL
    )
    SELECT id FROM freed ORDER BY id
"""
WHY_NOT = f"CASE WHEN {IS_READY} THEN 'no_seller' ELSE 'below_act_now' END"
SAY_WHY_NOT = f"""
    UPDATE leads_lead l SET owner_reason = jsonb_build_object('code', {WHY_NOT})
    FROM listings_listing g JOIN listings_storefront s ON s.id = g.storefront_id
    WHERE g.id = l.listing_id AND l.id = ANY(%(leads)s::uuid[]) AND l.owner_id IS NULL AND NOT {TAKEN} AND l.status NOT IN ('won', 'lost', 'disqualified')
        AND l.owner_reason->>'code' IS DISTINCT FROM {WHY_NOT}
"""
