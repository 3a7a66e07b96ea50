"""Enrollments that are due move on, with history and the messages that this plans.

Reference: a bare UPDATE of the same columns of the same enrollments, and a bare INSERT of the same rows of history and messages. Among many enrolled:
the same number of due ones among few. Due ones lie side by side, as those do that entered in the same days.
"""

import statistics
from collections.abc import Iterator

from django.db import transaction

from bench import crowd
from bench.crowd import kin
from bench.database import drop_kept, keep, rows, run, settle, value
from bench.rows import Bench, Row, measures, say, seconds
from campaigns.advance import advance

ADVANCE, FLAT = "advance due enrollments, with history", "advance: due among many enrolled to few"
TABLES = ("campaigns_enrollment", "campaigns_transition", "campaigns_message")
STAND = f"""
    INSERT INTO campaigns_enrollment (id, campaign_id, lead_id, stage_id, status, reason, entered_at, stage_since, due_at)
    SELECT {kin("9", "i")}, c.id, l.id, s.id, 'active', '', now(), now(), now() + interval '1 day' + (i %% 10000) * interval '1 minute'
    FROM generate_series(%(low)s + 1, %(high)s) AS i JOIN leads_lead l ON l.id = {kin("e", "i")} JOIN listings_listing g ON g.id = l.listing_id
    JOIN campaigns_campaign c ON c.storefront_id = g.storefront_id JOIN campaigns_stage s ON s.version_id = c.current_id AND s.position = 0
"""
FALL_DUE = f"""
    UPDATE campaigns_enrollment e SET stage_id = s.id, stage_since = now(), due_at = now() - (i %% 600) * interval '1 second'
    FROM generate_series(%(from)s + 1, %(from)s + %(due)s) AS i, campaigns_campaign c, campaigns_stage s
    WHERE e.id = {kin("9", "i")} AND c.id = e.campaign_id AND s.version_id = c.current_id AND s.position = 0
"""
BARE_UPDATE = "UPDATE campaigns_enrollment SET stage_id = CASE stage_id WHEN %s THEN %s WHEN %s THEN %s END, stage_since = now(), due_at = now() + interval '4 days' WHERE status = 'active' AND due_at <= now()"  # fmt: skip


def enroll(count: int) -> None:
    """See to it that at least so many of the crowd are enrolled, none due."""
    crowd.grow(count)
    there = value("SELECT count(*) FROM campaigns_enrollment")
    if there < count:
        run(STAND, {"low": there, "high": count})


def fall_due(due: int) -> None:
    """Let so many stand at their campaign's first stage, and be due there. Nothing of an earlier measurement is left."""
    run("TRUNCATE campaigns_transition, campaigns_message")
    enrolled = value("SELECT count(*) FROM campaigns_enrollment")
    run(FALL_DUE, {"from": (enrolled - due) // 2, "due": due})
    settle(*TABLES)


def moved(due: int) -> float:
    """Seconds that advancing them takes."""
    fall_due(due)
    took = seconds(lambda: advance())
    made = value("SELECT count(*) FROM campaigns_transition")
    assert made == due, f"{made} moves of {due}"
    return took


def bare(due: int) -> float:
    """Seconds that the reference takes, with the rows that the last advance left."""
    keep("campaigns_transition", "campaigns_message")
    fall_due(due)
    steps = [pk for one in rows("SELECT a.id, b.id FROM campaigns_stage a JOIN campaigns_stage b USING (version_id) WHERE a.position = 0 AND b.position = 1") for pk in one]  # fmt: skip
    took = seconds(lambda: by_plain_statements(steps))
    drop_kept("campaigns_transition", "campaigns_message")
    return took


def by_plain_statements(steps: list[int]) -> None:
    """One transaction: what its keys check at commit is part of it."""
    with transaction.atomic():
        run(BARE_UPDATE, steps)
        for table in ("campaigns_transition", "campaigns_message"):
            run(f"INSERT INTO {table} SELECT * FROM kept_{table}")


@measures(ADVANCE, FLAT)
def move_on(bench: Bench) -> Iterator[Row]:
    """Few enrolled first, then many."""
    due, few_due = bench.scale.due, bench.scale.few_due
    enroll(max(due, bench.scale.few_enrolled))
    pairs = [(moved(due), bare(due)) for _ in range(2)]
    ours, reference = (min(pair[i] for pair in pairs) for i in (0, 1))
    say(f"  {due:,} due: {ours:.2f} s, reference {reference:.2f} s")
    among_few = statistics.median(moved(few_due) for _ in range(3))
    enroll(bench.scale.many_leads)
    among_many = statistics.median(moved(few_due) for _ in range(3))
    yield Row(ADVANCE, due / ours, due / reference, "moves/s", 0.5, 0.75)
    yield Row(FLAT, among_many * 1000, among_few * 1000, "ms", 1.3, 1, more_is_better=False)
    run(f"TRUNCATE {', '.join(TABLES)}")
