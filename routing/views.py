"""Handing leads to another owner, one or several."""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.models import User
from accounts.roles import OFFICE
from leads.models import Lead
from leads.pages.lists import picked
from routing.assign import give

NOBODY = "nobody"


def chosen_owner(request: HttpRequest) -> User | None:
    """The seller whom the form names, or nobody; anybody else is 404."""
    name = request.POST.get("owner", "")
    return None if name == NOBODY else get_object_or_404(User.objects.sellers(), username=name)


@allow(*OFFICE)
@require_POST
def assign(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand one lead to a seller, or take it from everybody."""
    lead = get_object_or_404(Lead.objects.visible_to(who(request)).for_list(), pk=pk)
    owner = chosen_owner(request)
    if lead.owner != owner:
        give(lead, owner, by=who(request))
        text = _("%(lead)s assigned to %(owner)s") % {"lead": lead.contact.name, "owner": owner.full_name} if owner else _("Taken from its owner")
        messages.success(request, text)
    return redirect(lead)


@allow(*OFFICE)
@require_POST
def assign_picked(request: HttpRequest) -> HttpResponse:
    """Hand the ticked leads to a seller; those who have that owner already stay as they are."""
    back = reverse("leads:list") + "?" + urlencode(request.GET)
    if not request.POST.get("owner"):
        messages.warning(request, _("Choose an owner for the ticked leads."))
        return redirect(back)
    owner = chosen_owner(request)
    leads = picked(request).exclude(owner=owner) if owner else picked(request).filter(owner__isnull=False)
    done = 0
    for lead in leads.order_by("pk").iterator(chunk_size=500):
        give(lead, owner, by=who(request))
        done += 1
    name = owner.full_name if owner else _("nobody")
    messages.success(request, ngettext("%(n)d lead assigned to %(owner)s", "%(n)d leads assigned to %(owner)s", done) % {"n": done, "owner": name})
    return redirect(back)
