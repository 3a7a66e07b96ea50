"""Step 4c of a lead's path: entering the campaigns of its storefront, reaching the goal, leaving; being held while a seller is on it.

A campaign's entry, goal and exit are conditions (leads.conditions). A draft that gathers enrolls and holds: its people stand at the first stage until a
person publishes it; into any other draft nobody comes.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.ids import NEW_ID, array
from accounts.models import User
from campaigns.attribute import attribute
from campaigns.clock import due_in_sql
from campaigns.effects import READY_FOR_SALES
from campaigns.flow import Flow
from campaigns.models import Campaign, Enrollment, Stage
from leads.conditions import as_sql, matching
from leads.models import CLOSED, Lead
from listings.models import CampaignKind, Publisher
from routing.assign import let_go


def enroll(leads: Sequence[UUID]) -> list[UUID]:
    """Bring the enrollments of these leads in line with what the leads are now; returns the leads that routing looks at again: those
    that reached a goal, and those whose campaign asks for an owner anew.

    Set: the given leads. Locks the campaigns against publishing and pausing, then the leads' enrollments, after the lead rows, which the caller holds.
    Running it again changes nothing.
    """
    reached: list[UUID] = []
    attribute(leads)
    with connection.cursor() as cursor:
        cursor.execute(HOLD_STILL)
        cursor.execute(LEAVE, {"leads": array(leads), "closed": list(CLOSED)})
        campaigns = list(Campaign.objects.exclude(state=Campaign.State.ENDED).select_related("current").order_by("-priority", "pk"))
        waits = list(Stage.objects.filter(options__has_any_keys=["minute", "until"]).values_list("options", flat=True))
        at_an_hour = any("minute" in options for options in waits)
        due = due_in_sql("s.options", "e.lead_id", "greatest(e.stage_since + s.holds_for, now())", at_an_hour)
        cursor.execute(COME_BACK.format(due=due), {"leads": array(leads), "closed": list(CLOSED)})
        today = Publisher.current().today
        taking = [campaign for campaign in campaigns if campaign.takes_on(today)]
        let_in(taking, leads, campaigns)
        for campaign in campaigns:
            if campaign.exit:
                leave(campaign, leads)
        cursor.execute(
            HOLD.format(due=due_in_sql("w.options", "w.lead_id", "greatest(e.stage_since + w.holds_for, now())", at_an_hour)), [array(leads)]
        )
        for campaign in campaigns:
            if campaign.goal:
                reached += reach(campaign, leads)
        for stage in awaited(leads) if waits else ():
            meet(stage, leads)
        cursor.execute(NURTURE, {"leads": array(leads)})
        # What was changed here may be what an entry asks for.
        let_in([campaign for campaign in taking if campaign.entry], [*reached, *(row[0] for row in cursor)], campaigns)
        if any(campaign.fast_hours for campaign in campaigns):
            cursor.execute(HURRY, {"leads": array(leads)})
        if any(campaign.assigns_anew for campaign in campaigns):
            cursor.execute(NEWLY_IN, [array(leads)])
            reached += let_go([row[0] for row in cursor])
    return reached


def let_in(taking: Iterable[Campaign], leads: Sequence[UUID], campaigns: Sequence[Campaign]) -> None:
    """Let these leads into the campaigns that take somebody on, those of the highest priority first."""
    for campaign in taking if leads else ():
        enter(campaign, unclaimed(Lead.objects.among(leads), campaign, campaigns))


# Without it an enrollment made beside a publication would have no due time, and nobody would ever give it one.
HOLD_STILL = "SELECT FROM campaigns_campaign ORDER BY id FOR SHARE"


def enter(campaign: Campaign, leads: QuerySet[Lead], most: int | None = None, by: User | None = None) -> int:
    """Those of these leads that are open, of the campaign's storefront and may enter it (again), and that its entry condition holds for, `most` at the
    most; returns how many. A person who enrolls by hand asks no condition, and may do so again whenever it is over.

    Into nurture an owned lead enters held.
    """
    first = Flow.of(campaign.version.stages.all()).first
    if first is None:
        return 0
    candidates = leads.filter(listing__storefront=campaign.storefront_id).exclude(status__in=CLOSED).order_by("pk")
    # Of a batch that may enter once at the most, those who were in it are told by the constraint: cheaper than asking for each.
    once = not by and most is None and campaign.reentry == Campaign.Reentry.NEVER
    wanted = outside(candidates, campaign) if by else matching(candidates if once else may_enter(candidates, campaign), campaign.entry)
    rounds = rounds_of(campaign) if by or campaign.reentry != Campaign.Reentry.NEVER else Value(0)
    inner, parameters = as_sql(wanted.values_list("pk", "owner_id", rounds)[:most])
    due = due_in_sql("first.options", "wanted.id", "now() + first.holds_for", "minute" in first.stage.options)
    is_running, is_nurture = campaign.state == Campaign.State.PUBLISHED, campaign.kind == CampaignKind.NURTURE
    sql = ENTER.format(wanted=inner, due=due, new_id=NEW_ID)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, is_nurture, first.stage.pk, campaign.pk, is_running, by.pk if by else None, campaign.name])
        return int(cursor.fetchone()[0])


def unclaimed(leads: QuerySet[Lead], campaign: Campaign, all_campaigns: Iterable[Campaign]) -> QuerySet[Lead]:
    """Those that are not on their way through a campaign of a higher priority."""
    higher = [other.pk for other in all_campaigns if other.priority > campaign.priority]
    return leads.exclude(Exists(Enrollment.objects.filter(campaign__in=higher, lead=OuterRef("pk")).running())) if higher else leads


def outside(leads: QuerySet[Lead], campaign: Campaign) -> QuerySet[Lead]:
    """Those that are not on their way through the campaign."""
    return leads.exclude(Exists(Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk")).running()))


def may_enter(leads: QuerySet[Lead], campaign: Campaign) -> QuerySet[Lead]:
    """Those that were never in the campaign, or may be in it again by now."""
    before = Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk"))
    if campaign.reentry == Campaign.Reentry.AFTER:
        lately = before.filter(Q(ended_at=None) | Q(ended_at__gt=timezone.now() - timedelta(days=campaign.reentry_days)))
        return leads.exclude(Exists(lately))
    if campaign.reentry == Campaign.Reentry.EACH_ACT:
        since = before.filter(Q(ended_at=None) | Q(entered_at__gte=OuterRef("last_interaction_at")))
        return leads.exclude(Exists(since))
    return leads.exclude(Exists(before))


def rounds_of(campaign: Campaign) -> Coalesce:
    """How often each lead was in the campaign."""
    before = Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk")).order_by().values("lead").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(before, output_field=IntegerField()), 0)


ENTER = """
    WITH wanted(id, owner_id, rounds) AS MATERIALIZED ({wanted}),
    first AS (SELECT id, holds_for, options, %s AS is_nurture FROM campaigns_stage WHERE id = %s),
    entered AS (
        INSERT INTO campaigns_enrollment (id, campaign_id, lead_id, stage_id, round, status, reason, entered_at, stage_since, due_at)
        SELECT {new_id}, %s, wanted.id, first.id, wanted.rounds + 1, CASE WHEN is_held THEN 'held' ELSE 'active' END,
            CASE WHEN is_held THEN 'seller' ELSE '' END, now(), now(), CASE WHEN %s AND NOT is_held THEN {due} END
        FROM wanted, first, LATERAL (SELECT first.is_nurture AND wanted.owner_id IS NOT NULL AS is_held) AS hold
        ON CONFLICT DO NOTHING RETURNING lead_id
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, actor_id, data)
        SELECT {new_id}, lead_id, clock_timestamp(), 'enrolled', %s, jsonb_build_object('campaign', %s::text) FROM entered
    )
    SELECT count(*) FROM entered
