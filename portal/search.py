"""What the palette finds: leads and listings that the user may see."""

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from accounts.access import allow, who
from accounts.audit import listed
from accounts.models import User
from accounts.roles import OFFICE, ROLES
from leads.lists import MAX_QUERY, searched
from leads.models import Lead
from listings.models import Listing

SHORTEST, LEADS, LISTINGS = 2, 8, 5
Found = list[dict[str, str]]


@allow(*ROLES)
@require_GET
def search(request: HttpRequest) -> JsonResponse:
    """The first few of each kind, as [{label, hint, url, group}]."""
    user, text = who(request), request.GET.get("q", "")[:MAX_QUERY].strip()
    if len(text) < SHORTEST:
        return JsonResponse([], safe=False)
    people = leads(user, text)
    listed(request, "search", len(people))
    return JsonResponse(people + listings(user, text), safe=False)


def leads(user: User, text: str) -> Found:
    """Newest first. A seller's search knows of no other leads than theirs."""
    rows = searched(Lead.objects.visible_to(user).for_list(), text).order_by("-received_at", "-pk")[:LEADS]
    return [
        {
            "label": lead.contact.name,
            "hint": ", ".join(filter(None, (lead.contact.company_name, lead.listing.title))),
            "url": lead.get_absolute_url(),
            "group": pgettext("navigation", "Leads"),
        }
        for lead in rows
    ]


def listings(user: User, text: str) -> Found:
    """By title. A listing's page is marketing's and the admin's; a seller gets their leads of it."""
    rows = Listing.objects.visible_to(user).for_display().filter(title__icontains=text)[:LISTINGS]
    office = bool(user.role_names.intersection(OFFICE))
    return [
        {
            "label": one.title,
            "hint": one.storefront.name if office else _("My leads"),
            "url": one.get_absolute_url() if office else f"{reverse('leads:list')}?listing={one.slug}",
            "group": pgettext("navigation", "Listings"),
        }
        for one in rows
    ]
