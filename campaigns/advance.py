"""Enrollments that are due move to the next stage: set-wise, in batches, once each however many workers run it.

The stage decides what moving means: an e-mail plans its message, a task becomes somebody's, the last stage ends the enrollment. A batch is one
statement; the watermark keeps later batches of a sweep off the dead index entries that earlier ones left.
"""

from datetime import datetime

from django.db import connection

from accounts.ids import NEW_ID

BATCH = 5_000


def advance(limit: int = 1_000_000) -> int:
    """Move every enrollment that is due, of published campaigns only; returns how many moves were made.

    Claims with FOR UPDATE SKIP LOCKED in order of due time: two workers never move the same one. Safe to run twice, at once, or late.
    """
    moved, watermark = 0, None
    while moved < limit:
        count, watermark = batch(min(BATCH, limit - moved), watermark)
        if not count:
            break
        moved += count
    return moved


def batch(limit: int, watermark: datetime | None) -> tuple[int, datetime | None]:
    """One claim and all that follows from it, in one statement; returns (moves, the latest due time moved)."""
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, {"limit": limit, "watermark": watermark or datetime(1970, 1, 1)})
        count, latest = cursor.fetchone()
        return int(count), latest or watermark


ADVANCE = f"""
    WITH flow AS MATERIALIZED (
        SELECT s.id, s.kind, s.name, c.name AS campaign, next.id AS next_id, next.kind AS next_kind, next.holds_for AS next_holds
        FROM campaigns_stage s JOIN campaigns_campaign c ON c.id = s.campaign_id AND c.state = 'published'
        LEFT JOIN LATERAL (SELECT n.id, n.kind, n.holds_for FROM campaigns_stage n WHERE n.campaign_id = s.campaign_id AND n.position > s.position
                           ORDER BY n.position LIMIT 1) next ON true
    ), due AS MATERIALIZED (
        SELECT e.id, e.stage_id, e.due_at, e.lead_id FROM campaigns_enrollment e
        WHERE e.status = 'active' AND e.due_at <= now() AND e.due_at >= %(watermark)s AND e.stage_id IN (SELECT id FROM flow)
        ORDER BY e.due_at LIMIT %(limit)s FOR UPDATE OF e SKIP LOCKED
    ), moved AS (
        UPDATE campaigns_enrollment e SET stage_id = coalesce(f.next_id, e.stage_id), stage_since = now(),
            status = CASE WHEN f.next_id IS NULL OR f.kind = 'exit' THEN 'ended' ELSE 'active' END,
            ended_at = CASE WHEN f.next_id IS NULL OR f.kind = 'exit' THEN now() END,
            due_at = CASE WHEN f.next_id IS NULL OR f.kind = 'exit' THEN NULL ELSE now() + f.next_holds END
        FROM due d JOIN flow f ON f.id = d.stage_id WHERE e.id = d.id
    ), history AS (
        INSERT INTO campaigns_transition (id, enrollment_id, from_stage_id, to_stage_id, at)
        SELECT {NEW_ID}, d.id, f.id, f.next_id, now() FROM due d JOIN flow f ON f.id = d.stage_id
    ), planned AS (
        INSERT INTO campaigns_message (id, enrollment_id, stage_id, state, reason, due_at, language, subject)
        SELECT {NEW_ID}, d.id, f.id, 'planned', '', now(), '', '' FROM due d JOIN flow f ON f.id = d.stage_id WHERE f.kind = 'email'
        ON CONFLICT (enrollment_id, stage_id) DO NOTHING
    ), tasks AS (
        INSERT INTO leads_task (id, lead_id, title, due_at)
        SELECT {NEW_ID}, d.lead_id, f.name, now() + interval '1 day' FROM due d JOIN flow f ON f.id = d.stage_id WHERE f.kind = 'task'
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {NEW_ID}, d.lead_id, clock_timestamp(), CASE WHEN f.kind = 'task' THEN 'task_made' ELSE 'campaign_ended' END,
               jsonb_build_object('campaign', f.campaign, 'stage', f.name)
        FROM due d JOIN flow f ON f.id = d.stage_id WHERE f.kind = 'task' OR f.next_id IS NULL
    )
    SELECT count(*), max(due_at) FROM due
"""
