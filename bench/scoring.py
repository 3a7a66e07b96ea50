"""A new score version over all leads.

Reference: one UPDATE of the same indexed column of the same rows.
"""

from collections.abc import Iterator

from bench import crowd
from bench.database import run, settle
from bench.rows import Bench, Row, measures, say, seconds
from scoring.models import ScoreVersion
from scoring.score import score

RESCORE = "rescore all leads under a new version"


def next_version() -> ScoreVersion:
    """A version like the one in force, with other points for three of its rules."""
    old = ScoreVersion.in_force()
    new = ScoreVersion.objects.create(number=old.number + 1, fit_high=old.fit_high, intent_high=old.intent_high)
    for rule in old.rules.order_by("position"):
        rule.pk, rule.version = None, new
        rule.points += 3 if rule.position % 7 == 0 else 0
        rule.save()
    new.publish()
    return new


@measures(RESCORE)
def rescore(bench: Bench) -> Iterator[Row]:
    """All leads are scored once first, so that a new version changes what a new version changes."""
    count = bench.scale.leads
    crowd.grow(count)
    score(None)
    settle("leads_lead", "leads_activity")
    reference = seconds(lambda: run("UPDATE leads_lead SET score = (score + 1) % 101"))
    run("UPDATE leads_lead SET score = (score + 100) % 101")
    settle("leads_lead")
    version = next_version()
    ours = seconds(lambda: score(None, version))
    settle("leads_lead", "leads_activity")
    say(f"  {count:,} leads: {ours:.1f} s, bare UPDATE {reference:.1f} s")
    yield Row(RESCORE, count / ours, count / reference, "leads/s", 0.3, 0.6)
