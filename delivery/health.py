"""Whether what a listing brings goes on to where it should: its destinations, and what they answered last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from delivery.models import Delivery, DeliveryAttempt, Destination
from delivery.send import BREAKER_FROM
from listings.health import BAD, OFF, OK, WARN, Check, Found, collector
from listings.links import page
from listings.models import Listing

State = Delivery.State


@dataclass(slots=True)
class Dead:
    """Dead deliveries of one listing to one destination, with the newest error."""

    count: int = 0
    error: str = ""


@collector(30)
def destinations(listings: Sequence[Listing]) -> Found:
    """Four queries: which destinations, what each delivered last and what failed last, the attempts of that, and the dead."""
    links = Destination.listings.through.objects.filter(listing__in=listings).values_list("listing_id", "destination_id")
    of_listing: dict[int, list[int]] = defaultdict(list)
    for listing, destination in links:
        of_listing[listing].append(destination)
    known = with_answers([pk for found in of_listing.values() for pk in found])
    attempts = answers(known.values())
    dead = dead_of(listings)
    return {one.pk: of_one(one, [known[pk] for pk in of_listing[one.pk]], attempts, dead) for one in listings}


def of_one(listing: Listing, found: Sequence[Any], attempts: dict[UUID, DeliveryAttempt], dead: dict[tuple[int, int], Dead]) -> list[Check]:
    """A check per destination of the listing, by name; where there is none, that is said too."""
    if not found:
        return [Check("destinations", OFF, _("Goes nowhere else"), _("Its leads stay in the portal"), verb=_("Add"), url=page("delivery:list"))]
    alone = all(one.state == Destination.State.OFF for one in found)
    by_name = sorted(found, key=lambda one: str(one.name))
    return [check(listing, one, attempts, dead.get((listing.pk, one.pk), Dead()), alone) for one in by_name]


def with_answers(ids: Sequence[int]) -> dict[int, Any]:
    """Destinations with the newest delivery that went through and the newest that did not."""

    def newest(*states: str) -> Subquery:
        rows = Delivery.objects.filter(destination=OuterRef("pk"), state__in=states).order_by("-id")
        return Subquery(rows.values("pk")[:1])

    rows = Destination.objects.filter(pk__in=ids).annotate(went=newest(State.DELIVERED), stuck=newest(State.RETRYING))
    return {one.pk: one for one in rows}


def answers(known: Any) -> dict[UUID, DeliveryAttempt]:
    """Delivery -> its newest attempt."""
    wanted = [pk for one in known for pk in (one.went, one.stuck) if pk]
    newest = DeliveryAttempt.objects.filter(delivery__in=wanted).order_by("delivery", "-id").distinct("delivery")
    return {one.delivery_id: one for one in newest}


def dead_of(listings: Sequence[Listing]) -> dict[tuple[int, int], Dead]:
    """(listing, destination) -> its dead deliveries, through the index of states."""
    rows = Delivery.objects.dead().filter(lead__listing__in=listings).order_by()
    found: dict[tuple[int, int], Dead] = {}
    for listing, destination, error, count in rows.values_list("lead__listing", "destination", "last_error").annotate(n=Count("pk")).order_by("-n"):
        one = found.setdefault((listing, destination), Dead(error=error))
        one.count += count
    return found


def check(listing: Listing, destination: Any, attempts: dict[UUID, DeliveryAttempt], dead: Dead, alone: bool) -> Check:
    """What is worst about a destination as this listing sees it. Alone: every other one of the listing is off."""
    name = f"destination-{destination.pk}"
    url = page("delivery:detail", destination.pk)
    says = {"name": destination.name}
    if destination.state == Destination.State.OFF and not dead.count:
        return Check(name, WARN if alone else OFF, _("%(name)s is off") % says, _("Its leads wait until it is on again"), url=url, verb=_("See it"))
    failing = pgettext("listing health", "Failing")
    if destination.state == Destination.State.PAUSED:
        return Check(name, BAD, _("%(name)s is paused") % says, destination.pause_reason, verb=_("Mend"), url=url, sign=failing)
    stuck = attempts.get(destination.stuck)
    if destination.failures_in_row >= BREAKER_FROM or destination.closed_until:
        why = stuck.answer[:160] if stuck else ""
        return Check(name, BAD, _("%(name)s does not answer") % says, why, stuck.at if stuck else None, verb=_("See it"), url=url, sign=failing)
    if dead.count:
        title = ngettext("%(count)d dead delivery to %(name)s", "%(count)d dead deliveries to %(name)s", dead.count) % {"count": dead.count, **says}
        replay = page("delivery:deliveries", state="dead", destination=destination.pk)
        is_off = destination.state == Destination.State.OFF  # what was switched off does not make its listings fail, but what it left undone shows
        sign = ngettext("%(count)d dead delivery", "%(count)d dead deliveries", dead.count) % {"count": dead.count} if is_off else failing
        return Check(name, WARN if is_off else BAD, title, dead.error[:160], verb=_("Replay"), url=replay, sign=sign)
    return answering(name, destination, attempts)


def answering(name: str, destination: Any, attempts: dict[UUID, DeliveryAttempt]) -> Check:
    says = {"name": destination.name}
    went = attempts.get(destination.went)
    if destination.failures_in_row:
        return Check(name, WARN, _("%(name)s is being retried") % says, _("Not every call went through"))
    if went is None:
        return Check(name, OK, _("%(name)s is connected") % says, _("Nothing was due to it yet"))
    why = _("%(status)s in %(ms)s ms; none dead") % {"status": went.status or "", "ms": went.took_ms or 0}
    return Check(name, OK, _("%(name)s answers") % says, why, when=went.at)