"""


def leave(campaign: Campaign, leads: Sequence[UUID]) -> None:
    """Those that the campaign's exit condition holds for leave it."""
    gone, parameters = as_sql(matching(Lead.objects.among(leads).order_by("pk"), campaign.exit).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(LEAVE_BY_CONDITION.format(gone=gone, new_id=NEW_ID), [*parameters, campaign.pk, campaign.name])


LEAVE_BY_CONDITION = """
    WITH gone(id) AS MATERIALIZED ({gone}), gone_now AS (
        UPDATE campaigns_enrollment e SET status = 'exited', reason = 'exit', due_at = NULL, ended_at = now()
        FROM gone WHERE e.lead_id = gone.id AND e.campaign_id = %s AND e.status IN ('active', 'held') RETURNING e.lead_id
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {new_id}, lead_id, clock_timestamp(), 'no_longer_meant', jsonb_build_object('campaign', %s::text) FROM gone_now
"""


def awaited(leads: Sequence[UUID]) -> list[Stage]:
    """The stages where some of these leads wait until a condition holds."""
    there = RawSQL("lead_id = ANY(%s::uuid[])", [array(leads)], output_field=BooleanField())
    stages = Enrollment.objects.filter(there, status=Enrollment.Status.ACTIVE, due_at__isnull=False, stage__options__has_key="until").values("stage")
    return list(Stage.objects.filter(pk__in=stages).order_by("pk"))


def meet(stage: Stage, leads: Sequence[UUID]) -> None:
    """Those who wait here until a condition holds, and for whom it now does, are due at once."""
    met, parameters = as_sql(matching(Lead.objects.among(leads).order_by("pk"), stage.options["until"]).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(MEET.format(met=met), [*parameters, stage.pk])


MEET = """
    WITH met(id) AS MATERIALIZED ({met})
    UPDATE campaigns_enrollment e SET due_at = now() FROM met
    WHERE e.lead_id = met.id AND e.stage_id = %s AND e.status = 'active' AND e.due_at > now()
"""


def reach(campaign: Campaign, leads: Sequence[UUID]) -> list[UUID]:
    """Those on their way that the goal now holds for: the enrollment ends as reached, the lead enters the pipeline. Held ones have a seller already."""
    there = Lead.objects.among(leads).filter(listing__storefront=campaign.storefront_id)
    inner, parameters = as_sql(matching(there.order_by("pk"), campaign.goal).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(REACH.format(there=inner, new_id=NEW_ID, ready_for_sales=READY_FOR_SALES), [*parameters, campaign.pk, campaign.name])
        return [row[0] for row in cursor]


REACH = """
    WITH there(id) AS MATERIALIZED ({there}),
    reached AS (
        UPDATE campaigns_enrollment e SET status = 'reached', due_at = NULL, ended_at = now() FROM there
        WHERE e.lead_id = there.id AND e.campaign_id = %s AND e.status = 'active' RETURNING e.lead_id
    ), moved AS (
        UPDATE leads_lead l SET {ready_for_sales} FROM reached r WHERE r.lead_id = l.id
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {new_id}, lead_id, clock_timestamp(), 'goal_reached', jsonb_build_object('campaign', %s::text) FROM reached
    )
    SELECT lead_id FROM reached
"""
# The fast lane: whoever is in a running demand campaign that asks for it is to be answered sooner, unless somebody did already.
HURRY = f"""
    WITH hurried AS (
        UPDATE leads_lead l SET respond_by = f.at FROM (
            SELECT e.lead_id, min(e.entered_at + c.fast_hours * interval '1 hour') AS at FROM campaigns_enrollment e
            JOIN campaigns_campaign c ON c.id = e.campaign_id AND c.kind = 'demand' AND c.state = 'published' AND c.fast_hours IS NOT NULL
            WHERE e.lead_id = ANY(%(leads)s::uuid[]) AND e.status = 'active' GROUP BY e.lead_id
        ) f WHERE l.id = f.lead_id AND l.respond_by > f.at AND l.first_response_at IS NULL AND l.owner_id IS NOT NULL RETURNING l.id, l.respond_by
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {NEW_ID}, id, clock_timestamp(), 'hurried', jsonb_build_object('respond_by', respond_by) FROM hurried
"""
# Who had an owner when they entered, just now, a running demand campaign that looks for one again.
NEWLY_IN = """
    SELECT DISTINCT e.lead_id FROM campaigns_enrollment e JOIN leads_lead l ON l.id = e.lead_id
    JOIN campaigns_campaign c ON c.id = e.campaign_id AND c.kind = 'demand' AND c.state = 'published' AND c.assigns_anew
    WHERE e.lead_id = ANY(%s::uuid[]) AND e.status = 'active' AND e.entered_at > l.assigned_at AND e.entered_at > now() - interval '1 hour'
"""
# A closed lead leaves every campaign.
LEAVE = """
    UPDATE campaigns_enrollment e SET status = 'exited', reason = 'lead_closed', due_at = NULL, ended_at = now()
    FROM leads_lead l WHERE l.id = e.lead_id AND e.lead_id = ANY(%(leads)s::uuid[]) AND l.status = ANY(%(closed)s) AND e.status IN ('active', 'held')
"""
# A close that is taken back within the hour was a mistake: whoever left by it goes on where they stood, with the time that is left. HOLD comes after, and
# holds those who have a seller.
COME_BACK = """
    UPDATE campaigns_enrollment e SET status = 'active', reason = '', ended_at = NULL,
        due_at = CASE WHEN c.state = 'published' THEN {due} END,
        remaining = CASE WHEN c.state = 'paused' THEN greatest(e.stage_since + s.holds_for - now(), interval '0') END
    FROM leads_lead l, campaigns_campaign c, campaigns_stage s
    WHERE l.id = e.lead_id AND c.id = e.campaign_id AND s.id = e.stage_id AND e.lead_id = ANY(%(leads)s::uuid[]) AND NOT l.status = ANY(%(closed)s)
        AND e.status = 'exited' AND e.reason = 'lead_closed' AND e.ended_at > now() - interval '1 hour' AND c.state <> 'ended'
        AND NOT EXISTS (SELECT FROM campaigns_enrollment n WHERE n.lead_id = e.lead_id AND n.campaign_id = e.campaign_id AND n.round > e.round)
"""
# Nurture is marketing's: while a seller owns the lead it is held, so that nobody is written to by two. Demand generation runs beside the seller.
HOLD = """
    WITH wanted AS (
        SELECT e.id, e.lead_id, l.owner_id IS NOT NULL AS hold, c.state = 'published' AS runs, c.state = 'paused' AS stands, s.holds_for, s.options FROM campaigns_enrollment e
        JOIN campaigns_campaign c ON c.id = e.campaign_id JOIN campaigns_stage s ON s.id = e.stage_id JOIN leads_lead l ON l.id = e.lead_id
        WHERE e.lead_id = ANY(%s::uuid[]) AND c.kind = 'nurture' AND e.status IN ('active', 'held')
    )
    UPDATE campaigns_enrollment e SET status = CASE WHEN w.hold THEN 'held' ELSE 'active' END, reason = CASE WHEN w.hold THEN 'seller' ELSE '' END,
        due_at = CASE WHEN w.runs AND NOT w.hold THEN {due} END,
        remaining = CASE WHEN w.stands AND NOT w.hold THEN greatest(e.stage_since + w.holds_for - now(), interval '0') END
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
    SELECT {NEW_ID}, id, clock_timestamp(), 'status', '{{"was": "new", "status": "nurturing"}}' FROM nurtured RETURNING lead_id
"""
