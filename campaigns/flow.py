"""The shape of a version: which stage leads to which. Stages stand in order, a branch's arms below it; who comes to the end of an arm goes on after
the branch. Advance moves people along it, pages draw it, publishing checks it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from campaigns.models import Stage

Kind = Stage.Kind
FORKS = (Kind.BRANCH, Kind.SPLIT)  # one goes on by one of several ways
ENDS = 0  # as a stage's number: there is no next one


@dataclass(slots=True)
class Arm:
    """One way out of a branch: who takes it, and the stages on it. The last way is for all others and asks nothing."""

    number: int
    name: str
    when: dict[str, Any]
    steps: "list[Step]" = field(default_factory=list)
    is_otherwise: bool = False


@dataclass(slots=True)
class Step:
    """A stage and where it leads: `after` is the next one's id, of a branch that of its end, ENDS when the campaign is over then."""

    stage: Stage
    depth: int = 0
    after: int = ENDS
    arms: list[Arm] = field(default_factory=list)

    def way(self, arm: Arm) -> int:
        """The id of the first stage on this way."""
        return arm.steps[0].stage.pk if arm.steps else self.after

    @property
    def leads_to(self) -> list[int]:
        """Ids of all stages that may come next."""
        if self.stage.kind == Kind.EXIT:
            return []
        ways = [self.way(arm) for arm in self.arms] or [self.after]
        return [one for one in dict.fromkeys(ways) if one != ENDS]


@dataclass(slots=True)
class Flow:
    """The steps of one version: `top` are those that stand in no branch, `steps` all of them by id, in the order they are read."""

    top: list[Step] = field(default_factory=list)
    steps: dict[int, Step] = field(default_factory=dict)

    @classmethod
    def of(cls, stages: Iterable[Stage]) -> "Flow":
        """Put the stages of one version into their places."""
        flow, places = cls(), defaultdict(list)
        for stage in sorted(stages, key=lambda one: one.position):
            places[stage.parent_id, stage.arm].append(Step(stage))
        flow.top = flow.place(places, None, 0, ENDS, 0)
        return flow

    def place(self, places: "dict[tuple[int | None, int], list[Step]]", parent: int | None, arm: int, after: int, depth: int) -> list[Step]:
        """The steps of one arm, each with what follows it; who comes to their end goes on with `after`."""
        here = places.get((parent, arm), [])
        for step, following in zip(here, [*here[1:], None], strict=False):
            step.depth = depth
            step.after = step.stage.then_id or (following.stage.pk if following else after)
            self.steps[step.stage.pk] = step
            if step.stage.kind in FORKS:
                step.arms = [self.arm(places, step, *said) for said in ways_of(step.stage)]
        return here

    def arm(self, places: "dict[tuple[int | None, int], list[Step]]", step: Step, number: int, name: str, when: dict[str, Any], others: bool) -> Arm:
        return Arm(number, name, when, self.place(places, step.stage.pk, number, step.after, step.depth + 1), others)

    @property
    def first(self) -> Step | None:
        return self.top[0] if self.top else None

    def line_of(self, stage: Stage) -> Iterator[Stage]:
        """The stage, the branch it stands in, the branch that one stands in, and so on."""
        yield stage
        while stage.parent_id:
            stage = self.steps[stage.parent_id].stage
            yield stage

    def arms_to(self, stage: Stage) -> dict[UUID, int]:
        """Of each branch that the stage stands in, by its key, the arm that leads there."""
        return {self.steps[one.parent_id].stage.key: one.arm for one in self.line_of(stage) if one.parent_id}

    def around(self, stage: Stage, took: Mapping[UUID, int] | None = None) -> "list[Step]":
        """The steps as they are read by somebody who stands at a stage: of the branches that it stands in, and of those of which they `took` one, only
        that arm."""
        arms = {**(took or {}), **self.arms_to(stage)}

        def is_theirs(step: Step) -> bool:
            return all(arms.get(branch, arm) == arm for branch, arm in self.arms_to(step.stage).items())

        return [step for step in self.steps.values() if is_theirs(step)]

    def onward(self, step: Step) -> "Iterator[Step]":
        """The step and those that follow it without entering a branch's arms, each once."""
        seen: set[int] = set()
        while step.stage.pk not in seen:
            yield step
            seen.add(step.stage.pk)
            if step.stage.kind == Kind.EXIT or step.after not in self.steps:
                return
            step = self.steps[step.after]

    def reachable(self) -> set[int]:
        """Ids of the stages that somebody who enters can come to."""
        found: set[int] = set()
        ahead = [self.first.stage.pk] if self.first else []
        while ahead:
            one = ahead.pop()
            if one not in found and one in self.steps:
                found.add(one)
                ahead += self.steps[one].leads_to
        return found

    def unreachable(self) -> Iterator[Step]:
        there = self.reachable()
        return (step for one, step in self.steps.items() if one not in there)

    def rushing(self) -> Iterator[Step]:
        """Stages that one can come back to without having waited anywhere."""
        return (step for one, step in self.steps.items() if step.stage.kind != Kind.EXIT and one in self.at_once_after(one))

    def at_once_after(self, start: int) -> set[int]:
        """Ids of the stages that are done in the same moment as this one."""
        found: set[int] = set()
        ahead = [] if takes_time(self.steps[start].stage) else list(self.steps[start].leads_to)
        while ahead:
            one = ahead.pop()
            if one not in found and one in self.steps:
                found.add(one)
                if not takes_time(self.steps[one].stage):
                    ahead += self.steps[one].leads_to
        return found


def takes_time(stage: Stage) -> bool:
    """Whether everybody stands here for a while, however fast they would like to be."""
    return "minute" in stage.options or (bool(stage.holds_for) and "until" not in stage.options)


def ways_of(stage: Stage) -> list[tuple[int, str, dict[str, Any], bool]]:
    """(number, name, condition, whether it is for all others) of each way out of a branch or split."""
    arms = stage.options.get("arms") or []
    if stage.kind == Kind.SPLIT:
        return [(i, arm["name"], {}, False) for i, arm in enumerate(arms)]
    return [(i, arm["name"], arm["when"], False) for i, arm in enumerate(arms)] + [(len(arms), "", {}, True)]
