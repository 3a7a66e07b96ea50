"""One lead's life put on the calendar and into rows: what came, what was told, who had it, what the campaign sent, what destinations heard."""

import hashlib
import json
import uuid
from typing import Any

from campaigns.words import fill
from leads.dialects import content_key
from portal.demo.life import Life, Person
from portal.demo.rows import Rows, array, at, bytea, plain
from portal.demo.says import TASKS
from portal.demo.scene import DAY, HOUR, Offer, Scene, Step

REFUSALS = (
    (422, "422 Unprocessable Content: phone is not in the expected format"),
    (400, "400 Bad Request: unknown country code"),
    (409, "409 Conflict: a record with this e-mail is being merged"),
)
TROUBLES = ((503, "503 Service Unavailable"), (429, "429 Too Many Requests"), (None, "ConnectTimeout: timed out"), (500, "500 Internal Server Error"))
BAD_KEY = (401, "401 Unauthorized: the signature does not match")


def data(value: Any) -> str:
    return plain(json.dumps(value, ensure_ascii=False))


def letter(said: dict[str, str], lead_source: str, action: str, title: str, words: str) -> tuple[bytes, bytes]:
    """The body as the marketplace posts it, and what intake knows the same content by."""
    body = {"userDetails": said, "leadSource": lead_source, "actionCode": action, "offerTitle": title, "description": words}
    known = {name.lower(): value for name, value in body.items() if isinstance(value, str)} | {name.lower(): value for name, value in said.items()}
    return json.dumps(body, ensure_ascii=False, indent=1).encode(), content_key(known, {})


def archive(
    rows: Rows, key: str, moment: float, offer: Offer, letter: tuple[bytes, bytes | None], disposition: str, reason: str = "", lead: str | None = None
) -> None:
    """A submission: (bytes, content key), and what became of it."""
    body, content = letter
    rows.add(
        "leads_submission", key, at(moment), offer.id, "application/json", len(body), bytea(hashlib.sha256(body).digest()), bytea(body),
        disposition, plain(reason), 1, bytea(content) if content else None, lead,
    )  # fmt: skip


def demand(rows: Rows, moment: float, offer: Offer, said: dict[str, str], action: str) -> None:
    """Interest that is nobody's to follow: anonymous, or a buyer who asked another publisher."""
    neighbour = action == "DNC"
    wire = "SPZA" if offer.storefront == "appsource" else "AzureMarketplace"
    key, posted = rows.id(moment), letter(said, f"{wire}-{action}|{offer.offer_key}", action, offer.title, "")
    rows.add("leads_demand", key, offer.id, "asked_neighbour" if neighbour else "anonymous", at(moment), action, "t")
    if neighbour:
        archive(rows, key, moment, offer, posted, "do_not_contact")
    else:
        archive(rows, key, moment, offer, posted, "anonymous", "Neither e-mail nor phone: demand without a lead.")


# What opportunities are worth, as price lists go.
WORTH = (1_200, 2_400, 4_800, 6_000, 9_600, 12_000, 18_000, 24_000, 36_000, 60_000)


