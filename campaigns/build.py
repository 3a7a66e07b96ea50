"""Building a draft: begin one from what runs, add, move, copy and remove stages, drop the draft. What is published is never changed.

Every verb locks the campaign and then reads its stage anew, so that two people who build at once take turns, and publishing sees a draft that is whole.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ids import uuid7
from campaigns.flow import Flow
from campaigns.kinds import MOST_ARMS, MOST_STAGES
from campaigns.models import Campaign, Enrollment, Stage, StageText, Version

COPIED = ("kind", "name", "holds_for", "options", "arm", "position")


def draft_of(campaign: Campaign) -> Version:
    """The campaign's draft; without one, a new one that says what runs now."""
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        draft = locked.draft
        if draft is None:
            latest = locked.versions.latest("number")
            draft = Version.objects.create(campaign=campaign, number=latest.number + 1)
            copy(list(locked.version.stages.prefetch_related("texts")), draft, keep_keys=True)
        return draft


def drop(campaign: Campaign) -> bool:
    """Throw the draft away; false when there is none, or nothing was ever published that could stay."""
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if locked.draft is None or locked.current is None:
            return False
        locked.draft.delete()
        return True


def copy(stages: Iterable[Stage], to: Version, keep_keys: bool) -> dict[int, Stage]:
    """Stages with their texts, as stages of another version; returns the new ones by the old ones' ids.

    Parents and jumps that are among the stages point at their copies; a parent that is not stays who it is, a jump that is not is dropped.
    """
    old = list(stages)
    made = {stage.pk: Stage(version=to, key=stage.key if keep_keys else uuid7(), **{name: getattr(stage, name) for name in COPIED}) for stage in old}
    Stage.objects.bulk_create(made.values())
    texts = [(made[stage.pk], text) for stage in old for text in stage.texts.all()]
    StageText.objects.bulk_create(
        StageText(stage=new, language=text.language, subject=text.subject, body=text.body, mjml=text.mjml, html=text.html) for new, text in texts
    )
    for stage in old:
        made[stage.pk].parent, made[stage.pk].then = made.get(stage.parent_id or 0), made.get(stage.then_id or 0)
    Stage.objects.bulk_update(made.values(), ["parent", "then"])
    return made


def add(version: Version, kind: str, name: str, place: tuple[Stage | None, int, int], options: dict[str, Any] | None = None) -> Stage:
    """A new stage at a place: (the branch it stands in or none, the arm, the position among those there). Raises ValidationError when there is no room."""
    parent, arm, position = place
    with building(version):
        parent = as_it_is(parent) if parent else None
        if version.stages.count() >= MOST_STAGES:
            raise ValidationError(_("A campaign may have %(n)d stages."), params={"n": MOST_STAGES})
        row = siblings(version, parent, arm)
        made = Stage(version=version, kind=kind, name=name, parent=parent, arm=arm, position=len(row), options=options or {})
        made.save()
        row.insert(max(0, min(position, len(row))), made)
        renumber(row)
    return made


def move(stage: Stage, by: int) -> bool:
    """Up or down among its neighbours; false when it is at the end already."""
    with building(stage.version):
        stage = as_it_is(stage)
        row = siblings(stage.version, stage.parent, stage.arm)
        here = row.index(stage)
        there = here + by
        if not 0 <= there < len(row):
            return False
        row.insert(there, row.pop(here))
        renumber(row)
    return True


def duplicate(stage: Stage) -> Stage:
    """The same stage once more, below it, with all that stands in its arms."""
    with building(stage.version):
        stage = as_it_is(stage)
        family = [stage, *below(stage)]
        if stage.version.stages.count() + len(family) > MOST_STAGES:
            raise ValidationError(_("A campaign may have %(n)d stages."), params={"n": MOST_STAGES})
        row = siblings(stage.version, stage.parent, stage.arm)
        made = copy(family, stage.version, keep_keys=False)
        twin = made[stage.pk]
        Stage.objects.filter(pk=twin.pk).update(parent=stage.parent)
        row.insert(row.index(stage) + 1, twin)
        renumber(row)
    return twin


