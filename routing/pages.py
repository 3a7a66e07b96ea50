"""Handing leads to another owner, one or several, and taking that back."""

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
from leads.picked import picked
from leads.undo import is_ours, offer, taken
from routing.handover import hand_over, take_back

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
    if before := hand_over(Lead.objects.filter(pk=pk), owner, by=who(request)):
        text = _("%(lead)s assigned to %(owner)s") % {"lead": lead.contact.name, "owner": owner.full_name} if owner else _("Taken from its owner")
        messages.success(request, text, extra_tags=offer(request, "routing:undo", owner.pk if owner else None, before))
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
    before = hand_over(picked(request), owner, by=who(request))
    said = {"n": len(before), "owner": owner.full_name if owner else _("nobody")}
    text = ngettext("%(n)d lead assigned to %(owner)s", "%(n)d leads assigned to %(owner)s", len(before)) % said
    messages.success(request, text, extra_tags=offer(request, "routing:undo", owner.pk if owner else None, before))
    return redirect(back)


@allow(*OFFICE)
@require_POST
def undo(request: HttpRequest, batch: str) -> HttpResponse:
    """Give the leads of the last handover back to whom they were taken from."""
    kept = taken(request, "routing:undo", batch)
    if kept is None:
        messages.warning(request, _("That can't be undone any more."))
    else:
        owner, before = kept
        done = take_back(Lead.objects.visible_to(who(request)), User.objects.filter(pk=owner).first(), before, by=who(request))
        messages.success(request, ngettext("%(n)d lead put back", "%(n)d leads put back", done) % {"n": done})
    return redirect(str(request.META["HTTP_REFERER"]) if is_ours(request) else "leads:list")
