"""The engine against a model of it that fits on a page: any flow, any people, anything that can happen to them, and both must come to the same."""

from datetime import timedelta
from itertools import count

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from campaigns import build
from campaigns.advance import advance
from campaigns.models import Enrollment, Message, StageText
from campaigns.publish import pause, publish
from campaigns.sweep import sweep
from leads.bulk import set_status
from leads.models import Lead, Task
from portal import pipeline
from tests.campaigns.test_stages import IN_CZ, TWICE, WEAK

HOLDS = ("wait", "until", "goal")  # where one stands until time passes


class Walk:
    """One person on their way through nested lists of (kind, name, ways)."""

    def __init__(self, flow, country):
        self.country, self.acts, self.status, self.sent, self.called = country, 1, "active", set(), 0
        self.places = [[flow, 0]]  # where they are in each list that they are inside of
        self.name = flow[0][1]

    @property
    def stage(self):
        """The stage they stand at; nothing when all lists are at their end."""
        while self.places and self.places[-1][1] >= len(self.places[-1][0]):
            self.places.pop()
        return self.places[-1][0][self.places[-1][1]] if self.places else None

    def step(self):
        """Do what the stage says, and go to the next."""
        kind, name, ways = self.stage
        self.places[-1][1] += 1
        if kind == "email":
            self.sent.add(name)
        elif kind == "task":
            self.called += 1
        elif kind == "branch":
            self.places.append([ways[0] if self.country == "CZ" else ways[1] if self.acts > 1 else ways[2], 0])
        if kind == "exit" or self.stage is None:
            self.status = "ended"
        else:
            self.name = self.stage[1]

    def go_on(self, time_passed):
        """As far as they get: past one stage when its time has passed, and on until they must wait."""
        if time_passed and self.status == "active":
            self.step()
        while self.status == "active" and not self.must_wait:
            self.step()

    @property
    def must_wait(self):
        return self.stage[0] in HOLDS and not (self.stage[0] == "until" and self.acts > 1)


def flows(depth=2):
    """Lists of stages; a branch has three lists below it."""
    plain = st.sampled_from(["wait", "until", "goal", "email", "task", "exit"]).map(lambda kind: (kind, []))
    if depth:
        branch = st.tuples(st.just("branch"), st.tuples(*[flows(depth - 1)] * 3).map(list))
        plain = st.one_of(plain, plain, branch)
    return st.lists(plain, min_size=1 if depth == 2 else 0, max_size=4)


def named(flow, numbers):
    """The same with a name for every stage. What stands after an exit is never reached, and may not be published."""
    kinds = [kind for kind, _ways in flow]
    flow = flow[: kinds.index("exit") + 1] if "exit" in kinds else flow
    return [(kind, f"{kind} {next(numbers)}", [named(way, numbers) for way in ways]) for kind, ways in flow]


def ends(flow):
    """Whether nobody comes to what stands after this list."""
    return any(kind == "exit" or (kind == "branch" and all(map(ends, ways))) for kind, _name, ways in flow)


def pruned(flow):
    """Without what nobody comes to."""
    kept = []
    for kind, name, ways in flow:
        kept.append((kind, name, [pruned(way) for way in ways]))
        if ends(kept):
            break
    return kept


def size(flow):
    return sum(1 + sum(map(size, ways)) for _kind, _name, ways in flow)


def put(version, flow, parent=None, arm=0):
    """The flow as stages of a draft."""
    for position, (kind, name, ways) in enumerate(flow):
        options = (
            {"until": TWICE}
            if kind == "until"
            else {"arms": [{"name": "CZ", "when": IN_CZ}, {"name": "Twice", "when": TWICE}]}
            if kind == "branch"
            else {}
        )
        stage = build.add(version, "wait" if kind == "until" else kind, name, (parent, arm, position), options)
        if kind in HOLDS:
            stage.holds_for = timedelta(days=3)
            stage.save()
        if kind == "email":
            StageText.objects.create(stage=stage, language="en", subject=name, body="Hello")
        for number, way in enumerate(ways):
            put(version, way, stage, number)


HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.sampled_from(["CZ", "US"])),
        st.tuples(st.just("pass"), st.just(0)),
        st.tuples(st.just("act"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["pause", "resume"]), st.just(0)),
    ),
    min_size=3, max_size=12,
)  # fmt: skip


class World:
    """The engine and the model side by side."""

    def __init__(self, campaign, app, arrive, by, flow):
        self.campaign, self.app, self.arrive, self.by, self.flow = campaign, app, arrive, by, flow
        self.people, self.runs = [], True

    def enter(self, country):
        lead = self.arrive(self.app, **{**WEAK, "email": f"p{len(self.people)}@gmail.com", "country": country})
        self.people.append((lead, Walk(self.flow, country)))

    def act(self, number):
        lead, walk = self.people[number]
        self.arrive(self.app, **{**WEAK, "email": lead.contact.email, "country": walk.country, "description": f"Once more, {walk.acts}"})
        walk.acts += walk.status != "exited"

    def close(self, number):
        lead, walk = self.people[number]
        set_status(Lead.objects.filter(pk=lead.pk), "disqualified", by=self.by)
        pipeline.run()
        walk.status = "exited" if walk.status == "active" else walk.status

    def happen(self, what, detail):
        if what == "enter":
            self.enter(detail)
        elif what in ("act", "close") and detail < len(self.people):
            getattr(self, what)(detail)
        elif what == "pause" and self.runs:
            pause(self.campaign)
            self.runs = False
        elif what == "resume" and not self.runs:
            publish(self.campaign, by=self.by)
            sweep()
            pipeline.run()
            self.runs = True
        self.go_on(time_passed=what == "pass")

    def go_on(self, time_passed):
        if not self.runs:
            return
        if time_passed:
            Enrollment.objects.filter(status="active").update(
                due_at=timezone.now() - timedelta(days=1)
            )  # the test is one transaction, and its now() its start
        while advance():
            pass
        for _lead, walk in self.people:
            walk.go_on(time_passed)

    def compare(self):
        for lead, walk in self.people:
            enrollment = lead.enrollments.select_related("stage").get()
            assert (enrollment.stage.name, enrollment.status) == (walk.name, walk.status)
            assert set(Message.objects.filter(enrollment=enrollment).values_list("stage__name", flat=True)) == walk.sent
            assert Task.objects.filter(lead=lead).count() == walk.called


class Undone(Exception):
    """Takes a savepoint back."""


# Without shrinking, which would take longer than reading the example.
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(flow=flows(), happenings=HAPPENINGS)
def test_the_engine_and_the_model_come_to_the_same(campaign, app, arrive, marketing, flow, happenings):
    meant = pruned(named(flow, count()))
    assume(size(meant) <= 40)
    try:
        with transaction.atomic():
            put(build.draft_of(campaign), meant)
            publish(campaign, by=marketing)
            world = World(campaign, app, arrive, marketing, meant)
            world.happen("enter", "CZ")
            for what, detail in happenings:
                world.happen(what, detail)
                world.compare()
            raise Undone
    except Undone:
        campaign.refresh_from_db()
