"""What each kind of stage asks for besides its name, and what is wrong with it, in words.

Options by kind: wait {} | {minute, weekdays} (until an hour of the person's day) | {until} (a condition, with the stage's time as the limit);
branch {arms: [{name, when}]} and one more arm for all others; split {arms: [{name, share}], measure, auto, least}; task {days};
set {status} | {tag, off?} | {bonus} | {owner}; webhook {destination}; notify {to?}.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from campaigns.effects import destinations
from campaigns.flow import Flow, Step
from campaigns.models import Stage
from leads.conditions import check
from leads.models import Status

Kind = Stage.Kind
MOST_STAGES, MOST_ARMS, MOST_BONUS = 60, 10, 50
LONGEST = timedelta(days=730)
SETTABLE = (Status.NURTURING, Status.QUALIFIED, Status.LOST, Status.DISQUALIFIED)


def faults(flow: Flow) -> list[tuple[Stage | None, str]]:
    """Everything that keeps these stages from being published, each with the stage it is about."""
    found: list[tuple[Stage | None, str]] = []
    if not flow.steps:
        found.append((None, _("There is no stage yet.")))
    if len(flow.steps) > MOST_STAGES:
        found.append((None, _("A campaign may have %(n)d stages.") % {"n": MOST_STAGES}))
    here = Here()
    for step in flow.steps.values():
        found += [(step.stage, fault) for fault in faults_of(step, here)]
    found += [(step.stage, _("Nobody comes here: what stands before it ends or leads elsewhere.")) for step in flow.unreachable()]
    found += [(step.stage, _("It goes round in a circle without any wait.")) for step in flow.rushing()]
    return found


class Here:
    """The people and systems that a stage may name, each kind asked once, when a stage names one."""

    @cached_property
    def told(self) -> set[str]:
        return set(User.objects.filter(is_active=True).exclude(email="").values_list("username", flat=True))

    @cached_property
    def sellers(self) -> set[str]:
        return set(User.objects.sellers().values_list("username", flat=True))

    @cached_property
    def systems(self) -> set[str]:
        return set(destinations())


def faults_of(step: Step, here: Here) -> Iterator[str]:
    """What is wrong with one stage."""
    stage = step.stage
    if stage.kind == Kind.EMAIL and not any(text.language == "en" for text in stage.texts.all()):
        yield _("It has no English text, which all other languages fall back on.")
    elif stage.kind in (Kind.WAIT, Kind.GOAL):
        yield from faults_of_wait(stage)
    elif stage.kind == Kind.BRANCH:
        yield from faults_of_branch(stage)
    elif stage.kind == Kind.SPLIT:
        yield from faults_of_split(stage.options.get("arms") or [])
    elif stage.kind == Kind.SET:
        yield from faults_of_set(stage.options, here)
    elif stage.kind == Kind.NOTIFY and stage.options.get("to") and stage.options["to"] not in here.told:
        yield _("Whom it notifies is not here any more, or has no e-mail address.")
    elif stage.kind == Kind.WEBHOOK and stage.options.get("destination") not in here.systems:
        yield _("It does not say which system to tell.")


def faults_of_wait(stage: Stage) -> Iterator[str]:
    if stage.holds_for < timedelta() or stage.holds_for > LONGEST:
        yield _("It waits longer than two years.")
    if stage.kind == Kind.WAIT and not stage.holds_for and "minute" not in stage.options:
        yield _("It waits for no time at all.")
    if "minute" in stage.options and not stage.options.get("weekdays"):
        yield _("It waits for an hour, and for no day of the week.")
    if "until" in stage.options:
        yield from faults_of_condition(stage.options["until"])


def faults_of_set(options: dict[str, Any], here: Here) -> Iterator[str]:
    if "tag" in options:
        if not options["tag"]:
            yield _("It does not say which tag.")
    elif "bonus" in options:
        if abs(options["bonus"]) > MOST_BONUS:
            yield _("A bonus is of %(n)d points at the most.") % {"n": MOST_BONUS}
    elif "owner" in options:
        if options["owner"] not in here.sellers:
            yield _("It does not say who becomes the owner.")
    elif options.get("status") not in SETTABLE:
        yield _("It does not say which status to set.")


def faults_of_branch(stage: Stage) -> Iterator[str]:
    arms = stage.options.get("arms") or []
    if not arms:
        yield _("It does not say what it asks.")
    if len(arms) > MOST_ARMS:
        yield _("A branch may have %(n)d ways.") % {"n": MOST_ARMS}
    for arm in arms:
        yield from faults_of_condition(arm.get("when"))


def faults_of_split(arms: list[dict[str, Any]]) -> Iterator[str]:
    if len(arms) < 2:
        yield _("It needs two ways at least.")
    if len(arms) > MOST_ARMS:
        yield _("A branch may have %(n)d ways.") % {"n": MOST_ARMS}
    if any(arm.get("share", 0) < 1 for arm in arms):
        yield _("Every way needs a share.")


def faults_of_condition(tree: Any) -> Iterator[str]:
    """A condition must ask something that can be answered."""
    if not tree:
        yield _("It asks nothing.")
        return
    try:
        check(tree)
    except ValidationError as error:
        yield from error.messages