def remove(stage: Stage) -> int:
    """Take a stage out, with all that stands in its arms; returns how many stages that were. Who waits in a campaign that never ran waits at the first."""
    with building(stage.version):
        stage = as_it_is(stage)
        family = [one.pk for one in (stage, *below(stage))]
        version = stage.version
        rest = version.stages.exclude(pk__in=family)
        first = Flow.of(rest).first
        people = Enrollment.objects.filter(stage__in=family)
        if first:
            people.update(stage=first.stage)
        elif people.exists():
            raise ValidationError(_("People wait at it; add another stage first."))
        version.stages.filter(pk__in=family).delete()
        renumber(siblings(version, stage.parent, stage.arm))
    return len(family)


def add_arm(branch: Stage, name: str) -> None:
    """One more question to a branch, asked after the others; the way for all others stays the last."""
    with building(branch.version):
        branch = as_it_is(branch)
        arms = branch.options.get("arms", [])
        if len(arms) >= MOST_ARMS:
            raise ValidationError(_("A branch may have %(n)d ways."), params={"n": MOST_ARMS})
        branch.children.filter(arm=len(arms)).update(arm=len(arms) + 1)
        new = {"name": name, "when": {}} if branch.kind == Stage.Kind.BRANCH else {"name": name, "share": 50}
        Stage.objects.filter(pk=branch.pk).update(options={**branch.options, "arms": [*arms, new]})


def remove_arm(branch: Stage, number: int) -> None:
    """Take a question out of a branch, with the stages on its way."""
    with building(branch.version):
        branch = as_it_is(branch)
        arms = branch.options.get("arms", [])
        if not 0 <= number < len(arms):
            return
        for child in branch.children.filter(arm=number):
            remove(child)
        branch.children.filter(arm__gt=number).update(arm=F("arm") - 1)
        left = {**branch.options, "arms": [arm for place, arm in enumerate(arms) if place != number]}
        # Who took which way, and which has won, is kept by the number of the way: with one less it is another test.
        key = uuid4() if branch.kind == Stage.Kind.SPLIT else branch.key
        Stage.objects.filter(pk=branch.pk).update(options=left, key=key)


@contextmanager
def building(version: Version) -> Iterator[None]:
    """A change of one draft: locks its campaign, refuses what is published, and afterwards lets those who wait stand at the first stage."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=version.campaign_id)
        if not Version.objects.filter(pk=version.pk, published_at=None).update(changed_at=timezone.now()):
            raise ValidationError(_("This version is published; changes go into a draft."))
        yield
        if campaign.current_id is None:
            stand_at_first(version)


def as_it_is(stage: Stage) -> Stage:
    """The stage now that nobody else builds, as whoever built before has left it. Raises ValidationError when that was without it."""
    found = Stage.objects.select_related("version__campaign__storefront", "parent").filter(pk=stage.pk).first()
    if found is None:
        raise ValidationError(_("Somebody else has removed this stage."))
    return found


def stand_at_first(version: Version) -> None:
    """Before a campaign first runs everybody in it waits at the first stage, whichever that is now."""
    first = Flow.of(version.stages.all()).first
    if first:
        Enrollment.objects.filter(campaign=version.campaign_id).exclude(stage=first.stage).update(stage=first.stage)


def siblings(version: Version, parent: Stage | None, arm: int) -> list[Stage]:
    return list(version.stages.filter(parent=parent, arm=arm).order_by("position", "pk"))


def renumber(row: list[Stage]) -> None:
    for position, stage in enumerate(row):
        stage.position = position
    Stage.objects.bulk_update(row, ["position"])


def below(stage: Stage) -> list[Stage]:
    """All stages in its arms, however deep."""
    found: list[Stage] = []
    ahead = [stage.pk]
    while ahead:
        children = list(Stage.objects.filter(parent__in=ahead))
        found += children
        ahead = [one.pk for one in children]
    return found
