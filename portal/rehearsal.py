"""A rehearsal: one lead that looks real walks the whole path of its listing, and nothing of it is kept.

The walk is the real one (the door's INSERT, intake's reading, pipeline.walk), in a transaction that is rolled back. It takes no intake lock and shares no
contact, company or lead with anybody, so it waits for nobody there; where the path takes turns (assignment, the day's tally) it waits at most
LONGEST_WAIT. After the rollback each destination is called with its own test event.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from delivery.contract import Answer, DeliveryFailed, connectors
from delivery.models import Destination
from leads.door import keep
from leads.models import Cluster, Disposition, Lead, Submission
from leads.reading import read
from leads.story import action_words
from leads.understand import understand
from listings.days import short
from listings.models import Listing
from portal import pipeline
from routing.reasons import because

LONGEST_WAIT, LONGEST_STATEMENT = "3s", "10s"
ACTIONS = {"contact_me": "PLT", "free_trial": "INS", "test_drive": "StartTestDrive", "get_it_now": "INS"}


class Stopped(Exception):
    """The walk ends here; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the walk: what came of it, and how long it took. `empty`: nothing went wrong, and nothing came of it either."""

    name: str
    text: str
    ms: int
    ok: bool = True
    empty: bool = False


class Watch:
    """Times each verb of the pipeline by its name."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.took: dict[str, float] = {}

    def step(self, verb: Callable[..., Any], leads: Sequence[UUID]) -> Any:
        began = time.monotonic()
        try:
            return verb(leads)
        finally:
            self.took[verb.__name__] = self.took.get(verb.__name__, 0) + time.monotonic() - began

    def ms(self, verb: str) -> int:
        return round(self.took.get(verb, 0) * 1000)

    def lap(self) -> int:
        """Milliseconds since the last lap."""
        now = time.monotonic()
        took, self.began = now - self.began, now
        return round(took * 1000)


def rehearse(listing: Listing) -> list[Step]:
    """Walk a made-up lead of this listing through the path, roll everything back, then test the destinations."""
    steps: list[Step] = []
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)", [LONGEST_WAIT, LONGEST_STATEMENT]
                )
            steps.extend(walked(listing))
            transaction.set_rollback(True)
    except Stopped as why:
        return [*steps, Step(_("Stopped"), str(why), 0, ok=False)]
    except DatabaseError as error:
        return [*steps, Step(_("Stopped"), str(error).splitlines()[0][:200], 0, ok=False)]
    return steps + delivered(listing)


def walked(listing: Listing) -> Iterator[Step]:
    """The steps inside the transaction."""
    watch = Watch()
    submission, received = receive(listing)
    yield Step(pgettext("rehearsal", "Received"), received, watch.lap())
    lead, understood = read_and_write(submission)
    yield Step(pgettext("rehearsal", "Understood"), understood, watch.lap())
    pipeline.walk([lead], watch.step)
    yield from answers(Lead.objects.for_list().get(pk=lead), watch)


def receive(listing: Listing) -> tuple[Submission, str]:
    """Through the door's own statement, with the listing's present secret."""
    url = listing.current_lead_url()
    if url is None:
        raise Stopped(_("This listing has no secret lead URL."))
    body = json.dumps(payload(listing), ensure_ascii=False).encode()
    kept = keep(bytes(url.digest), body, len(body), "application/json")
    if not isinstance(kept, str):
        raise Stopped(_("The archive did not take it."))
    digest = hashlib.sha256(body).hexdigest()
    said = {"size": len(body), "digest": f"{digest[:4]}…{digest[-4:]}"}
    return Submission.objects.get(pk=kept), _("202, %(size)d bytes, sha256 %(digest)s") % said


def payload(listing: Listing) -> dict[str, Any]:
    """A lead as the storefront would hand it over; the person and the company exist nowhere else."""
    mark = secrets.token_hex(4)
    action = ACTIONS[listing.call_to_action]
    source = "TestDrive" if action == "StartTestDrive" else "SPZA" if "appsource" in listing.storefront.slug else "AzureMarketplace"
    return {
        "userDetails": {
            "firstName": "Robin", "lastName": "Rehearsal", "email": f"robin@rehearsal-{mark}.example", "phone": "+420 555 010 203", "country": "CZ",
            "company": f"Rehearsal {mark}", "title": "CIO",
        },
        "leadSource": f"{source}-{action}|{listing.offer_key or listing.slug}", "actionCode": action, "offerTitle": listing.title,
        "description": "We want to see it with our own data before the end of the quarter.",
    }  # fmt: skip


