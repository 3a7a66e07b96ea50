"""A/B/n: people are sent one of several ways by chance, and the way that does best by a stated measure wins, by hand or by itself.

Chance is a hash of the stage and the lead, so it falls the same in the engine, in a dry run and at a second try. Who took which way is kept; the shares
are compared by their 95 % intervals, and a way has won only when its interval lies above those of all others.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import User
from campaigns.flow import Step
from campaigns.models import Campaign, Split, Stage
from campaigns.results import Rate

PARTS = 10_000
EVERY = timedelta(hours=1)
LEAST = 100  # people per way before any can win
MEASURES = ("clicked", "goal", "opportunity")


def bounds(stage: Stage) -> list[int]:
    """Up to which of 10,000 parts each way reaches, by its share among all."""
    shares = [max(0, int(arm.get("share", 1))) for arm in stage.options.get("arms", [])]
    whole, sums = sum(shares) or 1, [sum(shares[: n + 1]) for n in range(len(shares))]
    return [round(PARTS * one / whole) for one in sums]


def arm_of(stage: Stage, lead: UUID, winner: int | None) -> int:
    """The way that a lead takes; the same as in SQL."""
    reach = bounds(stage)
    if winner is not None and winner < len(reach):
        return winner
    part = int(hashlib.md5(f"{stage.key}{lead}".encode(), usedforsecurity=False).hexdigest()[:8], 16) % PARTS
    return next((number for number, end in enumerate(reach) if part < end), len(reach) - 1)


def by_chance(step: Step, winner: int | None) -> tuple[str, list[Any]]:
    """Which way each of those who are due at this split takes, as (lead, split, id of the first stage on it, number of the way)."""
    stage, reach = step.stage, bounds(step.stage)
    if winner is not None and winner < len(reach):
        return "SELECT lead_id, %s::bigint, %s::bigint, %s::int FROM due WHERE stage_id = %s", [
            stage.pk,
            step.way(step.arms[winner]),
            winner,
            stage.pk,
        ]
    number = "CASE " + " ".join(f"WHEN part < {int(end)} THEN {n}" for n, end in enumerate(reach)) + f" ELSE {len(reach) - 1} END"
    ways = "(ARRAY[" + ", ".join(str(int(step.way(arm))) for arm in step.arms) + "]::bigint[])"
    return (
        f"""SELECT lead_id, %s::bigint, {ways}[number + 1], number FROM (
            SELECT lead_id, {number} AS number FROM (
                SELECT lead_id, ('x' || substr(md5(%s || lead_id::text), 1, 8))::bit(32)::bigint %% {PARTS} AS part FROM due WHERE stage_id = %s
            ) AS parts) AS numbered""",
        [stage.pk, str(stage.key), stage.pk],
    )


def winners(keys: Iterable[UUID]) -> dict[UUID, int]:
    """The ways that won, by the key of the split."""
    won = Split.objects.filter(stage_key__in=list(keys), winner__isnull=False)
    return {split.stage_key: split.winner for split in won if split.winner is not None}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way of a split: how many took it, and for how many of them the measure holds since."""

    number: int
    name: str
    rate: Rate


def outcomes(stage: Stage) -> list[Outcome]:
    """Each way with its figures, over all versions; one query."""
    measure = stage.options.get("measure", MEASURES[0])
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(holds=HOLDS[measure if measure in HOLDS else MEASURES[0]]), [stage.key])
        counted = {arm: Rate(hits, n) for arm, n, hits in cursor}
    return [Outcome(number, arm["name"], counted.get(number, Rate(0, 0))) for number, arm in enumerate(stage.options.get("arms", []))]


# What must be true of a choice `c` for the measure to hold.
HOLDS = {
    "clicked": """EXISTS (SELECT FROM campaigns_message m JOIN campaigns_click k ON k.message_id = m.id
                          WHERE m.enrollment_id = c.enrollment_id AND NOT k.by_program AND k.at >= c.at)""",
    "goal": "e.status = 'reached' AND e.ended_at >= c.at",
    "opportunity": "l.opportunity_at >= c.at",
}
COUNT = """
    SELECT c.arm, count(*), count(*) FILTER (WHERE {holds}) FROM campaigns_choice c
    JOIN campaigns_enrollment e ON e.id = c.enrollment_id JOIN leads_lead l ON l.id = e.lead_id WHERE c.stage_key = %s GROUP BY c.arm
"""


def leading(found: list[Outcome], least: int) -> int | None:
    """The way whose interval lies above those of all others, once each was taken by enough people; else none."""
    if len(found) < 2 or any(one.rate.whole < least for one in found):
        return None
    best = max(found, key=lambda one: one.rate.share or 0)
    return best.number if all(best.rate.low > one.rate.high for one in found if one is not best) else None


def undecided(now: datetime) -> list[Stage]:
    """The splits that decide by themselves, of versions that leads enter, and that nobody looked at for an hour."""
    stages = Stage.objects.filter(kind=Stage.Kind.SPLIT, options__auto=True, version__campaign__state=Campaign.State.PUBLISHED)
    looked = dict(Split.objects.values_list("stage_key", "looked_at"))
    settled = set(Split.objects.filter(winner__isnull=False).values_list("stage_key", flat=True))
    current = [stage for stage in stages.select_related("version__campaign") if stage.version_id == stage.version.campaign.current_id]
    return [stage for stage in current if stage.key not in settled and (stage.key not in looked or looked[stage.key] < now - EVERY)]


def decide() -> int:
    """Let the splits whose figures are clear be won; returns how many were looked at. What a person decided meanwhile stays."""
    stages = undecided(timezone.now())
    for stage in stages:
        winner, now = leading(outcomes(stage), int(stage.options.get("least", LEAST))), timezone.now()
        Split.objects.get_or_create(stage_key=stage.key, defaults={"campaign": stage.version.campaign, "looked_at": now})
        open_still = Split.objects.filter(stage_key=stage.key, winner=None)
        open_still.update(looked_at=now, winner=winner, decided_at=None if winner is None else now, decided_by=None)
    return len(stages)


def set_winner(stage: Stage, winner: int | None, by: User) -> None:
    """From now on everybody goes this way, says a person; none: chance decides again."""
    now = timezone.now()
    told = {"campaign": stage.version.campaign, "winner": winner, "looked_at": now, "decided_at": None if winner is None else now, "decided_by": by}
    Split.objects.update_or_create(stage_key=stage.key, defaults=told)
