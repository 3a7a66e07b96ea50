"""What waits for a person, worst first: a count, what it is, one line why, and the page where something can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Message
from delivery.models import Delivery, Destination
from insights.offers import Period
from leads.keyset import Count, counts
from leads.lists import received
from leads.models import Lead, Submission
from leads.reasons import in_words
from listings.days import span
from listings.health import Health
from listings.links import page
from listings.models import Listing

LATE, SOON = "late", "soon"
LOOK_BACK = 30  # days, for leads without owner: older ones are history


@dataclass(frozen=True, slots=True)
class Need:
    """One line of "Needs you"."""

    icon: str
    tone: str
    count: Count
    what: str
    why: str
    verb: str
    url: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked through: the listings with their health, and how many there are of everything that may wait, counted in one query."""

    listings: list[Listing]
    health: dict[int, Health]
    counts: dict[str, Count]


Asking = Callable[[Seen], Need | None]


def needs(listings: list[Listing], health: dict[int, Health]) -> list[Need]:
    """Everything that waits, of all listings, worst first: the pages it leads to count the same. A constant number of queries."""
    waiting: dict[str, QuerySet[Any]] = {
        "overdue": Lead.objects.overdue(timezone.now()),
        "dead": Delivery.objects.dead(),
        "quarantined": Submission.objects.quarantined(),
        "ownerless": received(Lead.objects.unroutable(), str(since()), ""),
        "uncertain": Message.objects.filter(state=Message.State.UNCERTAIN),
        "paused": Destination.objects.filter(state=Destination.State.PAUSED),
    }
    seen = Seen(listings, health, dict(zip(waiting, counts(*waiting.values()), strict=True)))
    found = [ask(seen) for ask in ASKED]
    return [need for need in found if need]


def since() -> date:
    """The first day from which leads without an owner are shown."""
    return Period.last(LOOK_BACK).first


def overdue(seen: Seen) -> Need | None:
    count, now = seen.counts["overdue"], timezone.now()
    longest = Lead.objects.overdue(now).order_by("respond_by").values_list("respond_by", "listing__title").first() if count.figure else None
    if longest is None or longest[0] is None:
        return None
    why = _("Longest by %(time)s, %(listing)s") % {"time": span(now - longest[0], full=True), "listing": longest[1]}
    what = ngettext("response overdue", "responses overdue", count.figure)
    return Need("clock-alert", LATE, count, what, why, _("Assign"), page("leads:list", clock="overdue"))


def paused(seen: Seen) -> Need | None:
    count = seen.counts["paused"]
    first = Destination.objects.filter(state=Destination.State.PAUSED).values_list("name", "pause_reason").first() if count.figure else None
    if first is None:
        return None
    why = ": ".join(filter(None, first))[:160]
    return Need(
        "circle-pause", LATE, count, ngettext("destination paused", "destinations paused", count.figure), why, _("Mend"), page("delivery:list")
    )


def dead(seen: Seen) -> Need | None:
    count = seen.counts["dead"]
    newest = Delivery.objects.dead().select_related("destination", "lead__listing").order_by("-id").first() if count.figure else None
    if newest is None:
        return None
    says = {"listing": newest.lead.listing.title, "destination": newest.destination.name, "error": brief(newest.last_error)}
    what = ngettext("dead delivery", "dead deliveries", count.figure)
    return Need(
        "unplug", LATE, count, what, _("%(listing)s to %(destination)s: %(error)s") % says, _("Replay"), page("delivery:deliveries", state="dead")
    )


def brief(error: str) -> str:
    """The status alone of an answer that begins with one; else its beginning."""
    first = error.partition(" ")[0]
    return first if first.isdigit() else error[:60]


def silent(seen: Seen) -> Need | None:
    quiet = [one for one in seen.listings if seen.health[one.pk].state == "silent"]
    if not quiet:
        return None
    named = ", ".join(f"{one.title}: {seen.health[one.pk].text}" for one in quiet[:3])
    url = page("listings:detail", quiet[0].slug) if len(quiet) == 1 else page("listings:list")
    return Need("ear-off", SOON, Count(len(quiet), True), ngettext("listing silent", "listings silent", len(quiet)), named, _("Test"), url)


def quarantined(seen: Seen) -> Need | None:
    count = seen.counts["quarantined"]
    if not count.figure:
        return None
    newest = Submission.objects.quarantined().order_by("-id").values_list("reason", flat=True)[:20]
    reasons = dict.fromkeys(in_words(reason).partition(":")[0].rstrip(".")[:60] for reason in newest)
    return Need("inbox", SOON, count, _("in quarantine"), "; ".join(list(reasons)[:2]), _("Repair"), page("leads:quarantine"))


def ownerless(seen: Seen) -> Need | None:
    """Leads that should have an owner and have none, because nobody can take them."""
    count = seen.counts["ownerless"]
    if not count.figure:
        return None
    why = _("Nobody can take them")
    return Need("user-x", SOON, count, _("without an owner"), why, _("Assign"), page("leads:list", owner="unroutable", from_=since()))


def uncertain(seen: Seen) -> Need | None:
    count = seen.counts["uncertain"]
    if not count.figure:
        return None
    what = ngettext("uncertain mail", "uncertain mails", count.figure)
    return Need("mail-question-mark", SOON, count, what, _("Sent or not, nobody knows; never repeated by itself"), _("Look"), page("campaigns:list"))


ASKED: tuple[Asking, ...] = (overdue, paused, dead, silent, quarantined, ownerless, uncertain)
