"""Enrollments that are due move to the next stage: set-wise, in batches, once each however many workers run it.

The stage decides what moving means: an e-mail plans its message, a task becomes somebody's, a branch asks its questions of all who stand there at
once, the last stage ends the enrollment. A batch is one statement; the watermark keeps later batches of a sweep off the dead index entries that
earlier ones left. What a stage does to the lead itself follows in the same transaction.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, BooleanField, Case, IntegerField, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from accounts.ids import NEW_ID
from campaigns.clock import due_in_sql
from campaigns.effects import EFFECTS, closes, holds
from campaigns.flow import Flow, Step
from campaigns.models import Campaign, Stage
from campaigns.splits import by_chance, winners
from leads.conditions import annotated, as_sql, matching, to_q
from leads.models import Lead

BATCH = 5_000
MOST = 1_000_000
Kind = Stage.Kind


def advance() -> int:
    """Move every enrollment that is due, of published campaigns only; returns how many moves were made.

    Claims with FOR NO KEY UPDATE SKIP LOCKED in order of due time: two workers never move the same one. Safe to run twice, at once, or late.
    """
    moved, watermark = 0, None
    while moved < MOST:
        count, watermark = batch(watermark)
        if not count:
            break
        moved += count
    return moved


@dataclass(slots=True)
class Running:
    """The steps of every version that somebody may be on in a published campaign, by stage."""

    steps: dict[int, Step] = field(default_factory=dict)
    campaigns: dict[int, Campaign] = field(default_factory=dict)

    @classmethod
    def now(cls) -> "Running":
        """One query: the stages of all versions of the campaigns that are published."""
        running = cls()
        stages: dict[int, list[Stage]] = {}
        wanted = Stage.objects.filter(version__campaign__state=Campaign.State.PUBLISHED, version__published_at__isnull=False)
        for stage in wanted.select_related("version__campaign__storefront"):
            stages.setdefault(stage.version_id, []).append(stage)
        for of_version in stages.values():
            running.steps |= Flow.of(of_version).steps
            running.campaigns |= {stage.pk: stage.version.campaign for stage in of_version}
        return running

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The steps as the statement reads them."""
        return [row_of(step, self.campaigns[pk]) for pk, step in self.steps.items()]

    def of_kind(self, kind: str) -> list[Step]:
        return [step for step in self.steps.values() if step.stage.kind == kind]

    @property
    def conditional(self) -> list[Step]:
        """Those where one waits until a condition holds."""
        return [step for step in self.steps.values() if "until" in step.stage.options]

    @property
    def at_an_hour(self) -> bool:
        return any("minute" in step.stage.options for step in self.steps.values())


def row_of(step: Step, campaign: Campaign) -> dict[str, Any]:
    stage = step.stage
    return {
        "id": stage.pk, "key": str(stage.key), "kind": stage.kind, "name": stage.name, "campaign": campaign.name, "options": stage.options,
        "next_id": step.after, "holds_for": f"{stage.holds_for.total_seconds()} seconds", "touches": stage.kind in EFFECTS,
        "holds": holds(stage, campaign), "ends_mail": holds(stage, campaign) or closes(stage),
    }  # fmt: skip


