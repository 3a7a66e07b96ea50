"""What waits for a person, worst first: a count, what it is, one line why, and the page where something can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Message
from delivery.models import Delivery, Destination
from insights.offers import Period
from leads.keyset import Count
from leads.keyset import count as bounded
from leads.lists import received
from leads.models import Lead, Submission
from leads.reasons import in_words
from listings.days import clock
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


Asking = Callable[[list[Listing], dict[int, Health]], Need | None]


def needs(listings: list[Listing], health: dict[int, Health]) -> list[Need]:
    """Everything that waits, of all listings, worst first: the pages it leads to count the same. A constant number of queries."""
    found = [ask(listings, health) for ask in ASKED]
    return [need for need in found if need]


def overdue(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    now = timezone.now()
    leads = Lead.objects.overdue(now)
    longest = leads.order_by("respond_by").values_list("respond_by", "listing__title").first()
    if longest is None or longest[0] is None:
        return None
    count = bounded(leads)
    why = _("Longest by %(time)s, %(listing)s") % {"time": clock(now - longest[0]), "listing": longest[1]}
    what = ngettext("response overdue", "responses overdue", count.figure)
    return Need("clock-alert", LATE, count, what, why, _("Assign"), page("leads:list", clock="overdue"))


def paused(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    found = list(Destination.objects.filter(state=Destination.State.PAUSED).values_list("name", "pause_reason"))
    if not found:
        return None
    why = ": ".join(filter(None, found[0]))[:160]
    what = ngettext("destination paused", "destinations paused", len(found))
    return Need("circle-pause", LATE, Count(len(found), True), what, why, _("Mend"), page("delivery:list"))


def dead(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    newest = Delivery.objects.dead().select_related("destination", "lead__listing").order_by("-id").first()
    if newest is None:
        return None
    count = bounded(Delivery.objects.dead())
    says = {"listing": newest.lead.listing.title, "destination": newest.destination.name, "error": brief(newest.last_error)}
    what = ngettext("dead delivery", "dead deliveries", count.figure)
    return Need(
        "unplug", LATE, count, what, _("%(listing)s to %(destination)s: %(error)s") % says, _("Replay"), page("delivery:deliveries", state="dead")
    )


def brief(error: str) -> str:
    """The status alone of an answer that begins with one; else its beginning."""
    first = error.partition(" ")[0]
    return first if first.isdigit() else error[:60]


def silent(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    quiet = [one for one in listings if health[one.pk].state == "silent"]
    if not quiet:
        return None
    named = ", ".join(f"{one.title}: {health[one.pk].text}" for one in quiet[:3])
    url = page("listings:detail", quiet[0].slug) if len(quiet) == 1 else page("listings:list")
    return Need("ear-off", SOON, Count(len(quiet), True), ngettext("listing silent", "listings silent", len(quiet)), named, _("Test"), url)


def quarantined(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    rows = Submission.objects.quarantined()
    count = bounded(rows)
    if not count.figure:
        return None
    newest = rows.order_by("-id").values_list("reason", flat=True)[:20]
    reasons = dict.fromkeys(in_words(reason).partition(":")[0].rstrip(".")[:60] for reason in newest)
    return Need("inbox", SOON, count, _("in quarantine"), "; ".join(list(reasons)[:2]), _("Repair"), page("leads:quarantine"))


def ownerless(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    """Leads that should have an owner and have none, because nobody can take them."""
    first = Period.last(LOOK_BACK).first
    count = bounded(received(Lead.objects.unroutable(), str(first), ""))
    if not count.figure:
        return None
    why = _("Nobody can take them")
    return Need("user-x", SOON, count, _("without an owner"), why, _("Assign"), page("leads:list", owner="unroutable", from_=first))


def uncertain(listings: list[Listing], health: dict[int, Health]) -> Need | None:
    count = bounded(Message.objects.filter(state=Message.State.UNCERTAIN))
    if not count.figure:
        return None
    what = ngettext("uncertain mail", "uncertain mails", count.figure)
    return Need("mail-question-mark", SOON, count, what, _("Sent or not, nobody knows; never repeated by itself"), _("Look"), page("campaigns:list"))


ASKED: tuple[Asking, ...] = (overdue, paused, dead, silent, quarantined, ownerless, uncertain)
