"""Sending one delivery again from the record of its lead."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from delivery.models import Delivery
from delivery.send import replay


@allow(*OFFICE)
@require_POST
def retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a delivery due now: a dead one is taken up again, one that waits for its next try waits no longer."""
    delivery = get_object_or_404(Delivery.objects.visible_to(who(request)).select_related("lead"), pk=pk)
    if Delivery.objects.filter(pk=pk, state=Delivery.State.RETRYING).update(due_at=timezone.now()) or replay([pk]):
        record(request, Kind.CHANGED, f"delivery {pk} sent again")
        messages.success(request, _("It is sent again now"))
    else:
        messages.info(request, _("Nothing to send again: it went through, or is on its way"))
    return redirect(delivery.lead)
