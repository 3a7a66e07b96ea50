"""The figures of a campaign, from where its enrollments stand now: one grouped query each, and the sums close.

An enrollment passes its stages in order and once, so who moved on from a stage is who stands, or ended, at a later one. Counting so needs no
history, which is dropped by the month.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count
from django.utils.translation import pgettext

from accounts.remembered import remembered
from campaigns.models import Campaign, Enrollment, Message, Stage
from campaigns.words import missing_languages

Status = Enrollment.Status
HERE, SENT = (Status.ACTIVE, Status.HELD), Message.State.SENT
TRUNK, TRUNK_CENTRE = 44, 31  # pixels: the width of a trunk that everybody passes, and its middle


@dataclass(slots=True)
class Standing:
    """One stage with the people at it, past it, and gone from it by reason."""

    stage: Stage
    here: int = 0
    held: int = 0
    reached: int = 0
    ended: int = 0
    left: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    moved_on: int = 0
    share: float = 0  # of all who entered, those who came this far
    before: "Standing | None" = None

    @property
    def minutes(self) -> float:
        """How long a person stands here before they are due."""
        return self.stage.holds_for.total_seconds() / 60

    @property
    def missing(self) -> int:
        """How many languages a mail is not written in."""
        return len(missing_languages(self.stage)) if self.stage.kind == Stage.Kind.EMAIL else 0

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
        return f"{4 + (TRUNK - 4) * self.share:.1f}"

    @property
    def trunk_x(self) -> str:
        return f"{TRUNK_CENTRE - float(self.trunk_width) / 2:.1f}"


@dataclass(slots=True)
class Flow:
    """All stages of a campaign; entered = here + reached + left + ended."""

    standings: list[Standing]

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


def why_left(reason: str) -> str:
    """Why an enrollment left or is held, in a word or two."""
    words = {"lead_closed": pgettext("why left", "closed"), "seller": pgettext("why held", "a seller is on it")}
    return words.get(reason) or pgettext("why left", "left")


def flow_of(campaign: Campaign) -> Flow:
    """The stages in order with their figures: one query for the stages, one for the people."""
    standings = {stage.pk: Standing(stage) for stage in campaign.stages.prefetch_related("texts")}
    rows = Enrollment.objects.filter(campaign=campaign).values_list("stage_id", "status", "reason").annotate(n=Count("pk")).order_by()
    for stage, status, reason, n in remembered(f"campaigns flow {campaign.pk}", lambda: list(rows)):
        count(standings[stage], status, reason, n)
    flow = Flow(list(standings.values()))
    passing, entered = flow.entered, flow.entered
    for before, one in zip([None, *flow.standings], flow.standings, strict=False):
        one.before, one.arrived, one.share = before, passing, passing / entered if entered else 0
        passing -= one.here + one.reached + one.gone + one.ended
        one.moved_on = passing
    return flow


def count(standing: Standing, status: str, reason: str, n: int) -> None:
    """Add n people of one kind to where they stand."""
    if status in HERE:
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


def rows() -> list[Row]:
    """Every campaign with its figures: a few queries, however many there are."""
    found = {one.pk: Row(one) for one in Campaign.objects.select_related("storefront")}
    enrolled = Enrollment.objects.values_list("campaign", "status").annotate(n=Count("pk")).order_by()
    for campaign, status, n in remembered("campaigns enrolled", lambda: list(enrolled)):
        row = found[campaign]
        row.entered += n
        row.here += n if status in HERE else 0
        row.held += n if status == Status.HELD else 0
        row.reached += n if status == Status.REACHED else 0
    went = Message.objects.filter(state=SENT).values_list("stage__campaign").annotate(n=Count("pk")).order_by()
    for campaign, n in remembered("campaigns sent", lambda: list(went)):
        found[campaign].sent = n
    unclear = Message.objects.filter(state=Message.State.UNCERTAIN).values_list("stage__campaign").annotate(n=Count("pk")).order_by()
    for campaign, n in unclear:
        found[campaign].uncertain = n
    return list(found.values())


def message_counts(campaign: Campaign) -> dict[str, int]:
    """How many messages of the campaign are in which state. The many that were sent are remembered; what a person decides about is counted now."""
    stages = list(campaign.stages.values_list("pk", flat=True))
    rest = [state for state in Message.State.values if state != SENT]
    counted = Message.objects.filter(stage__in=stages, state__in=rest).values_list("state").annotate(n=Count("pk")).order_by()
    sent = remembered(f"campaigns sent {campaign.pk}", lambda: Message.objects.filter(stage__in=stages, state=SENT).count())
    return {**dict(counted), SENT: sent}
