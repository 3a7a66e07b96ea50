"""Step 4a of a lead's path: the score of stale leads, 0-100 = fit + intent, with the points of every rule and of the caps kept beside it.

The explanation is the points in the version's rule order, then the cap of each part and what a campaign added; its words come from the immutable version, so that a
score explains itself in every language and adds up exactly.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Func, IntegerField, QuerySet, Value, When

from accounts.ids import NEW_ID
from accounts.locks import only_one
from leads.conditions import annotated, as_sql, fields, leaves, to_q
from leads.models import Lead
from listings.models import Publisher
from scoring.models import ScoreRule, ScoreVersion

LOCK = 0x5C0E
BUDGET = 2.0  # seconds of one decay
TOLD_FROM = 10  # points; smaller changes within a cluster stay off the timeline


class Faded(Func):
    """Points halved once per half-life, by whole days since the last act."""

    template = "round(%(points)s * power(0.5, greatest(0, floor(extract(epoch from now() - %(expressions)s) / 86400)) / %(half_life)s.0))::int"
    output_field = IntegerField()


def points_of(rule: ScoreRule) -> Any:
    if rule.half_life_days:
        return Faded(F("last_interaction_at"), points=int(rule.points), half_life=int(rule.half_life_days))
    return Value(rule.points)


def judged(leads: QuerySet[Lead], rules: Sequence[ScoreRule]) -> QuerySet[Any, Any]:
    """Per lead the points of every rule, in rule order, and last what a campaign adds."""
    facts = annotated(leads.order_by(), *(rule.condition for rule in rules))
    points = {f"p{i}": Case(When(to_q(rule.condition), then=points_of(rule)), default=Value(0)) for i, rule in enumerate(rules)}
    return facts.annotate(**points).values_list("pk", *points, "bonus")


def score(leads: Sequence[UUID] | None, version: ScoreVersion | None = None) -> int:
    """Score the given leads (None: all) under the version in force; returns how many. Takes their row locks in the order PostgreSQL meets them,
    so callers that run beside others hold them already. Changes worth telling go on the timeline."""
    version = version or ScoreVersion.in_force()
    rules = list(version.rules.order_by("position"))
    queryset = Lead.objects.all() if leads is None else Lead.objects.among(leads)
    inner, parameters = as_sql(judged(queryset, rules))
    with connection.cursor() as cursor:
        cursor.execute(statement(inner, version, rules), parameters)
        return int(cursor.fetchone()[0])


def counts_days(leaf: dict[str, Any]) -> bool:
    """Whether this part of a condition can come to hold, or to hold no more, because days pass."""
    return fields()[leaf["field"]].type == "days" and leaf["op"] != "empty"


def statement(inner: str, version: ScoreVersion, rules: Sequence[ScoreRule]) -> str:
    """One UPDATE of all leads of `inner`. The points are materialised: unfenced, the planner computes them again at each use."""

    def total(part: str) -> str:
        return " + ".join([f"p[{i + 1}]" for i, rule in enumerate(rules) if rule.part == part] or ["0"])

    columns = ", ".join(["id", *(f"p{i}" for i in range(len(rules))), "bonus"])
    points = ", ".join(f"p{i}" for i in range(len(rules)))
    fading = " OR ".join([f"p[{i + 1}] > 0" for i, rule in enumerate(rules) if rule.half_life_days] or ["false"])
    longest = max((int(leaf["value"]) for rule in rules for leaf in leaves(rule.condition) if counts_days(leaf)), default=-1) + 1
    return f"""
        WITH judged({columns}) AS MATERIALIZED ({inner}),
        pointed AS MATERIALIZED (SELECT id, bonus, ARRAY[{points}]::smallint[] AS p FROM judged),
        summed AS (SELECT id, p, bonus, ({total("fit")}) AS fit_sum, ({total("intent")} + bonus) AS intent_sum, ({fading}) AS fades FROM pointed),
        capped AS MATERIALIZED (
            SELECT *, greatest(0, least({version.fit_cap:d}, fit_sum)) AS fit, greatest(0, least({version.intent_cap:d}, intent_sum)) AS intent FROM summed
        ),
        scored AS (
            UPDATE leads_lead AS l SET fit = c.fit, intent = c.intent, score = c.fit + c.intent, score_version = {version.number:d},
                score_points = c.p || ARRAY[c.fit - c.fit_sum, c.intent - c.intent_sum, c.bonus]::smallint[],
                cluster = CASE WHEN c.fit >= {version.fit_high:d} THEN CASE WHEN c.intent >= {version.intent_high:d} THEN 'act_now' ELSE 'nurture' END
                               ELSE CASE WHEN c.intent >= {version.intent_high:d} THEN 'evaluate' ELSE 'educate' END END,
                rescore_at = CASE WHEN c.fades OR now() - l.last_interaction_at < {longest:d} * interval '1 day'
                    THEN l.last_interaction_at + (floor(extract(epoch from now() - l.last_interaction_at) / 86400) + 1) * interval '1 day' END
            FROM capped c WHERE c.id = l.id
            RETURNING l.id, old.score AS was, new.score AS score, old.cluster AS was_cluster, new.cluster AS cluster
        ),
        told AS (
            INSERT INTO leads_activity (id, lead_id, at, kind, data)
            SELECT {NEW_ID}, id, clock_timestamp(), 'scored', jsonb_build_object('was', was, 'score', score, 'cluster', cluster) FROM scored
            WHERE was IS NULL OR was_cluster <> cluster OR abs(was - score) >= {TOLD_FROM:d}
        )
        SELECT count(*) FROM scored
    """


def rescore() -> int:
    """Make every open lead stale if somebody asked for it; returns 1 when they did. Locks leads some at a time, in id order (make_stale). One session at a
    time; what is asked meanwhile is done the next time."""
    asked = Publisher.objects.filter(rescore_asked_at__isnull=False)
    with only_one(LOCK) as is_ours:
        at = asked.values_list("rescore_asked_at", flat=True).first() if is_ours else None
        if at is None:
            return 0
        Lead.objects.open().make_stale()
        return asked.filter(rescore_asked_at=at).update(rescore_asked_at=None)


def decay() -> int:
    """Make leads stale whose points have faded by another day, as many as the time allows; returns how many. The path then scores them again."""
    faded, until = 0, time.monotonic() + BUDGET
    while (some := fade()) and time.monotonic() < until:
        faded += some
    return faded + some


def fade() -> int:
    """The same for so many at the most. Locks leads, skipping those others hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE leads_lead SET stale_since = now(), rescore_at = NULL WHERE id IN (
                   SELECT id FROM leads_lead WHERE rescore_at <= now() ORDER BY rescore_at LIMIT 5000 FOR UPDATE SKIP LOCKED)"""
        )
        return cursor.rowcount
