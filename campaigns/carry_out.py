"""What a person said of a campaign, start, pause or end, is carried out for each of those in it: after it was said, some at a time. So it counts at once,
however many they are, and holds nobody up who follows leads meanwhile."""

import time
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.locks import only_one
from campaigns.clock import due_in_sql
from campaigns.models import Campaign, Message, Stage

LOCK = 0xCA44
BATCH = 20_000
PATIENCE = 1.0  # seconds that a person waits for it; the rest is the workers'
BUDGET = 60.0
FIRST = UUID(int=0)
State = Campaign.State


def carry_out_all() -> int:
    """What was said of any campaign, for a minute each at the most; returns for how many people it was carried out."""
    return sum(carry_out(pk, BUDGET) for pk in Campaign.objects.filter(said_at__isnull=False).values_list("pk", flat=True))


def carry_out(campaign: int, seconds: float = PATIENCE) -> int:
    """Carry out what was last said of this campaign, as far as the time goes; returns for how many people.

    Set: its enrollments that are not yet as its state wants them, in order of their ids. Per batch one transaction, which holds the campaign against another
    word and locks the enrollments, skipping those that others hold; another round comes for them. One session at a time.
    """
    done, until = 0, time.monotonic() + seconds
    with only_one(LOCK, campaign) as is_ours:
        said, after, before = None, FIRST, 0
        while is_ours and time.monotonic() < until:
            with transaction.atomic():
                state, at = word(campaign)
                if at is None or state not in WHOM:
                    break
                if at != said:
                    said, after, before = at, FIRST, done
                count, last = some(state, campaign, at, after)
            done, after = done + count, last or FIRST
            if last is None and (is_over(state, campaign, at) or done == before):
                break
            before = before if last else done
    return done


def word(campaign: int) -> tuple[str, datetime | None]:
    """The campaign's state and when it was said, if that is still to be carried out. Nobody says anything else before the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, said_at FROM campaigns_campaign WHERE id = %s FOR SHARE", [campaign])
        return cursor.fetchone() or ("", None)


def some(state: str, campaign: int, at: datetime, after: UUID) -> tuple[int, UUID | None]:
    """Carry it out for a batch of those after this one; returns how many they were, and the last of them."""
    at_an_hour = state == State.PUBLISHED and Stage.objects.filter(version__campaign=campaign, options__has_key="minute").exists()
    what = WHAT[state].format(due=due_in_sql("s.options", "e.lead_id", MOMENT, at_an_hour))
    with connection.cursor() as cursor:
        cursor.execute(SOME.format(whom=WHOM[state], what=what), {"campaign": campaign, "after": after, "most": BATCH, "said": at})
        count, last = cursor.fetchone()
    return int(count), last


def is_over(state: str, campaign: int, at: datetime) -> bool:
    """Whether nobody is left of whom it was said; then it is noted, unless something else was said meanwhile. No mail of an ended campaign stays planned."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM campaigns_enrollment e WHERE e.campaign_id = %s AND {WHOM[state]})", [campaign])
        if cursor.fetchone()[0]:
            return False
    if state == State.ENDED:
        planned = Message.objects.filter(stage__version__campaign=campaign, state=Message.State.PLANNED)
        planned.update(state=Message.State.WITHHELD, reason="exited")
    Campaign.objects.filter(pk=campaign, said_at=at).update(said_at=None)
    return True


WHOM: dict[str, str] = {
    State.PUBLISHED: "e.status = 'active' AND e.due_at IS NULL",
    State.PAUSED: "e.status = 'active' AND e.due_at IS NOT NULL",
    State.ENDED: "e.status IN ('active', 'held')",
}
# Whoever waits is due after their stage's time, counted from now, or goes on where a pause stopped them. An hour of the day is not put off by a pause:
# it is the first such hour after their stage's time that has not passed yet.
MOMENT = "CASE WHEN e.remaining IS NULL THEN now() + s.holds_for ELSE greatest(e.stage_since + s.holds_for, now()) END"
WHAT: dict[str, str] = {
    State.PUBLISHED: """
        stage_since = CASE WHEN e.remaining IS NULL THEN now() ELSE e.stage_since END, remaining = NULL,
        due_at = CASE WHEN e.remaining IS NULL OR s.options ? 'minute' THEN {due} ELSE now() + greatest(e.remaining, interval '0') END
    """,
    State.PAUSED: "due_at = NULL, remaining = e.due_at - %(said)s",
    State.ENDED: "status = 'exited', reason = 'campaign_over', due_at = NULL, ended_at = now()",
}
SOME = """
    WITH batch AS MATERIALIZED (
        SELECT e.id FROM campaigns_enrollment e WHERE e.campaign_id = %(campaign)s AND e.id > %(after)s AND {whom}
        ORDER BY e.id LIMIT %(most)s FOR NO KEY UPDATE OF e SKIP LOCKED
    ), done AS (
        UPDATE campaigns_enrollment e SET {what} FROM batch, campaigns_stage s WHERE e.id = batch.id AND s.id = e.stage_id RETURNING e.id
    )
    SELECT (SELECT count(*) FROM done), (SELECT id FROM batch ORDER BY id DESC LIMIT 1)
"""