def read_and_write(submission: Submission) -> tuple[UUID, str]:
    """Read and written as intake does, without its lock: no row of this lead is anybody else's."""
    reading = read(submission)
    understand([reading])
    if reading.disposition != Disposition.LEAD or reading.lead is None or reading.act is None:
        raise Stopped(reading.reason or Disposition(reading.disposition).label)
    source = submission.listing.storefront.name if reading.act.source in ("AppSource", "AzureMarketplace") else reading.act.source
    return UUID(reading.lead), ", ".join((source, action_words(reading.act.action), _("this listing")))


def answers(lead: Lead, watch: Watch) -> Iterator[Step]:
    """What each verb of the path left on the lead."""
    score = {"score": lead.score, "fit": lead.fit, "intent": lead.intent, "cluster": Cluster(lead.cluster).label if lead.cluster else "–"}
    yield Step(pgettext("rehearsal", "Scored"), _("%(score)s: fit %(fit)s + intent %(intent)s, %(cluster)s") % score, watch.ms("score"))
    whose = lead.owner.full_name if lead.owner else _("nobody")
    yield Step(pgettext("rehearsal", "Owner"), f"{whose}: {because(lead.owner_reason)}", watch.ms("assign"))
    found = enrolled(lead)
    yield Step(pgettext("rehearsal", "Enrolled"), "; ".join(found) or _("in no campaign"), watch.ms("enroll"), empty=not found)
    owed = lead.deliveries.select_related("destination").order_by("destination__name")  # type: ignore[attr-defined]
    where = [one.destination for one in owed]
    names = ", ".join(_("%(name)s (off)") % {"name": one.name} if one.state == Destination.State.OFF else one.name for one in where)
    empty = all(one.state == Destination.State.OFF for one in where)
    yield Step(pgettext("rehearsal", "Sent on"), names or _("nowhere: no destination wants it"), watch.ms("dispatch"), empty=empty)
    day = short(lead.counted.day)  # type: ignore[attr-defined]
    yield Step(pgettext("rehearsal", "Counted"), _("one lead on %(day)s") % {"day": day}, watch.ms("tally"))


def enrolled(lead: Lead) -> list[str]:
    found = lead.enrollments.select_related("campaign", "stage").order_by("campaign__name")  # type: ignore[attr-defined]
    told = []
    for one in found:
        said = {"campaign": one.campaign.name, "n": one.stage.position + 1, "state": str(one.get_status_display()).lower()}
        told.append((_("%(campaign)s, stage %(n)d") if one.status == "active" else _("%(campaign)s, stage %(n)d, %(state)s")) % said)
    return told


def delivered(listing: Listing) -> list[Step]:
    """Call every destination of the listing that is not off, beside each other; no lead takes part."""
    found = list(Destination.objects.filter(listings=listing).exclude(state=Destination.State.OFF).order_by("name"))
    if not found:
        return []
    with ThreadPoolExecutor(min(8, len(found)), "rehearsal") as pool:
        return [told(one, *came) for one, came in zip(found, pool.map(called, found), strict=True)]


def called(destination: Destination) -> tuple[Answer | Exception, int]:
    """What came of the test call, and how long it took. Runs on a thread without database and without the reader's language."""
    began = time.monotonic()
    came: Answer | Exception
    try:
        came = connectors()[destination.kind].test(destination)
    except Exception as error:  # a connector's own fault is told like a failure of the other side
        came = error
    return came, round((time.monotonic() - began) * 1000)


def told(destination: Destination, came: Answer | Exception, ms: int) -> Step:
    name = pgettext("rehearsal", "Delivered")
    if isinstance(came, Answer):
        return Step(name, _("%(name)s test call, %(status)s") % {"name": destination.name, "status": came.status}, ms)
    if isinstance(came, KeyError | NotImplementedError):
        return Step(name, _("%(name)s has no test call") % {"name": destination.name}, ms)
    said = str(came) if isinstance(came, DeliveryFailed) else type(came).__name__
    return Step(pgettext("rehearsal", "Not delivered"), f"{destination.name}: {said[:200]}", ms, ok=False)
