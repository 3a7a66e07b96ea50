"""Handing leads to another owner, one or several, and taking that back."""

import secrets
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.models import User
from accounts.roles import OFFICE
from leads.models import Lead
from leads.pages.lists import picked
from leads.undo import MOST, is_ours
from routing.handover import Before, hand_over, take_back

NOBODY, KEY = "nobody", "undo_owner"


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
        messages.success(request, text, extra_tags=offer(request, owner, before))
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
    messages.success(request, text, extra_tags=offer(request, owner, before))
    return redirect(back)


@allow(*OFFICE)
@require_POST
def undo(request: HttpRequest, batch: str) -> HttpResponse:
    """Give the leads of the last handover back to whom they were taken from."""
    kept = request.session.get(KEY)
    if not kept or kept["batch"] != batch:
        messages.warning(request, _("That can't be undone any more."))
    else:
        del request.session[KEY]
        done = take_back(
            Lead.objects.visible_to(who(request)), User.objects.filter(pk=kept["owner"]).first(), remembered(kept["rows"]), by=who(request)
        )
        messages.success(request, ngettext("%(n)d lead put back", "%(n)d leads put back", done) % {"n": done})
    return redirect(str(request.META["HTTP_REFERER"]) if is_ours(request) else "leads:list")


def offer(request: HttpRequest, owner: User | None, before: Before) -> str:
    """Remember whose the leads were; returns the tag that puts Undo into the message. Of very many leads nothing is remembered."""
    if not 0 < len(before) <= MOST:
        return ""
    batch = secrets.token_urlsafe(9)
    rows = [[str(row["pk"]), row["owner_id"], row["owner_reason"], iso(row["assigned_at"]), iso(row["respond_by"])] for row in before]
    request.session[KEY] = {"batch": batch, "owner": owner.pk if owner else None, "rows": rows}
    return "undo:" + reverse("routing:undo", args=[batch])


def iso(moment: Any) -> str:
    return moment.isoformat() if moment else ""


def remembered(rows: Sequence[Sequence[Any]]) -> Before:
    return [
        {"pk": pk, "owner_id": owner, "owner_reason": reason, "assigned_at": parse_datetime(given), "respond_by": parse_datetime(due)}
        for pk, owner, reason, given, due in rows
    ]
