"""What is different between two versions, stage by stage, in words. A stage is the same as long as its key is."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from campaigns.flow import Flow, Step
from campaigns.models import Stage, Version
from campaigns.words import languages


@dataclass(slots=True)
class Change:
    """One stage that is not as it was: `added`, `removed`, or `changed` with what about it."""

    kind: str
    stage: Stage
    what: list[str]


def changes(old: Version, new: Version) -> list[Change]:
    """From the old version to the new, in the order of the new; what was removed stands last. Four queries."""
    before, after = steps_of(old), steps_of(new)
    added = [Change("added", step.stage, []) for key, step in after.items() if key not in before]
    removed = [Change("removed", step.stage, []) for key, step in before.items() if key not in after]
    kept = [key for key in after if key in before]
    moved = displaced([key for key in before if key in after], kept)
    changed = [Change("changed", after[key].stage, differences(before[key], after[key], key in moved)) for key in kept]
    return [*added, *(one for one in changed if one.what), *removed]


def steps_of(version: Version) -> dict[UUID, Step]:
    return {step.stage.key: step for step in Flow.of(version.stages.select_related("then").prefetch_related("texts")).steps.values()}


def key_of(stage: Stage | None) -> UUID | None:
    return stage.key if stage else None


def displaced(before: list[UUID], after: list[UUID]) -> set[UUID]:
    """The fewest stages that must have moved to come from one order to the other: all but a longest row that stayed in order."""
    place = {key: number for number, key in enumerate(before)}
    rows: list[list[UUID]] = [[]]
    for key in after:
        best: list[UUID] = []
        for row in rows:
            if row and place[row[-1]] < place[key] and len(row) > len(best):
                best = row
        rows.append([*best, key])
    return set(after).difference(sorted(rows, key=len)[-1])


def differences(before: Step, after: Step, moved: bool) -> list[str]:
    """What is different about one stage."""
    old, new = before.stage, after.stage
    found = [_("named “%(name)s” before") % {"name": old.title}] if old.name != new.name else []
    if moved or (before.depth, old.arm) != (after.depth, new.arm):
        found.append(_("moved"))
    if old.holds_for != new.holds_for:
        found.append(_("another time"))
    if key_of(old.then) != key_of(new.then):
        found.append(_("goes on elsewhere"))
    if old.options != new.options:
        found.append(_("another condition or choice"))
    said = (
        {text.language: (text.subject, text.body, text.mjml) for text in old.texts.all()},
        {text.language: (text.subject, text.body, text.mjml) for text in new.texts.all()},
    )
    rewritten = [str(name) for code, name in languages() if said[0].get(code) != said[1].get(code)]
    return [*found, _("text in %(languages)s") % {"languages": ", ".join(rewritten)}] if rewritten else found
