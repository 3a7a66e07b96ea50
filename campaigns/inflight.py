"""Moving those in flight: people who entered on an earlier version go on with the one that runs, each at the stage that matches theirs best.

Who stands at a stage that the new version kept lands there with the time they have left; whose stage is gone lands at the next one after it that was
kept on their way, or else at the end. What that skips or repeats is said beforehand, stage by stage; a mail that went out is never repeated (campaigns.send).
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.ids import NEW_ID
from campaigns.carry_out import carry_out
from campaigns.clock import due_in_sql
from campaigns.flow import Flow, Step
from campaigns.models import Campaign, Enrollment, Stage, Version


@dataclass(slots=True)
class Landing:
    """Those who stand at one stage of an earlier version: where they would land, and what they would miss or meet again."""

    version: Version
    stage: Stage
    to: Stage | None
    people: int
    skipped: list[Stage]
    repeated: list[Stage]

    @property
    def stays(self) -> bool:
        """Whether it is the same stage in the new version."""
        return self.to is not None and self.to.key == self.stage.key


def landings(campaign: Campaign) -> list[Landing]:
    """Where everybody on an earlier version would land, by version and stage in the order they are read. Nothing is written."""
    current = campaign.current
    if current is None:
        return []
    new = Flow.of(current.stages.all())
    people = standing(campaign)
    found = []
    for version in campaign.versions.exclude(pk=current.pk).filter(published_at__isnull=False).prefetch_related("stages").order_by("number"):
        old = Flow.of(version.stages.all())
        found += [landing(version, step, old, new, people[pk]) for pk, step in old.steps.items() if people.get(pk)]
    return found


def standing(campaign: Campaign) -> dict[int, int]:
    """How many are on their way, by stage."""
    here = Enrollment.objects.filter(campaign=campaign).running()
    return dict(here.values_list("stage").annotate(n=Count("pk")).order_by())


def landing(version: Version, step: Step, old: Flow, new: Flow, people: int) -> Landing:
    """For one stage. The first stage from here on, as people walk, that the new version has too."""
    kept = {one.stage.key: one for one in new.steps.values()}
    to = next((kept[one.stage.key] for one in old.onward(step) if one.stage.key in kept), None)
    before = old.around(step.stage)
    passed = {one.stage.key for one in before[: before.index(step)]}
    ahead = new.around(to.stage, old.arms_to(step.stage)) if to else list(new.steps.values())
    place = ahead.index(to) if to else len(ahead)
    return Landing(
        version, step.stage, to.stage if to else None, people,
        skipped=[one.stage for one in ahead[:place] if one.stage.key not in passed],
        repeated=[one.stage for one in ahead[place:] if one.stage.key in passed],
    )  # fmt: skip


def move_in_flight(campaign: Campaign) -> int:
    """Let everybody who is on an earlier version go on with the one that runs; returns how many moved.

    One transaction. Locks the campaign, so that nobody publishes meanwhile, then the enrollments, stage by stage; those that advance moves at this
    moment are waited for. Raises ValidationError when nothing runs, or what was said of the campaign is still being carried out.
    """
    carry_out(campaign.pk)
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if locked.current is None:
            raise ValidationError(_("Nothing was published yet."))
        if locked.said_at:  # a pause that is half carried out would cost some of them what was left of their time
            raise ValidationError(_("It is still being started or paused for everybody in it; try again in a minute."))
        Campaign.objects.filter(pk=campaign.pk).update(swept_at=None)  # some may land where they need not wait
        return sum(land(one, locked) for one in landings(locked))


def land(one: Landing, campaign: Campaign) -> int:
    """Move those at one stage; whose time at the stage goes on keeps their due time."""
    runs = campaign.state == Campaign.State.PUBLISHED
    at_an_hour = bool(one.to and "minute" in one.to.options)
    due = due_in_sql("s.options", "e.lead_id", "now() + s.holds_for", at_an_hour)
    values: dict[str, Any] = {"from": one.stage.pk, "to": one.to.pk if one.to else None, "stays": one.stays, "runs": runs}
    with connection.cursor() as cursor:
        cursor.execute((LAND if one.to else END).format(due=due), values)
        return int(cursor.fetchone()[0])


TOLD = f"""
    , history AS (
        INSERT INTO campaigns_transition (id, enrollment_id, from_stage_id, to_stage_id, at) SELECT {NEW_ID}, id, %(from)s, %(to)s, now() FROM moved
    ), passed AS (
        INSERT INTO campaigns_passage (from_stage_id, to_stage_id, count) SELECT %(from)s, %(to)s, count(*) FROM moved HAVING count(*) > 0
        ON CONFLICT (from_stage_id, to_stage_id) DO UPDATE SET count = campaigns_passage.count + excluded.count
    )
    SELECT count(*) FROM moved
"""
LAND = f"""
    WITH moved AS (
        UPDATE campaigns_enrollment e SET stage_id = s.id, stage_since = CASE WHEN %(stays)s THEN e.stage_since ELSE now() END,
            remaining = CASE WHEN %(stays)s THEN e.remaining END,
            due_at = CASE WHEN NOT %(runs)s OR e.status = 'held' THEN NULL WHEN %(stays)s THEN e.due_at ELSE {{due}} END
        FROM campaigns_stage s WHERE s.id = %(to)s AND e.stage_id = %(from)s AND e.status IN ('active', 'held') RETURNING e.id
    ){TOLD}
"""
END = f"""
    WITH moved AS (
        UPDATE campaigns_enrollment e SET status = 'ended', ended_at = now(), due_at = NULL
        WHERE e.stage_id = %(from)s AND e.status IN ('active', 'held') RETURNING e.id
    ){TOLD}
"""
