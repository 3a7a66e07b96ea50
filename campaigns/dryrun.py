"""What would happen: the way that leads would go through a version in the coming days, with the reasons, and nothing written.

The leads are taken as they are now: conditions are asked once, of all of them together, as advance asks them. What they will do meanwhile nobody knows.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.clock import main_zones, next_hour
from campaigns.effects import closes, holds
from campaigns.enroll import may_enter
from campaigns.flow import ENDS, Arm, Flow, Step, ways_of
from campaigns.models import Campaign, Preference, Stage, Suppression, Version
from campaigns.splits import arm_of, winners
from campaigns.words import language_of, text_for
from leads import keyset
from leads.conditions import matching
from leads.keyset import Count
from leads.models import CLOSED, Lead
from leads.wording import in_words
from listings.models import CampaignKind, Publisher

Kind = Stage.Kind
DAYS, MOST, LONGEST_WAY, PAST = 60, 1_000, 500, 90
LOOK = 200_000  # the newest leads, among which those who would enter are looked for


@dataclass(slots=True)
class Passing:
    """A lead at one stage: from when until when, and what happens there."""

    stage: Stage
    since: datetime
    until: datetime
    why: str


@dataclass(slots=True)
class Path:
    """The way of one lead, and why it ends where it does."""

    lead: Lead
    passings: list[Passing] = field(default_factory=list)
    end: str = ""

    @property
    def route(self) -> tuple[str, ...]:
        """Its stages by name, to tell the ways apart."""
        return tuple(one.stage.title for one in self.passings)


@dataclass(slots=True)
class DryRun:
    """The ways of all the leads that were tried."""

    paths: list[Path]
    count: Count

    @property
    def total(self) -> int:
        """How many were meant, as far as that was counted."""
        return self.count.figure

    @property
    def at(self) -> Counter[int]:
        """How many come to each stage."""
        return Counter(pk for path in self.paths for pk in {one.stage.pk for one in path.passings})

    @property
    def mails(self) -> int:
        return sum(len({one.stage.key for one in path.passings if one.stage.kind == Kind.EMAIL}) for path in self.paths)

    @property
    def ends(self) -> list[tuple[str, int]]:
        """Why the ways end, the most frequent first."""
        return Counter(path.end for path in self.paths).most_common()

    @property
    def routes(self) -> list[tuple[tuple[str, ...], int, Path]]:
        """Each way with how many go it and one of them, the most frequent first."""
        seen: dict[tuple[str, ...], Path] = {}
        for path in self.paths:
            seen.setdefault(path.route, path)
        return [(route, n, seen[route]) for route, n in Counter(path.route for path in self.paths).most_common(20)]


def would_enter(campaign: Campaign) -> QuerySet[Lead]:
    """The leads that would enter now, among the newest 200,000: open, of the storefront, not in it before or long enough ago, and its entry condition
    holds."""
    here = Lead.objects.open().filter(listing__storefront=campaign.storefront_id)
    # By a value and not by a subquery: PostgreSQL would go through all of the storefront's leads instead.
    for key in Lead.objects.order_by("-received_at", "-pk").values_list("received_at", "pk")[LOOK : LOOK + 1]:
        here = here.filter(*keyset.bands(Lead, "received_at", key, back=True))
    return matching(may_enter(here, campaign), campaign.entry)


def of_last_quarter(campaign: Campaign) -> QuerySet[Lead]:
    """The storefront's leads of the last 90 days for which the entry condition holds, whatever became of them since."""
    since = timezone.now() - timedelta(days=PAST)
    return matching(Lead.objects.filter(listing__storefront=campaign.storefront_id, received_at__gte=since), campaign.entry)


def dry_run(version: Version, leads: QuerySet[Lead], past: bool = False) -> DryRun:
    """Walk these leads, at most 1,000 of them, through the version from its first stage. A handful of queries, whatever their number.

    In the `past` each sets out when it was received, and nothing that became of it since is held against it; conditions are answered as it is now.
    """
    total = keyset.count(leads)
    newest = leads.order_by("-received_at", "-pk").values_list("pk", flat=True)[:MOST]
    some = list(Lead.objects.for_list().among(list(newest)).order_by("-received_at", "-pk"))
    flow = Flow.of(version.stages.prefetch_related("texts"))
    campaign = version.campaign
    questions = Questions.asked(flow, campaign, [lead.pk for lead in some])
    now = timezone.now()
    addresses = {lead.contact.email for lead in some if lead.contact.email}
    unwanted = Suppression.among(addresses, campaign.kind)
    walker = Walker(flow, campaign, questions, timedelta(days=DAYS), unwanted, Publisher.current().time_zone, past)
    walker.languages = {key: one.language for key, one in Preference.among(addresses).items()}
    walker.winners = winners(step.stage.key for step in flow.steps.values() if step.stage.kind == Kind.SPLIT)
    return DryRun([walker.walk(lead, lead.received_at if past else now) for lead in some], total)


@dataclass(slots=True)
class Questions:
    """The answers to all conditions of a flow: of each, the leads for which it holds."""

    ways: dict[tuple[int, int], set[UUID]]
    until: dict[int, set[UUID]]
    goal: set[UUID]
    exit: set[UUID]

    @classmethod
    def asked(cls, flow: Flow, campaign: Campaign, leads: list[UUID]) -> "Questions":
        def holds(tree: Any) -> set[UUID]:
            return set(matching(Lead.objects.among(leads).order_by(), tree).values_list("pk", flat=True)) if tree else set()

        ways, until = {}, {}
        for pk, step in flow.steps.items():
            for number, _name, when, is_otherwise in ways_of(step.stage) if step.stage.kind == Kind.BRANCH else ():
                if not is_otherwise:
                    ways[pk, number] = holds(when)
            if "until" in step.stage.options:
                until[pk] = holds(step.stage.options["until"])
        return cls(ways, until, holds(campaign.goal), holds(campaign.exit))


