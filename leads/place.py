"""Where a reader stands: the list or the queue from which a lead was opened, and the leads before and after it there.

The link into a record says where it stands (`in`: My day, or the query of a list); the session keeps that while one works on the record, so that a
status set or a call logged loses nobody's place.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.access import who
from leads import filters, keyset
from leads.day import day_of
from leads.lists import chosen
from leads.models import Lead

DAY, LONGEST = "day", 1_000
NONE = keyset.Count(0, True)


@dataclass(frozen=True, slots=True)
class Place:
    """The way back, the number in the list and how many there are, and the neighbours."""

    url: str
    label: str
    number: int = 0
    total: keyset.Count = NONE
    previous_url: str = ""
    next_url: str = ""


def place_of(request: HttpRequest, lead: Lead) -> Place:
    """The place from which this user opened this lead; without one, the list of all leads."""
    said = remembered(request, lead)
    if said == DAY:
        return in_day(request, lead)
    return in_list(request, lead, said) if said is not None else Place(reverse("leads:list"), pgettext("navigation", "Leads"))


def remembered(request: HttpRequest, lead: Lead) -> str | None:
    said = request.GET.get("in")
    if said is not None and len(said) <= LONGEST:
        request.session["place"] = [str(lead.pk), said]
    pk, kept = request.session.get("place") or (None, None)
    return kept if pk == str(lead.pk) else None


def opened_from_day(request: HttpRequest) -> bool:
    """Whether the page is a record that was opened from My day."""
    pk, said = request.session.get("place") or ("", "")
    return said == DAY and bool(pk) and request.path == reverse("leads:detail", args=[pk])


def in_day(request: HttpRequest, lead: Lead) -> Place:
    queue = list(dict.fromkeys(item.lead.pk for item in day_of(who(request)).items))
    url, label = reverse("leads:my_day"), _("My day")
    if lead.pk not in queue:  # just answered, say: what waits is what comes next
        return Place(url, label, total=keyset.Count(len(queue), True), next_url=address(next(iter(queue), None), DAY))
    at = queue.index(lead.pk)
    return Place(
        url,
        label,
        at + 1,
        keyset.Count(len(queue), True),
        address(queue[at - 1] if at else None, DAY),
        address(next(iter(queue[at + 1 :]), None), DAY),
    )


def in_list(request: HttpRequest, lead: Lead, said: str) -> Place:
    """Found by key, so it costs the same wherever the lead stands."""
    asked = filters.asked_in(QueryDict(said.removeprefix("?")))
    query = filters.without(asked)
    column = filters.sorted_by(asked)[1]
    leads, here = chosen(Lead.objects.visible_to(who(request)), asked), (getattr(lead, column), lead.pk)
    above = [keyset.count(leads.filter(band)).figure for band in keyset.bands(Lead, column, here, back=True)]
    before, after = (next(iter(keyset.fetch(leads, column, here, back, 1)), None) for back in (True, False))
    return Place(
        reverse("leads:list") + query, pgettext("navigation", "Leads"), sum(above) + 1, keyset.count(leads),
        address(before and before.pk, query), address(after and after.pk, query),
    )  # fmt: skip


def address(pk: Any, said: str) -> str:
    return f"{reverse('leads:detail', args=[pk])}?{urlencode({'in': said})}" if pk else ""
