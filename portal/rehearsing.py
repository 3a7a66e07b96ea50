"""The page that sends a test lead through a listing's whole path."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import allow, who
from accounts.roles import OFFICE
from listings.contents import REHEARSED
from listings.models import Listing
from portal.rehearsal import rehearse
from portal.templatetags import words

KEPT = 5  # walks that a session remembers


@allow(*OFFICE)
def rehearsal(request: HttpRequest, slug: str) -> HttpResponse:
    """Walk, remember the steps in this session alone, and show them on the listing's page."""
    listing = get_object_or_404(Listing.objects.visible_to(who(request)).for_display(), slug=slug)
    if request.method != "POST":
        return redirect(listing)
    steps = rehearse(listing)
    walk = {"at": words.moment(timezone.now()), "ms": sum(step.ms for step in steps), "steps": [asdict(step) for step in steps]}
    walks = {name: kept for name, kept in request.session.get(REHEARSED, {}).items() if name != slug}
    request.session[REHEARSED] = dict([*walks.items(), (slug, walk)][-KEPT:])
    failed = next((step for step in steps if not step.ok), None)
    if failed:
        messages.warning(request, _("It stopped here: %(why)s Nothing was kept.") % {"why": failed.text.rstrip(".") + "."})
    else:
        messages.success(request, _("Walked through and rolled back. Nothing was kept."))
    return redirect(f"{listing.get_absolute_url()}#rehearsal")
