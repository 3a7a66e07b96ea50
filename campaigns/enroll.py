"""Step 4c of a lead's path: entering the campaign of its storefront, reaching the goal, leaving; being held while a seller is on it.

A campaign's entry and goal are conditions (leads.conditions). Drafts enroll and hold: their enrollments stand at the first stage until a person publishes.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from accounts.ids import NEW_ID, array
from campaigns.models import Campaign
from leads.conditions import matching
from leads.models import CLOSED, Lead


def enroll(leads: Sequence[UUID]) -> list[UUID]:
    """Bring the enrollments of these leads in line with what the leads are now; returns the leads that reached a goal, which routing looks at again.

    Set: the given leads. Locks the campaigns against publishing and pausing, then the leads' enrollments, after the lead rows, which the caller holds.
    Running it again changes nothing.
    """
    reached: list[UUID] = []
    with connection.cursor() as cursor:
        cursor.execute(HOLD_STILL)
        cursor.execute(LEAVE, {"leads": array(leads), "closed": list(CLOSED)})
        for campaign in Campaign.objects.exclude(state=Campaign.State.ENDED).order_by("pk"):
            enter(campaign, leads)
        cursor.execute(HOLD, {"leads": array(leads)})
        for campaign in Campaign.objects.exclude(state=Campaign.State.ENDED).exclude(goal={}).order_by("pk"):
            reached += reach(campaign, leads)
        cursor.execute(NURTURE, {"leads": array(leads)})
    return reached


# Without it an enrollment made beside a publication would have no due time, and nobody would ever give it one.
HOLD_STILL = "SELECT FROM campaigns_campaign ORDER BY id FOR SHARE"


def enter(campaign: Campaign, leads: Sequence[UUID]) -> int:
    """Open leads of the campaign's storefront that its entry condition holds for and that were never in it."""
    wanted = Lead.objects.among(leads).open().filter(listing__storefront=campaign.storefront_id)
    inner, parameters = matching(wanted.order_by("pk"), campaign.entry).values_list("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            ENTER.format(wanted=inner, new_id=NEW_ID),
            [*parameters, campaign.pk, campaign.pk, campaign.state == Campaign.State.PUBLISHED, campaign.name],
        )
        return int(cursor.fetchone()[0])


ENTER = """
    WITH wanted(id) AS MATERIALIZED ({wanted}),
    first AS (SELECT id, holds_for FROM campaigns_stage WHERE campaign_id = %s ORDER BY position LIMIT 1),
    entered AS (
        INSERT INTO campaigns_enrollment (id, campaign_id, lead_id, stage_id, status, reason, entered_at, stage_since, due_at)
        SELECT {new_id}, %s, wanted.id, first.id, 'active', '', now(), now(), CASE WHEN %s THEN now() + first.holds_for END FROM wanted, first
        ON CONFLICT (lead_id, campaign_id) DO NOTHING RETURNING lead_id
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {new_id}, lead_id, clock_timestamp(), 'enrolled', jsonb_build_object('campaign', %s::text) FROM entered
    )
    SELECT count(*) FROM entered
"""


def reach(campaign: Campaign, leads: Sequence[UUID]) -> list[UUID]:
    """Those on their way that the goal now holds for: the enrollment ends as reached, the lead enters the pipeline. Held ones have a seller already."""
    there = Lead.objects.among(leads).filter(listing__storefront=campaign.storefront_id)
    inner, parameters = matching(there.order_by("pk"), campaign.goal).values_list("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(REACH.format(there=inner, new_id=NEW_ID), [*parameters, campaign.pk, campaign.name])
        return [row[0] for row in cursor]


REACH = """
    WITH there(id) AS MATERIALIZED ({there}),
    reached AS (
        UPDATE campaigns_enrollment e SET status = 'reached', due_at = NULL, ended_at = now() FROM there
        WHERE e.lead_id = there.id AND e.campaign_id = %s AND e.status = 'active' RETURNING e.lead_id
    ), moved AS (
        UPDATE leads_lead l SET goal_reached_at = coalesce(l.goal_reached_at, now()), qualified_at = coalesce(l.qualified_at, now()),
            status = CASE WHEN l.status IN ('new', 'nurturing') THEN 'qualified' ELSE l.status END
        FROM reached r WHERE r.lead_id = l.id
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {new_id}, lead_id, clock_timestamp(), 'goal_reached', jsonb_build_object('campaign', %s::text) FROM reached
    )
    SELECT lead_id FROM reached
"""
# A closed lead leaves every campaign.
LEAVE = """
    UPDATE campaigns_enrollment e SET status = 'exited', reason = 'lead_closed', due_at = NULL, ended_at = now()
    FROM leads_lead l WHERE l.id = e.lead_id AND e.lead_id = ANY(%(leads)s::uuid[]) AND l.status = ANY(%(closed)s) AND e.status IN ('active', 'held')
"""
# Nurture is marketing's: while a seller owns the lead it is held, so that nobody is written to by two. Demand generation runs beside the seller.
HOLD = """
    WITH wanted AS (
        SELECT e.id, l.owner_id IS NOT NULL AS hold, c.state = 'published' AS runs, s.holds_for FROM campaigns_enrollment e JOIN campaigns_campaign c ON c.id = e.campaign_id
        JOIN campaigns_stage s ON s.id = e.stage_id JOIN leads_lead l ON l.id = e.lead_id
        WHERE e.lead_id = ANY(%(leads)s::uuid[]) AND c.kind = 'nurture' AND e.status IN ('active', 'held')
    )
    UPDATE campaigns_enrollment e SET status = CASE WHEN w.hold THEN 'held' ELSE 'active' END, reason = CASE WHEN w.hold THEN 'seller' ELSE '' END,
        due_at = CASE WHEN w.runs AND NOT w.hold THEN e.stage_since + w.holds_for END
    FROM wanted w WHERE w.id = e.id AND (e.status = 'held') <> w.hold
"""
NURTURE = f"""
    WITH nurtured AS (
        UPDATE leads_lead l SET status = 'nurturing' WHERE l.id = ANY(%(leads)s::uuid[]) AND l.status = 'new' AND l.owner_id IS NULL
        AND l.id IN (SELECT e.lead_id FROM campaigns_enrollment e JOIN campaigns_campaign c ON c.id = e.campaign_id
                     WHERE e.lead_id = ANY(%(leads)s::uuid[]) AND c.kind = 'nurture' AND e.status = 'active')
        RETURNING l.id
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {NEW_ID}, id, clock_timestamp(), 'status', '{{"was": "new", "status": "nurturing"}}' FROM nurtured
"""