class Story:
    """Writes one lead."""

    def __init__(self, rows: Rows, scene: Scene, offer: Offer, person: Person, age: float, staged: int = -1) -> None:
        self.rows, self.scene, self.offer, self.person = rows, scene, offer, person
        self.random, self.age = rows.random, age
        self.start = scene.moment(self.random, age, person.country.code)
        self.scale = (scene.now - self.start) / age
        self.life = Life(self.random, scene, offer, person, age, staged)
        self.lead = rows.id(self.start)

    def when(self, offset: float) -> float:
        """The calendar's moment of a nominal one."""
        return min(self.start + offset * self.scale, self.scene.now)

    def at(self, offset: float | None) -> str | None:
        return None if offset is None else at(self.when(offset))

    def tell(self) -> str:
        self.life.live()
        self.enroll()
        self.write_owner()
        neighbour = self.ask_neighbour()
        self.write_lead(neighbour)
        self.write_acts()
        self.deliver()
        for moment, kind, actor, told in self.life.lines:
            self.activity(self.when(moment), kind, actor, told)
        return self.lead

    def activity(self, moment: float, kind: str, actor: int | None, told: dict[str, Any]) -> None:
        self.rows.add("leads_activity", self.rows.id(moment), self.lead, at(moment), kind, actor, data(told))

    def write_lead(self, neighbour: float | None) -> None:
        life, acts = self.life, self.life.acts
        times = [self.when(act.at) for act in acts]
        asked = [time for act, time in zip(acts, times, strict=True) if act.action == "PLT"]
        clock = None if life.owner is None else at(self.when(life.assigned or 0.0) + self.offer.clock)
        owner, since = (life.handed[1], life.handed[0]) if life.handed else (life.owner, life.assigned)
        self.rows.add(
            "leads_lead", self.lead, self.person.id, self.offer.id, life.status, at(times[0]), at(max(times[-1], self.when(life.last))),
            len(acts), len({time // DAY for time in times}), at(times[-1]), acts[-1].action, array(sorted({act.action for act in acts})),
            at(max(asked)) if asked else None, max(len(act.said) for act in acts), self.at(neighbour), life.score, life.cluster, "{}", owner,
            data(self.handed_reason() if life.handed else self.reason()), self.at(since), clock, self.at(life.response), self.at(life.goal),
            self.at(life.qualified), self.at(life.opportunity), self.at(life.won), self.at(life.closed), 0, "",
            None if life.opportunity is None else WORTH[int(self.lead[-4:], 16) % len(WORTH)],
        )  # fmt: skip

    def write_acts(self) -> None:
        for number, act in enumerate(self.life.acts):
            moment, (wire, source) = self.when(act.at), self.offer.source(act.action)
            key, lead_source, again = self.rows.id(moment), f"{wire}-{act.action}|{self.offer.offer_key}", self.random.random() < 0.006
            posted = letter(self.person.said, lead_source, act.action, self.offer.title, act.said)
            archive(self.rows, key, moment, self.offer, posted, "lead", lead=self.lead)
            if again:
                repeated = min(moment + 5 + self.random.random() * HOUR, self.scene.now)
                archive(self.rows, self.rows.id(repeated), repeated, self.offer, posted, "redelivery", f"The same as {uuid.UUID(key)}.", self.lead)
            self.rows.add(
                "leads_interaction", key, self.lead, at(moment), source, act.action, lead_source, self.offer.offer_key, self.offer.title,
                plain(act.said), "{}", 1 + again,
            )  # fmt: skip
            self.activity(moment, "acted", None, {"source": source, "action": act.action, "said": act.said[:300], "new": number == 0})

    def ask_neighbour(self) -> float | None:
        """Few ask another publisher later on; the lead they have here shows it."""
        chance, later = self.random.random(), self.random.random()
        quiet = self.offer.slug == "shop-floor-insights"
        if chance > 0.004 or quiet or self.life.staged >= 0:
            return None
        offset = self.life.acts[-1].at + (self.age - self.life.acts[-1].at) * later
        demand(self.rows, self.when(offset), self.offer, self.person.said, "DNC")
        self.life.lines.append((offset, "asked_neighbour", None, {}))
        return offset

    # Whose it is.

    def reason(self) -> dict[str, Any]:
        life = self.life
        if life.owner is not None:
            return {"code": "lowest_load", "storefront": self.offer.storefront_name, "because": life.because, "open": life.open_then}
        return {"code": life.because or "below_act_now"}

    def handed_reason(self) -> dict[str, Any]:
        return {"code": "by_hand", "by": self.life.handed[2][1]} if self.life.handed else {}

    def write_owner(self) -> None:
        """The stretches of ownership, and for some open leads a task of the seller's own."""
        life = self.life
        if life.owner is None or life.assigned is None:
            return
        moment, reason = self.when(life.assigned), self.reason()
        ended = self.at(life.handed[0]) if life.handed else None
        self.rows.add("routing_assignment", self.rows.id(moment), self.lead, life.owner, data(reason), None, at(moment), ended)
        life.lines.append((life.assigned, "assigned", None, {**reason, "owner": life.owner, "to": life.scene.names[life.owner]}))
        if life.handed:
            offset, owner, by = life.handed
            handed = self.when(offset)
            self.rows.add("routing_assignment", self.rows.id(handed), self.lead, owner, data(self.handed_reason()), by[0], at(handed), None)
        self.own_task(life.owner)

    def own_task(self, owner: int) -> None:
        made, ahead, title = (self.life.response or 0.0) + HOUR, self.random.uniform(-0.5, 5), self.random.choice(TASKS)
        wanted = self.random.random() < 0.2 and self.life.closed is None
        if wanted and self.life.response is not None and made < self.age < 15 * DAY:
            moment = self.when(made)
            self.life.lines.append((made, "task_made", owner, {"stage": title}))
            due = max(moment + HOUR, self.scene.now + ahead * DAY)
            self.rows.add("leads_task", self.rows.id(moment), self.lead, title, at(due), owner, None)

    # What the campaign did meanwhile.

    def enroll(self) -> None:
        """On its way through its storefront's campaign until something stopped it: a close, the goal, or a seller where the campaign is nurture."""
        life, walk, key = self.life, self.offer.walk, self.rows.id(self.start)
        if walk is None:
            return
        life.lines.append((1.5, "enrolled", None, {"campaign": walk.name}))
        stop, status, reason = self.stop(walk.kind == "nurture")
        number, since, due = self.walk(key, stop)
        if number == len(walk.steps):
            number, status, reason, stop = number - 1, "ended", "", since
            life.lines.append((since, "campaign_ended", None, {"campaign": walk.name, "stage": walk.steps[-1].name}))
        elif status == "reached":
            life.goal = stop
            life.lines.append((stop, "goal_reached", None, {"campaign": walk.name}))
        elif status == "held" and life.closed is not None:
            stop, status, reason = life.closed, "exited", "lead_closed"
        self.rows.add(
            "campaigns_enrollment", key, walk.id, self.lead, walk.steps[number].id, status, reason, self.at(1.5), self.at(since),
            at(self.due(due)) if status == "active" else None, None if status in ("active", "held") else self.at(stop),
        )  # fmt: skip

    def stop(self, nurture: bool) -> tuple[float, str, str]:
        """(when, status, reason) of whatever came first; still active when nothing did."""
        life = self.life
        ends = [(life.closed, "exited", "lead_closed"), (life.goal if nurture else life.opportunity, "reached", "")]
        if nurture and life.goal is None:
            ends.append((life.assigned, "held", "seller"))
        return min(((when, status, reason) for when, status, reason in ends if when is not None), default=(self.age, "active", ""))

    def walk(self, key: str, stop: float) -> tuple[int, float, float]:
        """Go from stage to stage until `stop`; returns (stage, since, due). One past the last stage: it ended."""
        steps, since = self.offer.walk.steps if self.offer.walk else [], 1.5
        for number, step in enumerate(steps):
            due = since + step.holds + 1 + self.random.random() * 4
            if due >= stop:
                return number, since, since + step.holds / self.scale
            following, moment = steps[number + 1].id if number + 1 < len(steps) else None, self.when(due)
            self.rows.add("campaigns_transition", self.rows.id(moment), key, step.id, following, at(moment))
            if step.kind == "email":
                self.mail(key, step, due)
            elif step.kind == "task":
                self.life.lines.append((due, "task_made", None, {"campaign": self.offer.walk.name if self.offer.walk else "", "stage": step.name}))
                self.campaign_task(step.name, due)
            since = due
        return len(steps), since, since

    def due(self, offset: float) -> float:
        """When an enrollment moves next. Few do soon, so that a demo does not begin with a flood of mail."""
        due, later = max(self.scene.now + 900, self.start + offset * self.scale), self.random.random()
        if due < self.scene.now + 12 * HOUR:
            if self.scene.mail_soon <= 0:
                return self.scene.now + (12 + 48 * later) * HOUR
            self.scene.mail_soon -= 1
        return due

    def mail(self, key: str, step: Step, due: float) -> None:
        state, reason, language, subject = self.sent(step)
        moment = self.when(due)
        sent = at(min(moment + 4, self.scene.now)) if state == "sent" else None
        self.rows.add(
            "campaigns_message", self.rows.id(moment), key, step.id, str(step.key), state, reason, at(moment), at(moment), sent, language, plain(subject)
        )  # fmt: skip
        if sent:
            self.life.lines.append((due + 4, "mailed", None, {"subject": subject, "stage": step.name}))

    def sent(self, step: Step) -> tuple[str, str, str, str]:
        """(state, reason, language, subject) of a mail."""
        said, failed = self.person.said, self.random.random() < 0.006
        if not said["email"]:
            return "withheld", "no_address", "", ""
        if failed:
            return "failed", "SMTPRecipientsRefused: mailbox unavailable", "", ""
        language = self.person.language if self.person.language in step.subjects else "en"
        facts = {"contact.first_name": said["firstName"], "contact.last_name": said["lastName"], "contact.company": said["company"]}
        facts |= {"listing.title": self.offer.title, "publisher.name": self.scene.publisher}
        return "sent", "", language, fill(step.subjects.get(language, ""), facts)[:300]

    def campaign_task(self, title: str, made: float) -> None:
        """Done in time mostly; what belongs to the last days of an open lead is still to do."""
        life, done = self.life, made + (0.2 + self.random.random() * 1.4) * DAY
        if done >= self.age and life.closed is not None:
            done = max(made, life.closed)
        over = done < self.age
        if over:
            life.lines.append((done, "task_done", life.owner or self.scene.office[0][0], {"stage": title}))
        moment = self.when(made)
        self.rows.add("leads_task", self.rows.id(moment), self.lead, title, at(moment + DAY), None, self.at(done) if over else None)

    # What destinations heard.

    def deliver(self) -> None:
        """One delivery per destination of its listing. Most took it at once, some after trouble, a few said no for good."""
        for destination in self.offer.destinations:
            random, moment = self.random, self.start + 3
            key, tries, chance = self.rows.id(moment), random.choices((1, 2, 3), (93, 5, 2))[0], random.random()
            refused = random.choice(REFUSALS) if chance < 0.015 else None
            for number in range(tries):
                last = number == tries - 1
                status, answer = (refused or (200, "ok")) if last else random.choice((*TROUBLES, BAD_KEY))
                outcome = ("refused" if refused else "delivered") if last else "misconfigured" if status == 401 else "retry"
                moment = min(moment + 0.4 + number * 40 * random.random(), self.scene.now)
                took = random.randrange(60, 900)
                self.rows.add("delivery_deliveryattempt", self.rows.id(moment), key, 1, at(moment), outcome, status, took, answer)
            state = ("handled" if chance < 0.003 else "dead") if refused else "delivered"
            opened, taken, error = at(self.start + 3), None if refused else at(moment), refused[1] if refused else ""
            self.rows.add(
                "delivery_delivery", key, self.lead, destination.pk, 1, None if refused else 1, state, opened, opened, tries, tries, taken, error
            )
            told = {"destination": destination.name, **({"error": error} if refused else {})}
            self.activity(moment, "delivery_dead" if refused else "delivered", None, told)
