"""Enrollments that are due move on, with history and the messages that this plans.

Reference: a bare UPDATE of the same columns of the same enrollments, and a bare INSERT of the same rows of history and messages. Among many enrolled:
the same number of due ones among few. Due ones lie side by side, as those do that entered in the same days.
"""

import json
import statistics
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bench import crowd
from bench.crowd import kin
from bench.database import drop_kept, keep, rows, run, settle, value
from bench.rows import Bench, Row, measures, say, seconds
from campaigns.advance import advance
from campaigns.models import Campaign, Stage, Version
from campaigns.sweep import let_in
from listings.models import Storefront

ADVANCE, FLAT = "advance due enrollments, with history", "advance: due among many enrolled to few"
ENTRY, BRANCH = "entry: find and enroll those who fit", "advance: a branch with 10 questions to a stage without"
TABLES = ("campaigns_enrollment", "campaigns_transition", "campaigns_message")
ROUND = "campaigns_passage, campaigns_click, campaigns_mailevent, campaigns_choice"  # tables round about them
STAND = f"""
    INSERT INTO campaigns_enrollment (id, campaign_id, lead_id, stage_id, status, reason, entered_at, stage_since, due_at)
    SELECT {kin("9", "i")}, c.id, l.id, s.id, 'active', '', now(), now(), now() + interval '1 day' + (i %% 10000) * interval '1 minute'
    FROM generate_series(%(low)s::bigint + 1, %(high)s) AS i JOIN leads_lead l ON l.id = {kin("e", "i")} JOIN listings_listing g ON g.id = l.listing_id
    JOIN campaigns_campaign c ON c.storefront_id = g.storefront_id JOIN campaigns_stage s ON s.version_id = c.current_id AND s.position = 0
"""
FALL_DUE = f"""
    UPDATE campaigns_enrollment e SET stage_id = s.id, stage_since = now(), due_at = now() - (i %% 600) * interval '1 second'
    FROM generate_series(%(from)s::bigint + 1, %(from)s + %(due)s) AS i, campaigns_campaign c, campaigns_stage s
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
    run(f"TRUNCATE campaigns_transition, campaigns_message, {ROUND}")
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


def fresh() -> None:
    """Nobody is enrolled, and nothing tells of it."""
    run(f"TRUNCATE {', '.join(TABLES)}, {ROUND}")
    run("DELETE FROM leads_activity WHERE kind = 'enrolled'")


@measures(ENTRY)
def let_in_those_who_fit(bench: Bench) -> Iterator[Row]:
    """One lead in ten fits the entry of one campaign, the others enter nothing. Reference: the very rows that this left, by INSERT ... SELECT."""
    crowd.grow(bench.scale.leads)
    campaign = Campaign.objects.filter(current__isnull=False).order_by("pk")[0]
    run("UPDATE campaigns_campaign SET entry = %s::jsonb WHERE id = %s", [json.dumps(ENTRY_CONDITION), campaign.pk])
    campaign.refresh_from_db()
    fresh()
    settle("leads_lead", "leads_activity", *TABLES)
    took, entered = timed(lambda: let_in(campaign))
    keep("campaigns_enrollment")
    run("CREATE TABLE kept_told AS SELECT * FROM leads_activity WHERE kind = 'enrolled'")
    fresh()
    settle("leads_activity", "campaigns_enrollment")
    bare = seconds(insert_kept)
    drop_kept("campaigns_enrollment")
    run("DROP TABLE kept_told")
    run("UPDATE campaigns_campaign SET entry = '{}'::jsonb WHERE id = %s", [campaign.pk])
    say(f"  {entered:,} of {bench.scale.leads:,} entered in {took:.2f} s, reference {bare:.2f} s")
    yield Row(ENTRY, took, bare, "s", 3, 2, more_is_better=False, holds=entered > bench.scale.leads / 50)
    fresh()


ENTRY_CONDITION = {"any": [{"field": "country", "op": "in", "value": ["CZ", "DE", "BR"]}, {"field": "score", "op": "at_least", "value": 75}]}


def insert_kept() -> None:
    with transaction.atomic():
        run("INSERT INTO campaigns_enrollment SELECT * FROM kept_campaigns_enrollment")
        run("INSERT INTO leads_activity SELECT * FROM kept_told")


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """(seconds, what it returned)."""
    found: list[int] = []
    return seconds(lambda: found.append(work())), found[0]


@measures(BRANCH)
def ask_ten_questions(bench: Bench) -> Iterator[Row]:
    """The same people due at a task-free wait, and at a branch with ten questions of which none holds for most."""
    due = bench.scale.due
    crowd.grow(due)
    campaign = Campaign.objects.create(slug="questions", name="Questions", kind="demand", storefront=Storefront.objects.order_by("pk")[0])
    version = Version.objects.create(campaign=campaign, number=1, published_at=timezone.now())
    wait = Stage.objects.create(version=version, position=0, kind="wait", name="Wait", holds_for=timedelta(days=1))
    arms = [
        {"name": f"Way {n}", "when": {"all": [{"field": "score", "op": "is", "value": n}, {"field": "interactions", "op": "at_least", "value": 3}]}}
        for n in range(10)
    ]
    branch = Stage.objects.create(version=version, position=1, kind="branch", name="Ten", options={"arms": arms})
    goal = Stage.objects.create(version=version, position=2, kind="goal", name="On", holds_for=timedelta(days=90))
    Stage.objects.filter(pk=wait.pk).update(then=goal)
    Campaign.objects.filter(pk=campaign.pk).update(state="published", current=version)

    def walk(stage: Stage) -> float:
        run(f"TRUNCATE {', '.join(TABLES)}, {ROUND}")
        run(STAND_AT, {"campaign": campaign.pk, "stage": stage.pk, "due": due})
        settle(*TABLES)
        took = seconds(lambda: advance())
        made = value("SELECT count(*) FROM campaigns_transition")
        assert made == due, f"{made} moves of {due}"
        return took

    pairs = [(walk(branch), walk(wait)) for _ in range(2)]
    ours, reference = (min(pair[i] for pair in pairs) for i in (0, 1))
    yield Row(BRANCH, ours * 1000, reference * 1000, "ms", 2, 1.5, more_is_better=False)
    run(f"TRUNCATE {', '.join(TABLES)}, {ROUND}")
    Campaign.objects.filter(pk=campaign.pk).update(current=None)
    campaign.delete()


STAND_AT = f"""
    INSERT INTO campaigns_enrollment (id, campaign_id, lead_id, stage_id, status, reason, entered_at, stage_since, due_at)
    SELECT {kin("9", "i")}, %(campaign)s, {kin("e", "i")}, %(stage)s, 'active', '', now(), now(), now() - (i %% 600) * interval '1 second'
    FROM generate_series(1, %(due)s) AS i
"""


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
    fresh()