@dataclass(slots=True)
class Walker:
    """Takes one lead after the other through the flow."""

    flow: Flow
    campaign: Campaign
    questions: Questions
    span: timedelta
    unwanted: set[str]
    home: str  # the time zone of those without a country
    past: bool = False
    winners: dict[UUID, int] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)  # those that people chose
    words: dict[tuple[int, int], str] = field(default_factory=dict)

    def walk(self, lead: Lead, start: datetime) -> Path:
        path = Path(lead)
        path.end = "" if self.past else self.why_not(lead)
        if path.end or not self.flow.first:
            return path
        self.follow(path, self.flow.first, start)
        return path

    def why_not(self, lead: Lead) -> str:
        """Why the lead would not be moved at all."""
        if lead.listing.storefront_id != self.campaign.storefront_id:
            return _("Of another storefront: it never enters")
        if lead.status in CLOSED:
            return _("The lead is closed")
        if lead.pk in self.questions.exit:
            return _("Leaves at once: the exit condition holds")
        if lead.owner_id and self.campaign.kind == CampaignKind.NURTURE:
            return _("Held while a seller is on it")
        return _("Reaches the goal at once") if lead.pk in self.questions.goal else ""

    def follow(self, path: Path, step: Step, since: datetime) -> None:
        """From stage to stage until the time, the stages or the reasons to go on are over."""
        last = since + self.span
        for _turn in range(LONGEST_WAY):
            until = self.due(step, path.lead, since)
            again = step.stage.kind == Kind.EMAIL and any(one.stage.key == step.stage.key for one in path.passings)
            why = _("not again: each mail goes out once") if again else self.why(step, path.lead)
            path.passings.append(Passing(step.stage, since, until, why))
            if until > last:
                path.end = _("Still there after %(n)d days") % {"n": self.span.days}
                return
            path.end = self.stops(step.stage)
            following = self.next(step, path.lead)
            if path.end or following == ENDS:
                path.end = path.end or _("Comes to the end")
                return
            step, since = self.flow.steps[following], until
        path.end = _("Goes on in a circle")

    def due(self, step: Step, lead: Lead, since: datetime) -> datetime:
        """When the lead moves on from a stage to which it came at `since`."""
        stage = step.stage
        if stage.pk in self.questions.until and lead.pk in self.questions.until[stage.pk]:
            return since
        moment = since + stage.holds_for
        return next_hour(moment, stage.options, self.zone(lead)) if "minute" in stage.options else moment

    def next(self, step: Step, lead: Lead) -> int:
        if step.stage.kind == Kind.SPLIT and step.arms:
            return step.way(step.arms[arm_of(step.stage, lead.pk, self.winners.get(step.stage.key))])
        for arm in step.arms:
            if arm.is_otherwise or lead.pk in self.questions.ways[step.stage.pk, arm.number]:
                return step.way(arm)
        return ENDS if step.stage.kind == Kind.EXIT else step.after

    def stops(self, stage: Stage) -> str:
        """Why nobody goes on from a stage, as far as that is known beforehand."""
        if holds(stage, self.campaign):
            return _("Handed to sales; held from then on")
        if closes(stage):
            return _("Closed by the campaign")
        return ""

    def why(self, step: Step, lead: Lead) -> str:
        """What happens at a stage, and why so."""
        stage = step.stage
        if stage.kind == Kind.EMAIL:
            return self.why_mail(stage, lead)
        if stage.kind == Kind.SPLIT and step.arms:
            name = step.arms[arm_of(stage, lead.pk, self.winners.get(stage.key))].name
            return _("%(way)s, which won") % {"way": name} if stage.key in self.winners else _("%(way)s, by chance") % {"way": name}
        if stage.kind == Kind.BRANCH:
            for arm in step.arms:
                if arm.is_otherwise:
                    return _("none of the questions holds")
                if lead.pk in self.questions.ways[stage.pk, arm.number]:
                    return self.way_in_words(stage, arm)
        if stage.pk in self.questions.until:
            return _("holds already") if lead.pk in self.questions.until[stage.pk] else _("waits the whole time, as the lead is now")
        if "minute" in stage.options:
            return _("%(zone)s, taken from the country") % {"zone": self.zone(lead)}
        return ""

    def zone(self, lead: Lead) -> str:
        return main_zones().get(lead.contact.country, self.home)

    def way_in_words(self, stage: Stage, arm: Arm) -> str:
        """Put into words once, however many take it."""
        if (stage.pk, arm.number) not in self.words:
            self.words[stage.pk, arm.number] = _("%(way)s: %(condition)s") % {"way": arm.name, "condition": in_words(arm.when)}
        return self.words[stage.pk, arm.number]

    def why_mail(self, stage: Stage, lead: Lead) -> str:
        email = lead.contact.email
        if not email:
            return _("not sent: the person has no e-mail address")
        if email in self.unwanted:
            return _("not sent: the person does not want mail")
        text = text_for({one.language: one for one in stage.texts.all()}, language_of(lead, self.languages.get(email, "")))
        return _("sent in %(language)s") % {"language": text.get_language_display()} if text else _("not sent: the stage has no text")
