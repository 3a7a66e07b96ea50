"""The score version in force, for reading: its rules in words, and for what share of the newest leads each of them counted."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.access import allow
from accounts.remembered import remembered
from accounts.roles import OFFICE
from leads.models import Cluster, Lead
from leads.wording import in_words
from scoring.models import ScoreRule, ScoreVersion

SAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One rule with how often it counted."""

    rule: ScoreRule
    name: str
    condition: str
    held: int


@allow(*OFFICE)
def version(request: HttpRequest) -> HttpResponse:
    """What the score is made of."""
    current = ScoreVersion.in_force()
    rules = list(current.rules.order_by("position"))
    counts = remembered(f"scoring {current.number}", lambda: counted(current, rules))
    rows = [Row(rule, _(rule.name), in_words(rule.condition), counts[f"held{i}"] or 0) for i, rule in enumerate(rules)]
    parts = [
        (_("Fit"), _("who they are"), current.fit_cap, current.fit_high, [row for row in rows if row.rule.part == ScoreRule.Part.FIT]),
        (_("Intent"), _("what they do"), current.intent_cap, current.intent_high, [row for row in rows if row.rule.part == ScoreRule.Part.INTENT]),
    ]
    clusters = [(value, counts[value] or 0) for value in Cluster.values]
    context = {"version": current, "parts": parts, "clusters": clusters, "sample": counts["leads"] or 0, "bound": SAMPLE}
    return render(request, "scoring/version.html", context)


def counted(version: ScoreVersion, rules: list[ScoreRule]) -> dict[str, Any]:
    """Among the newest leads scored under this version: how many got points from each rule, and how many are in each cluster. One query, bounded."""
    newest = Lead.objects.filter(score_version=version.number).order_by("-received_at", "-id").values("pk")[:SAMPLE]
    held: dict[str, Any] = {f"held{i}": Count("pk", filter=~Q(**{f"score_points__{i}": 0})) for i in range(len(rules))}
    clusters: dict[str, Any] = {value: Count("pk", filter=Q(cluster=value)) for value in Cluster.values}
    return Lead.objects.filter(pk__in=newest).aggregate(leads=Count("pk"), **held, **clusters)