def batch(watermark: datetime | None) -> tuple[int, datetime | None]:
    """One claim and all that follows from it, in one transaction; returns (moves, the latest due time moved)."""
    running = Running.now()
    if not running.steps:
        return 0, watermark
    sql, parameters = statement(running, watermark or datetime(1970, 1, 1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        count, latest, touched, unmet = cursor.fetchone()
        for stage, leads in json.loads(touched or "{}").items():
            step = running.steps[int(stage)]
            EFFECTS[step.stage.kind](leads, step.stage, running.campaigns[step.stage.pk].name)
    if unmet:  # their condition may have come true while nobody could see that they wait for it
        Lead.objects.among(json.loads(unmet)).make_stale()
    return int(count), latest or watermark


def statement(running: Running, watermark: datetime) -> tuple[str, list[Any]]:
    """The statement of a batch and its parameters. Questions are asked of the leads as they are before the batch moves anything."""
    splits = running.of_kind(Kind.SPLIT)
    won = winners(step.stage.key for step in splits) if splits else {}
    forks = [*(asked(step) for step in running.of_kind(Kind.BRANCH)), *(by_chance(step, won.get(step.stage.key)) for step in splits)]
    chosen, of_chosen = all_of(forks, "SELECT NULL::uuid, 0::bigint, 0::bigint, 0 WHERE false")
    met, of_met = all_of((until(step) for step in running.conditional), "SELECT NULL::uuid, 0::bigint WHERE false")
    due = due_in_sql("g.next_options", "g.lead_id", "now() + g.next_holds", running.at_an_hour)
    sql = ADVANCE.format(chosen=chosen, met=met, due_at=due, new_id=NEW_ID)
    return sql, [json.dumps(running.rows), watermark, BATCH, *of_chosen, *of_met]


def all_of(parts: Iterable[tuple[str, list[Any]]], nothing: str) -> tuple[str, list[Any]]:
    """Several queries as one, with their parameters."""
    found = list(parts)
    sql = " UNION ALL ".join(f"({part})" for part, _parameters in found) or nothing
    return sql, [one for _part, parameters in found for one in parameters]


def asked(step: Step) -> tuple[str, list[Any]]:
    """Which way each of those who are due at this branch takes, as (lead, branch, id of the first stage on it, no number)."""
    trees = [arm.when for arm in step.arms if not arm.is_otherwise]
    ways = [When(to_q(arm.when), then=Value(step.way(arm))) for arm in step.arms if not arm.is_otherwise]
    way = Case(*ways, default=Value(step.way(step.arms[-1])), output_field=BigIntegerField())
    leads = annotated(due_at(step.stage.pk), *trees)
    no_number = Cast(Value(None), IntegerField())
    return as_sql(leads.values_list("pk", Value(step.stage.pk, output_field=BigIntegerField()), way, no_number))


def until(step: Step) -> tuple[str, list[Any]]:
    """Those who arrive where one waits for a condition that holds for them already, as (lead, stage)."""
    leads = matching(arriving_at(step.stage.pk), step.stage.options["until"])
    return as_sql(leads.values_list("pk", Value(step.stage.pk, output_field=BigIntegerField())))


def due_at(stage: int) -> QuerySet[Lead]:
    """The leads of those who are due at a stage. Looked up as an array of keys: of the statement's own rows there are no statistics."""
    there = RawSQL('"leads_lead"."id" = ANY(ARRAY(SELECT lead_id FROM due WHERE stage_id = %s))', [stage], output_field=BooleanField())
    return Lead.objects.order_by().filter(there)


def arriving_at(stage: int) -> QuerySet[Lead]:
    """The leads of those who come to a stage."""
    there = RawSQL('"leads_lead"."id" = ANY(ARRAY(SELECT lead_id FROM going WHERE to_id = %s))', [stage], output_field=BooleanField())
    return Lead.objects.order_by().filter(there)


# Set: active enrollments at stages of published versions whose time is over. Locks them, skipping those others hold; then, where the stage changes
# the lead, the lead rows, skipping again: whoever follows a lead holds it while waiting for its enrollments, so nobody must wait here the other way
# round. What was skipped stays due. Who is given an owner by a nurture campaign is held at once; following sets them free if nobody could take them.
# Where no mail could go out any more, whoever has one on its way waits for it, for as long as the mail server is asked again.
# Passages are counted in order, so that two batches wait for each other in one direction only.
ADVANCE = """
    WITH flow AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS f(
            id bigint, key uuid, kind text, name text, campaign text, options jsonb, next_id bigint, holds_for interval, touches boolean,
            holds boolean, ends_mail boolean)
    ), due AS MATERIALIZED (
        SELECT e.id, e.stage_id, e.stage_since, e.due_at, e.lead_id FROM campaigns_enrollment e
        WHERE e.status = 'active' AND e.due_at <= now() AND e.due_at >= %s AND e.stage_id IN (SELECT id FROM flow)
        ORDER BY e.due_at LIMIT %s FOR NO KEY UPDATE OF e SKIP LOCKED
    ), chosen(lead_id, stage_id, way, number) AS MATERIALIZED ({chosen}),
    held AS MATERIALIZED (
        SELECT l.id FROM leads_lead l WHERE l.id = ANY(ARRAY(SELECT d.lead_id FROM due d JOIN flow f ON f.id = d.stage_id WHERE f.touches))
        ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED
    ), mail AS MATERIALIZED (
        SELECT d.id, max(m.due_at) AS due_at FROM due d JOIN flow f ON f.id = d.stage_id AND f.ends_mail
        JOIN campaigns_message m ON m.enrollment_id = d.id AND m.state IN ('planned', 'sending')
        WHERE d.stage_since > now() - interval '4 days' GROUP BY d.id
    ), later AS (
        UPDATE campaigns_enrollment e SET due_at = greatest(mail.due_at, now()) + interval '1 minute' FROM mail WHERE e.id = mail.id
    ), going AS MATERIALIZED (
        SELECT d.id, d.lead_id, d.due_at, f.id AS stage_id, f.key, f.kind, f.name, f.campaign, f.touches, f.options, f.holds AND n.id IS NOT NULL AS holds,
            c.number, n.id AS to_id, n.holds_for AS next_holds, n.options AS next_options
        FROM due d JOIN flow f ON f.id = d.stage_id LEFT JOIN chosen c ON c.lead_id = d.lead_id AND c.stage_id = d.stage_id
        LEFT JOIN flow n ON n.id = coalesce(c.way, f.next_id) AND f.kind <> 'exit'
        WHERE (NOT f.touches OR d.lead_id IN (SELECT id FROM held)) AND d.id NOT IN (SELECT id FROM mail)
    ), met(lead_id, stage_id) AS MATERIALIZED ({met}),
    moved AS (
        UPDATE campaigns_enrollment e SET stage_id = coalesce(g.to_id, e.stage_id), stage_since = now(),
            status = CASE WHEN g.to_id IS NULL THEN 'ended' WHEN g.holds THEN 'held' ELSE 'active' END,
            reason = CASE WHEN g.holds THEN 'seller' ELSE '' END,
            ended_at = CASE WHEN g.to_id IS NULL THEN now() END,
            due_at = CASE WHEN g.to_id IS NULL OR g.holds THEN NULL WHEN m.lead_id IS NOT NULL THEN now() ELSE {due_at} END
        FROM going g LEFT JOIN met m ON m.lead_id = g.lead_id AND m.stage_id = g.to_id WHERE e.id = g.id
    ), history AS (
        INSERT INTO campaigns_transition (id, enrollment_id, from_stage_id, to_stage_id, at)
        SELECT {new_id}, id, stage_id, to_id, now() FROM going
    ), choices AS (
        INSERT INTO campaigns_choice (enrollment_id, stage_key, arm, at) SELECT id, key, number, now() FROM going WHERE number IS NOT NULL
        ON CONFLICT DO NOTHING
    ), passed AS (
        INSERT INTO campaigns_passage (from_stage_id, to_stage_id, count)
        SELECT stage_id, to_id, count(*) FROM going GROUP BY stage_id, to_id ORDER BY stage_id, to_id
        ON CONFLICT (from_stage_id, to_stage_id) DO UPDATE SET count = campaigns_passage.count + excluded.count
    ), planned AS (
        INSERT INTO campaigns_message (id, enrollment_id, stage_id, stage_key, state, reason, due_at, language, subject)
        SELECT {new_id}, id, stage_id, key, 'planned', '', now(), '', '' FROM going WHERE kind = 'email'
        ON CONFLICT (enrollment_id, stage_key) DO NOTHING
    ), tasks AS (
        INSERT INTO leads_task (id, lead_id, title, due_at)
        SELECT {new_id}, lead_id, name, now() + make_interval(days => coalesce((options->>'days')::int, 1)) FROM going WHERE kind = 'task'
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {new_id}, lead_id, clock_timestamp(), CASE WHEN kind = 'task' THEN 'task_made' ELSE 'campaign_ended' END,
               jsonb_build_object('campaign', campaign, 'stage', name)
        FROM going WHERE kind = 'task' OR to_id IS NULL
    )
    SELECT count(*), max(due_at), (
        SELECT jsonb_object_agg(stage_id, leads) FROM (SELECT stage_id, jsonb_agg(lead_id) AS leads FROM going WHERE touches GROUP BY stage_id) AS touched
    ), (
        SELECT jsonb_agg(g.lead_id) FROM going g LEFT JOIN met m ON m.lead_id = g.lead_id AND m.stage_id = g.to_id
        WHERE g.next_options ? 'until' AND m.lead_id IS NULL
    ) FROM going
"""
