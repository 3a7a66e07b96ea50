"""What campaigns will send in the coming 14 days: the mails planned already, and those that lie on the way of everybody who is on one.

People are taken by stage and day, not one by one: it costs the same for five million as for five. Where the way depends on an answer that is not
known yet, the mail is one that may go out, to so many at the most.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet

from accounts.remembered import remembered
from campaigns.advance import Running
from campaigns.clock import next_hour
from campaigns.effects import closes, holds
from campaigns.flow import Step
from campaigns.models import Campaign, Enrollment, Message, Stage
from campaigns.results import number_of
from listings.models import Publisher

DAYS, MOST_STEPS = 14, 200
Kind = Stage.Kind


@dataclass(slots=True)
class Sending:
    """One mail on one day: how many it surely goes to as things are, and how many more it may go to."""

    stage: Stage
    certain: int = 0
    possible: int = 0

    @property
    def campaign(self) -> Campaign:
        return self.stage.version.campaign


@dataclass(slots=True)
class Day:
    """One day with its mails, those to most people first."""

    date: date
    sendings: list[Sending] = field(default_factory=list)

    @property
    def certain(self) -> int:
        return sum(one.certain for one in self.sendings)

    @property
    def possible(self) -> int:
        return sum(one.possible for one in self.sendings)


def coming() -> list[Day]:
    """The coming days, today first, in the publisher's time zone."""
    zone, today = Publisher.current().zone, Publisher.current().today
    steps = Running.now().steps
    found: dict[tuple[date, int], Sending] = {}
    for stage, day, n in remembered("campaigns coming planned", planned):
        if stage in steps:
            sending(found, max(day, today), steps[stage]).certain += n
    for stage, day, n in remembered("campaigns coming due", due):
        if stage in steps:
            for at, step, is_certain in ahead(steps, steps[stage], max(day, today), zone):
                one = sending(found, at, step)
                one.certain, one.possible = (one.certain + n, one.possible) if is_certain else (one.certain, one.possible + n)
    days = [Day(today + timedelta(days=n)) for n in range(DAYS)]
    for (at, _stage), one in sorted(found.items(), key=lambda item: -(item[1].certain + item[1].possible)):
        if at < today + timedelta(days=DAYS):
            days[(at - today).days].sendings.append(one)
    return days


def sending(found: dict[tuple[date, int], Sending], day: date, step: Step) -> Sending:
    return found.setdefault((day, step.stage.pk), Sending(step.stage))


def planned() -> list[tuple[int, date, int]]:
    """(stage, day, how many) of the mails that are planned already."""
    return by_day(Message.objects.filter(state=Message.State.PLANNED, enrollment__campaign__state=Campaign.State.PUBLISHED))


def due() -> list[tuple[int, date, int]]:
    """(stage, day, how many) of the people who are due where they stand."""
    return by_day(Enrollment.objects.filter(status=Enrollment.Status.ACTIVE, campaign__state=Campaign.State.PUBLISHED))


def by_day(rows: QuerySet[Any]) -> list[tuple[int, date, int]]:
    """(stage, day, how many) of what is due in the coming days; what is late is due today."""
    today, zone = Publisher.current().today, Publisher.current().zone
    begins = [datetime.combine(today + timedelta(days=n), time(), zone) for n in range(DAYS + 1)]
    soon = rows.filter(due_at__lt=begins[-1]).annotate(day=number_of("due_at", begins)).order_by()
    return [(stage, today + timedelta(days=max(day - 1, 0)), n) for stage, day, n in soon.values_list("stage", "day").annotate(n=Count("pk"))]


def ahead(steps: dict[int, Step], start: Step, day: date, zone: ZoneInfo) -> Iterator[tuple[date, Step, bool]]:
    """(day, mail stage, whether it is certain) of the mails on the way of somebody who is due at a stage on a day."""
    noon = datetime.combine(day, time(12), zone)
    nothing: frozenset[UUID] = frozenset()
    ways, turns, seen = [(start, noon, True, nothing)], 0, set()
    while ways and turns < MOST_STEPS:
        step, at, is_certain, sent = ways.pop()
        turns += 1
        if at > noon + timedelta(days=DAYS) or (step.stage.pk, at) in seen:
            continue
        seen.add((step.stage.pk, at))
        if step.stage.kind == Kind.EMAIL and step.stage.key not in sent:  # in a circle each goes out once
            sent |= {step.stage.key}
            yield at.date(), step, is_certain
        if ends_here(step.stage):
            continue
        following = step.leads_to
        for one in following:
            if one in steps:
                arrives = arrival(steps[one].stage, at, zone)
                ways.append((steps[one], arrives, is_certain and len(following) == 1 and not leaves_open(steps[one].stage), sent))


def ends_here(stage: Stage) -> bool:
    """Whether nobody goes on by themselves from here, as far as that is known beforehand."""
    return stage.kind == Kind.EXIT or holds(stage, stage.version.campaign) or closes(stage)


def leaves_open(stage: Stage) -> bool:
    """Whether somebody may go on from here earlier, or not at all."""
    return stage.kind == Kind.GOAL or "until" in stage.options


def arrival(stage: Stage, at: datetime, zone: ZoneInfo) -> datetime:
    """When somebody who comes here at a moment is due."""
    moment = at + stage.holds_for
    return next_hour(moment, stage.options, str(zone)) if "minute" in stage.options else moment
