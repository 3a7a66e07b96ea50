"""What becomes of one lead, decided by the same rules as the path: what the buyer does, who gets the lead when and why, how it ends.

Everything here lies on a nominal time line, in seconds after the lead came, so that a seed gives the same people and ends on every day.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from campaigns.words import LANGUAGE_OF
from portal.demo.people import Country
from portal.demo.says import ASKS, CALLS, NOTES, WROTE
from portal.demo.scene import DAY, HOUR, SILENT, Offer, Scene

FIT_HIGH = INTENT_HIGH = 30
ACTION_POINTS = {"Create": 26, "PLT": 24, "INS": 22, "StartTestDrive": 18}
SENIORITY_POINTS = (0, 5, 9, 12)
SPEAKS = {"PLT": 0.92, "INS": 0.3, "StartTestDrive": 0.12, "Create": 0.15}
STAGED_FOR_SALES = (0, 2, 4, 7, 9, 11)
STAGED_FOR_NOBODY = 6


@dataclass(slots=True)
class Person:
    """A contact as the marketplace tells of them."""

    country: Country
    said: dict[str, str]
    seniority: int
    kind: str
    has_company: bool
    id: str = ""
    company_id: str | None = None

    def fit(self, offer: Offer) -> int:
        """Fit under the shipped score version; a story needs to know what the score said at the time."""
        points = 12 * (self.kind == "business") + 6 * self.has_company + SENIORITY_POINTS[self.seniority] + 6 * bool(self.said["country"])
        return min(50, points + 8 * (offer.for_all or self.kind == "business") + 6 * bool(self.said["phone"]))

    @property
    def language(self) -> str:
        return LANGUAGE_OF.get(self.country.code, "en") if self.said["country"] else "en"


@dataclass(slots=True)
class Act:
    """Something the buyer did."""

    at: float
    action: str
    said: str


def intent(acts: list[Act]) -> int:
    """Intent at the moment of the last of these acts, before any of it fades."""
    said = max(len(act.said) for act in acts)
    days = len({act.at // DAY for act in acts})
    points = ACTION_POINTS[acts[-1].action] + 8 + 6 * (len(acts) > 1) + 4 * (len(acts) > 3) + 5 * (days > 1)
    return min(50, points + 6 * (said >= 20) + 4 * (said >= 80))


def cluster(fit: int, intent: int) -> str:
    if fit >= FIT_HIGH:
        return "act_now" if intent >= INTENT_HIGH else "nurture"
    return "evaluate" if intent >= INTENT_HIGH else "educate"


@dataclass(slots=True)
class Life:
    """A lead's life so far. `live` fills it in; `lines` are its timeline: (when, kind, actor, data)."""

    random: Random
    scene: Scene
    offer: Offer
    person: Person
    age: float
    staged: int = -1
    acts: list[Act] = field(default_factory=list)
    status: str = "new"
    owner: int | None = None
    because: str = ""
    open_then: int = 0
    assigned: float | None = None
    handed: tuple[float, int, tuple[int, str]] | None = None
    goal: float | None = None
    response: float | None = None
    qualified: float | None = None
    opportunity: float | None = None
    won: float | None = None
    closed: float | None = None
    last: float = 0.0
    score: int = 0
    cluster: str = ""
    lines: list[tuple[float, str, int | None, dict[str, Any]]] = field(default_factory=list)

    def live(self) -> None:
        self.act()
        self.find_owner()
        if self.owner is not None:
            self.work()
        elif self.because != "no_seller" and self.random.random() < 0.06:
            self.turn_down()
        # A buyer who was turned down or lost and acts again would be new again: that is another story.
        self.acts = [act for act in self.acts if self.closed is None or self.won is not None or act.at < self.closed]
        self.judge()

    # What the buyer does.

    def act(self) -> None:
        random, offset = self.random, 0.0
        count = random.choices((1, 2, 3, 4, 5), (64, 20, 9, 5, 2))[0] if self.staged < 0 else 1
        quiet = SILENT.get(self.offer.slug, DAY) - DAY
        for number in range(count):
            action = self.action()
            self.acts.append(Act(offset, action, self.says(action)))
            sitting, pause = random.random() < 0.25 and number == 0, random.random()
            offset += 600 + 900 * pause if sitting else DAY * (1 + random.expovariate(0.22))
            if offset > self.age - quiet:
                break

    def action(self) -> str:
        """Never the same twice in a row: the same words within a day would be a redelivery."""
        choices = {name: share for name, share in self.offer.actions.items() if not self.acts or name != self.acts[-1].action}
        if self.staged >= 0 and "PLT" in choices:
            return "PLT"
        return self.random.choices(list(choices), list(choices.values()))[0]

    def says(self, action: str) -> str:
        texts = ASKS.get(self.person.country.language if self.random.random() < 0.75 else "en", ASKS["en"])
        chosen = self.random.choice(texts)
        return chosen if self.random.random() < SPEAKS[action] else ""

    # Whose it becomes.

    def find_owner(self) -> None:
        """The owner by the playbook, at the first act that asks for one."""
        seller, self.open_then, chance = self.scene.seller(self.random), self.random.randrange(2, 30), self.random.random()
        fit, lasts = self.person.fit(self.offer), sum(step.holds for step in self.offer.walk.steps) if self.offer.walk else 0.0
        if self.offer.at_once and (self.staged == STAGED_FOR_NOBODY or (chance < 0.02 and self.age < DAY and self.staged < 0)):
            self.because = "no_seller"
            return
        for number, act in enumerate(self.acts):
            because = self.cause(fit, self.acts[: number + 1], act.at < lasts)
            if because == "goal":
                self.goal = self.qualified = act.at + 2
                self.status = "qualified"
            if because:
                self.owner = self.scene.sellers[0][0] if self.staged in STAGED_FOR_SALES else seller
                self.because, self.assigned = because, act.at + 1 + 2 * (because == "goal")
                return
        self.status = "nurturing"

    def cause(self, fit: int, acts: list[Act], in_campaign: bool) -> str:
        if self.offer.at_once:
            return "at_once"
        if acts[-1].action == "PLT":
            return "asked"
        if cluster(fit, intent(acts)) == "act_now":
            return "act_now"
        return "goal" if len(acts) > 1 and in_campaign else ""

    # What the seller makes of it.

    def work(self) -> None:
        """Answer, qualify, win or lose, as far as time allows."""
        random, since = self.random, self.assigned or 0.0
        delay, late, course = random.lognormvariate(9.2, 1.15) + 180, random.random() < 0.05, random.random()
        paces = [random.expovariate(1) for _ in range(7)]
        if self.staged >= 0 or (late and self.age - since < 5 * DAY):
            return
        response = since + (DAY * (1.2 + paces[6]) if late else min(delay, 5 * DAY))
        if response >= self.age:
            return
        self.respond(response)
        if course < 0.13:
            self.step("disqualified", response + 600 + paces[0] * 8 * HOUR)
        elif course < 0.92:
            self.pursue(response, (course - 0.13) / 0.79, paces)
        self.hand_over()

    def respond(self, response: float) -> None:
        random = self.random
        self.response = self.last = response
        if random.random() < 0.6:
            missed, again = random.random() < 0.2, response + HOUR * (2 + random.random() * 20)
            self.tell(response, "called", reached=not missed, note="" if missed else random.choice(CALLS))
            if missed and again < self.age:
                self.tell(again, "called", reached=True, note=random.choice(CALLS))
        else:
            self.tell(response, "wrote", note=random.choice(WROTE))
        noted, text = response + 300 + random.random() * 3 * DAY, random.choice(NOTES)
        if random.random() < 0.25 and noted < self.age:
            self.tell(noted, "noted", note=text)

    def tell(self, when: float, kind: str, **told: Any) -> None:
        """Something that the owner did."""
        self.lines.append((when, kind, self.owner, told))
        self.last = max(self.last, when)

    def pursue(self, response: float, course: float, paces: list[float]) -> None:
        """Qualified; perhaps accepted, an opportunity, won. What is not pursued is lost in time, or stays where it is."""
        if self.qualified is None:
            self.step("qualified", response + 300 + paces[0] * 14 * HOUR)
        if self.qualified is None:
            return
        if paces[1] > 1.7:
            if paces[2] < 0.9:
                self.step("lost", response + (12 + 30 * paces[3]) * DAY)
            return
        accepted = max(response, self.qualified) + 600 + paces[1] * 30 * HOUR
        self.step("accepted", accepted)
        if course > (0.6 if self.offer.at_once else 0.5):
            if paces[2] < 1.3:
                self.step("lost", accepted + (8 + 24 * paces[3]) * DAY)
            return
        opportunity = accepted + (1 + 8 * paces[2]) * DAY
        self.step("opportunity", opportunity)
        if paces[4] < 0.55:
            self.step("won", opportunity + (6 + 24 * paces[3]) * DAY)
        elif paces[4] < 1.2:
            self.step("lost", opportunity + (10 + 30 * paces[5]) * DAY)

    def turn_down(self) -> None:
        """Marketing looks at a nurtured lead and lets it go."""
        self.step("disqualified", self.acts[-1].at + DAY * (1 + self.random.expovariate(0.1)), self.scene.office[0][0])

    def step(self, status: str, when: float, by: int | None = None) -> None:
        """The next status, if there was time for it and the lead is still open."""
        if when >= self.age or self.closed is not None:
            return
        self.lines.append((when, "status", by or self.owner, {"was": self.status, "status": status}))
        self.status, self.last = status, max(self.last, when)
        if status in ("qualified", "opportunity", "won"):
            setattr(self, status, when)
        if status in ("won", "lost", "disqualified"):
            self.closed = when

    def hand_over(self) -> None:
        """Now and then a person gives an open lead to another seller."""
        chance, days, other, by = (
            self.random.random(),
            1 + 2 * self.random.random(),
            self.scene.seller(self.random),
            self.random.choice(self.scene.office),
        )
        when = self.last + days * DAY
        if chance < 0.05 and when < self.age and self.closed is None and other != self.owner:
            self.lines.append((when, "assigned", by[0], {"code": "by_hand", "by": by[1], "owner": other, "to": self.scene.names[other]}))
            self.handed = (when, other, by)

    def judge(self) -> None:
        """What the score said at each act, where that is worth a line."""
        fit, told = self.person.fit(self.offer), None
        for number, act in enumerate(self.acts):
            wants = intent(self.acts[: number + 1])
            score, group = fit + wants, cluster(fit, wants)
            if told is None or group != self.cluster or abs(score - told) >= 10:
                self.lines.append((act.at + 0.5, "scored", None, {"was": told, "score": score, "cluster": group}))
                told, self.cluster = score, group
        self.score = told or 0
