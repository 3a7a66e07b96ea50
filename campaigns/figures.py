"""The figures of a campaign: where its enrollments stand now, and how many went from stage to stage so far. Neither needs the history, which is
dropped by the month."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.dates import WEEKDAYS
from django.utils.formats import time_format
from django.utils.translation import gettext, pgettext

from accounts.models import User
from accounts.remembered import remembered
from campaigns.effects import destinations
from campaigns.flow import Arm, Flow, Step
from campaigns.models import RUNNING, Campaign, Click, Enrollment, Message, Passage, Stage, Version
from campaigns.results import entered_by_week
from campaigns.words import missing_languages
from leads.wording import in_words

Status = Enrollment.Status
SENT = Message.State.SENT
TRUNK, TRUNK_CENTRE = 44, 31  # pixels: the width of a trunk that everybody passes, and its middle


@dataclass(slots=True)
class Way:
    """One way out of a branch, with those who took it."""

    arm: Arm
    taken: int | None  # None when several ways are empty, and nothing tells who took which
    standings: "list[Standing]"

    share: str = ""  # of a split, as percent

    @property
    def words(self) -> str:
        """Who takes it."""
        return in_words(self.arm.when)


@dataclass(slots=True)
class Standing:
    """One stage with the people at it, past it, and gone from it by reason."""

    step: Step
    names: dict[str, str] = field(default_factory=dict)
    here: int = 0
    held: int = 0
    reached: int = 0
    ended: int = 0
    left: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    moved_on: int = 0
    share: float = 0  # of all who entered, those who came this far
    before: "Standing | None" = None
    ways: list[Way] = field(default_factory=list)
    sent: int = 0
    clicked: int = 0  # of those, mails of which a person opened a link

    @property
    def stage(self) -> Stage:
        return self.step.stage

    @property
    def minutes(self) -> float:
        """How long a person stands here before they are due."""
        return self.stage.holds_for.total_seconds() / 60

    @property
    def hour(self) -> str:
        """The hour of the person's day that is waited for, as the reader's language writes it."""
        minute = self.stage.options.get("minute")
        return "" if minute is None else time_format(time(minute // 60, minute % 60), "TIME_FORMAT")

    @property
    def weekdays(self) -> str:
        """The days of that hour."""
        days = self.stage.options.get("weekdays", [])
        return weekday_words(days)

    @property
    def until(self) -> str:
        """What is waited for, in words."""
        return in_words(self.stage.options["until"]) if self.stage.options.get("until") else ""

    @property
    def sets(self) -> str:
        """What the stage sets about a lead, in words."""
        return sets_in_words(self.stage.options, self.names)

    @property
    def days(self) -> int:
        """In how many days a task is due."""
        return int(self.stage.options.get("days", 1))

    @property
    def missing(self) -> int:
        """How many languages a mail is not written in."""
        return len(missing_languages(self.stage)) if self.stage.kind == Stage.Kind.EMAIL else 0

    @property
    def jumps_to(self) -> str:
        """The stage one goes on with, when that is not the next one."""
        return self.stage.then.title if self.stage.then else ""

    @property
    def gone(self) -> int:
        return sum(self.left.values())

    @property
    def leavers(self) -> str:
        """Why they left: 12 closed, 3 left; the reason alone when there is but one."""
        if len(self.left) == 1:
            return why_left(next(iter(self.left)))
        return ", ".join(f"{n} {why_left(reason)}" for reason, n in self.left.most_common())

    @property
    def trunk_width(self) -> str:
        """In pixels, as SVG writes numbers."""
        return f"{4 + (TRUNK - 4) * min(self.share, 1):.1f}"

    @property
    def trunk_x(self) -> str:
        return f"{TRUNK_CENTRE - float(self.trunk_width) / 2:.1f}"


@dataclass(slots=True)
class Figures:
    """All stages of a version; entered = here + reached + left + ended. `top` are the stages that stand in no branch."""

    flow: Flow
    standings: list[Standing]
    top: list[Standing]

    @property
    def entered(self) -> int:
        return self.here + self.reached + self.gone + self.ended

    @property
    def here(self) -> int:
        return sum(one.here for one in self.standings)

    @property
    def held(self) -> int:
        return sum(one.held for one in self.standings)

    @property
    def free(self) -> int:
        """Those on the way whom nothing holds."""
        return self.here - self.held

    @property
    def reached(self) -> int:
        return sum(one.reached for one in self.standings)

    @property
    def ended(self) -> int:
        return sum(one.ended for one in self.standings)

    @property
    def gone(self) -> int:
        return sum(one.gone for one in self.standings)


def weekday_words(days: list[int]) -> str:
    """Days of the week, 1 for Monday, as one reads them: Monday to Friday; Tuesday, Thursday."""
    names = [str(WEEKDAYS[day % 7]) for day in [one - 1 for one in sorted(days)]]
    if len(days) > 2 and max(days) - min(days) == len(days) - 1:
        return gettext("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
    return ", ".join(names)


def names_in(flow: Flow) -> dict[str, str]:
    """What the people and systems that stages name are called: a query for each of the two, whatever the number of stages."""
    options = [step.stage.options for step in flow.steps.values()]
    people = {one[key] for one in options for key in ("to", "owner") if one.get(key)}
    named = {user.username: user.full_name for user in User.objects.filter(username__in=people)} if people else {}
    return (destinations() if any("destination" in one for one in options) else {}) | named


def sets_in_words(options: dict[str, Any], names: dict[str, str]) -> str:
    """What a stage sets, other than the status."""
    match options:
        case {"tag": tag, "off": True}:
            return gettext("Takes off the tag “%(tag)s”") % {"tag": tag}
        case {"tag": tag}:
            return gettext("Tag “%(tag)s”") % {"tag": tag}
        case {"bonus": points}:
            return gettext("Score bonus %(points)+d") % {"points": points}
        case {"destination": uid}:
            return names.get(uid, "–")
        case {"to": username}:
            return names.get(username, username)
        case {"owner": username}:
            return gettext("Owner: %(name)s") % {"name": names.get(username, username)}
    return ""


def why_left(reason: str) -> str:
    """Why an enrollment left or is held, in a word or two."""
    words = {
        "lead_closed": pgettext("why left", "closed"),
        "exit": pgettext("why left", "no longer meant"),
        "by_hand": pgettext("why left", "taken out"),
        "campaign_over": pgettext("why left", "campaign ended"),
        "seller": pgettext("why held", "a seller is on it"),
    }
    return words.get(reason) or pgettext("why left", "left")


def figures_of(version: Version, counted: Version | None = None) -> Figures:
    """The stages of a version with their figures: one query for the stages, one for the people, one for those who passed.

    A draft may show the figures of the version that runs: those of the stages it has kept.
    """
    flow = Flow.of(version.stages.select_related("then").prefetch_related("texts"))
    names = names_in(flow)
    standings = {step.stage.key: Standing(step, names) for step in flow.steps.values()}
    of = counted or version
    keys = dict(Stage.objects.filter(version=of).values_list("pk", "key"))
    entered = 0
    for stage, status, reason, n in remembered(f"campaigns flow {of.pk}", lambda: list(standing_at(of, keys))):
        entered += n
        if keys.get(stage) in standings:
            count(standings[keys[stage]], status, reason, n)
    passages = remembered(f"campaigns passages {of.pk}", lambda: list(passed_in(of)))
    for one in standings.values():
        one.moved_on = sum(n for start, end, n in passages if keys.get(start) == one.stage.key and end)
        one.arrived = one.here + one.reached + one.gone + one.moved_on + one.ended
        one.share = one.arrived / entered if entered else 0
    for stage, sent, clicked in remembered(f"campaigns mails {of.pk}", lambda: mails_of(keys)):
        if keys.get(stage) in standings:
            standings[keys[stage]].sent, standings[keys[stage]].clicked = sent, clicked
    for one in standings.values():
        one.ways = [way_of(one, arm, standings) for arm in one.step.arms]
    link(flow.top, standings)
    return Figures(flow, list(standings.values()), [standings[step.stage.key] for step in flow.top])


def standing_at(version: Version, stages: Iterable[int]) -> Any:
    """(stage, status, reason, how many) of the people on a version."""
    people = Enrollment.objects.filter(stage__in=list(stages), campaign=version.campaign_id)
    return people.values_list("stage_id", "status", "reason").annotate(n=Count("pk")).order_by()


def passed_in(version: Version) -> Any:
    """(from, to, how many) of those who moved on within a version."""
    return Passage.objects.filter(from_stage__version=version).values_list("from_stage_id", "to_stage_id", "count")


def mails_of(stages: Iterable[int]) -> list[tuple[int, int, int]]:
    """(stage, mails sent, mails of which a person opened a link) of these stages."""
    went = Message.objects.filter(stage__in=list(stages), state=SENT).values_list("stage").annotate(n=Count("pk")).order_by()
    opened = Click.objects.filter(message__stage__in=list(stages), by_program=False).values_list("message__stage")
    clicked = dict(opened.annotate(n=Count("message", distinct=True)).order_by())
    return [(stage, n, clicked.get(stage, 0)) for stage, n in went]


def way_of(branch: Standing, arm: Arm, standings: "dict[UUID, Standing]") -> Way:
    """An arm with its stages. The one that is empty was taken by those who went past the others, or ended there."""
    there = [standings[step.stage.key] for step in arm.steps]
    shares = [one.get("share", 1) for one in branch.stage.options.get("arms", [])] if branch.stage.kind == Stage.Kind.SPLIT else []
    share = f"{shares[arm.number] / (sum(shares) or 1):.0%}" if shares else ""
    taken: int | None = there[0].arrived if there else None
    if not there and sum(not other.steps for other in branch.step.arms) == 1:
        others = sum(standings[other.steps[0].stage.key].arrived for other in branch.step.arms if other.steps)
        taken = max(0, branch.moved_on + branch.ended - others)
    return Way(arm, taken, there, share)


def link(steps: list[Step], standings: "dict[UUID, Standing]") -> None:
    """Tell each stage which one stands before it, in each arm anew."""
    for before, step in zip([None, *steps], steps, strict=False):
        standings[step.stage.key].before = standings[before.stage.key] if before else None
        for arm in step.arms:
            link(arm.steps, standings)


def count(standing: Standing, status: str, reason: str, n: int) -> None:
    """Add n people of one kind to where they stand."""
    if status in RUNNING:
        standing.here += n
        standing.held += n if status == Status.HELD else 0
    elif status == Status.REACHED:
        standing.reached += n
    elif status == Status.ENDED:
        standing.ended += n
    else:
        standing.left[reason] += n


@dataclass(slots=True)
class Row:
    """One campaign in the list."""

    campaign: Campaign
    here: int = 0
    held: int = 0
    reached: int = 0
    entered: int = 0
    sent: int = 0
    uncertain: int = 0
    weeks: list[int] = field(default_factory=list)


def rows() -> list[Row]:
    """Every campaign with its figures: a few queries, however many there are."""
    found = {one.pk: Row(one) for one in Campaign.objects.select_related("storefront")}
    enrolled = Enrollment.objects.values_list("campaign", "status").annotate(n=Count("pk")).order_by()
    for campaign, status, n in remembered("campaigns enrolled", lambda: list(enrolled)):
        row = found[campaign]
        row.entered += n
        row.here += n if status in RUNNING else 0
        row.held += n if status == Status.HELD else 0
        row.reached += n if status == Status.REACHED else 0
    went = Message.objects.filter(state=SENT).values_list("stage__version__campaign").annotate(n=Count("pk")).order_by()
    for campaign, n in remembered("campaigns sent", lambda: list(went)):
        found[campaign].sent = n
    unclear = Message.objects.filter(state=Message.State.UNCERTAIN).values_list("stage__version__campaign").annotate(n=Count("pk")).order_by()
    for campaign, n in unclear:
        found[campaign].uncertain = n
    for campaign, weeks in entered_by_week().items():
        found[campaign].weeks = weeks
    return list(found.values())


def stages_of(campaign: Campaign) -> list[int]:
    """Ids of all its stages, in every version."""
    return list(Stage.objects.filter(version__campaign=campaign).values_list("pk", flat=True))


def message_counts(campaign: Campaign) -> dict[str, int]:
    """How many messages of the campaign are in which state. The many that were sent are remembered; what a person decides about is counted now."""
    stages = stages_of(campaign)
    rest = [state for state in Message.State.values if state != SENT]
    counted = Message.objects.filter(stage__in=stages, state__in=rest).values_list("state").annotate(n=Count("pk")).order_by()
    sent = remembered(f"campaigns sent {campaign.pk}", lambda: Message.objects.filter(stage__in=stages, state=SENT).count())
    return {**dict(counted), SENT: sent}
