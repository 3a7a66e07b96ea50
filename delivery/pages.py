"""Follow-up in the browser: where leads go, what waits or failed, and what a person does about it."""

import json
import logging
import time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, listed, record
from accounts.newest import newest, read
from accounts.roles import ADMIN, OFFICE
from delivery.contract import DeliveryFailed, connectors
from delivery.dead import handle, replay_all
from delivery.figures import standing_of, standings
from delivery.forms import ConfigForm, DestinationForm, config_form, keep
from delivery.models import Delivery, Destination
from delivery.payload import payload
from delivery.send import replay as replay_these
from delivery.send import resume
from leads.keyset import count
from leads.models import Lead

MAX_REASON = 500

log = logging.getLogger(__name__)


@allow(*OFFICE)
def destinations(request: HttpRequest) -> HttpResponse:
    """Where leads go, and how that goes. Asked for deliveries in a state, it shows those."""
    if request.GET.get("state"):
        return redirect(f"{reverse('delivery:deliveries')}?{request.GET.urlencode()}")
    found = standings()
    troubled = [one for one in found if one.destination.state == Destination.State.PAUSED]
    kinds = [(kind, connector.label) for kind, connector in connectors().items()]
    return render(request, "delivery/list.html", {"standings": found, "troubled": troubled, "kinds": kinds, "dead": sum(one.dead for one in found)})


@allow(*OFFICE)
def destination(request: HttpRequest, pk: int) -> HttpResponse:
    """One destination: how it stands, how it is set up, and on request what it is sent about a real lead."""
    one = get_object_or_404(Destination.objects.prefetch_related("listings__storefront"), pk=pk)
    asked = request.GET.get("show") == "payload"
    lead = newest_lead(one) if asked else None
    if lead:
        record(request, Kind.PERSONAL_DATA_READ, f"lead {lead.pk}, payload preview")
    undone = Delivery.objects.filter(destination=one, state__in=(*Delivery.WAITING, Delivery.State.DEAD))
    context = {
        "standing": standing_of(one),
        "destination": one,
        "lead": lead,
        "body": body_of(lead) if lead else "",
        "asked_payload": asked,
        "latest": undone.select_related(*SHOWN).order_by("-pk")[:10],
    }
    return render(request, "delivery/destination.html", context)


def newest_lead(one: Destination) -> Lead | None:
    return Lead.objects.for_list().filter(listing__in=one.listings.all()).order_by("-received_at", "-id").first()


def body_of(lead: Lead) -> str:
    """What a destination gets, as it gets it: in English, whoever looks."""
    with translation.override("en"):
        return json.dumps(payload(lead, max(lead.revision, 1)), ensure_ascii=False, indent=2)


SHOWN = ("destination", "lead__contact__company", "lead__listing")


def chosen(request: HttpRequest) -> QuerySet[Delivery]:
    """The deliveries that the filters of the address (or form) ask for."""
    asked = request.POST if request.method == "POST" else request.GET
    found = Delivery.objects.visible_to(who(request))
    if state := asked.get("state"):
        found = found.filter(state__in=Delivery.WAITING) if state == "waiting" else found.filter(state=state)
    if number := asked.get("destination"):
        found = found.filter(destination=int(number)) if number.isdecimal() and len(number) < 18 else found.none()
    return found


@allow(*OFFICE)
def deliveries(request: HttpRequest) -> HttpResponse:
    """What destinations are owed and got, newest first, by state and destination."""
    state, number = request.GET.get("state", ""), request.GET.get("destination", "")
    page = newest(chosen(request).select_related(*SHOWN), request.GET)
    listed(request, "deliveries", len(page.rows))
    context = {
        "page": page,
        "state": state,
        "number": number,
        "states": [("waiting", _("Waiting")), *(choice for choice in Delivery.State.choices if choice[0] != Delivery.State.DUE)],
        "destinations": Destination.objects.all(),
        "destination": Destination.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 18 else None,
    }
    return render(request, "delivery/deliveries.html", context)


@allow(*OFFICE)
def delivery(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One delivery with every attempt and what the other side said."""
    one = get_object_or_404(Delivery.objects.visible_to(who(request)).select_related(*SHOWN, "lead__listing__storefront"), pk=pk)
    context = {
        "delivery": one, "attempts": one.log.order_by("-pk")[:100], "destination": one.destination,
        "next_try": max(filter(None, (one.due_at, one.destination.closed_until))),
    }  # fmt: skip
    return render(request, "delivery/delivery.html", context)


def picked(request: HttpRequest) -> QuerySet[Delivery]:
    """The dead deliveries that a form speaks of: the ticked ones, or with `all` every one that its filters show."""
    if request.POST.get("all"):
        return chosen(request).filter(state=Delivery.State.DEAD)
    ids = [pk for text in request.POST.getlist("pick")[:1000] if (pk := read(text))]
    return Delivery.objects.visible_to(who(request)).dead().filter(pk__in=ids)


def back(request: HttpRequest) -> str:
    """To where the form stood: one delivery, or the list with its filters."""
    one = read(request.POST.get("one", ""))
    if one:
        return reverse("delivery:delivery", args=[one])
    state, number = request.POST.get("state", ""), request.POST.get("destination", "")
    kept = [f"{name}={value}" for name, value in (("state", state), ("destination", number)) if value.isalnum()]
    return reverse("delivery:deliveries") + ("?" + "&".join(kept) if kept else "")


@allow(*OFFICE)
@require_POST
def replay(request: HttpRequest) -> HttpResponse:
    """Send dead deliveries again, with the same message id; all that the filters show, once somebody said that they are sure."""
    if request.POST.get("all") and not request.POST.get("sure"):
        asked = {name: request.POST.get(name, "") for name in ("state", "destination")}
        return render(request, "delivery/replay.html", {"count": count(picked(request)), "back": back(request), "asked": asked})
    waits = picked(request).filter(destination__state=Destination.State.OFF).exists()
    again = replay_all(picked(request))
    if again:
        record(request, Kind.CHANGED, f"deliveries replayed: {again}")
        messages.success(request, ngettext("%(n)d delivery is due again", "%(n)d deliveries are due again", again) % {"n": again})
        if picked(request).exists():
            messages.info(request, _("More are dead: replay again for the next ones"))
        if waits:
            messages.info(request, _("A destination that is off gets what is due when it is on again"))
    else:
        messages.warning(request, _("Nothing to replay: only dead deliveries are, and none was chosen."))
    return redirect(back(request))


@allow(*OFFICE)
@require_POST
def send_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make a delivery due now: a dead one is taken up again, one that waits for its next try waits no longer."""
    delivery = get_object_or_404(Delivery.objects.visible_to(who(request)).select_related("lead"), pk=pk)
    if Delivery.objects.filter(pk=pk, state=Delivery.State.RETRYING).update(due_at=timezone.now()) or replay_these([pk]):
        record(request, Kind.CHANGED, f"delivery {pk} sent again")
        messages.success(request, _("It is sent again now"))
    else:
        messages.info(request, _("Nothing to send again: it went through, or is on its way"))
    return redirect(back(request) if request.POST.get("one") else delivery.lead)


@allow(*OFFICE)
def handled(request: HttpRequest) -> HttpResponse:
    """Ask how it was handled, then close the dead deliveries; the reason goes on each lead's timeline."""
    if request.method != "POST":
        return redirect("delivery:deliveries")
    found, reason = list(picked(request).select_related(*SHOWN)[:1000]), request.POST.get("reason", "").strip()[:MAX_REASON]
    if not found:
        messages.warning(request, _("Only dead deliveries can be marked, and none was chosen."))
        return redirect(back(request))
    if not reason:
        asked = "reason" in request.POST
        listed(request, "deliveries", len(found))
        return render(
            request, "delivery/handled.html", {"deliveries": found, "asked": asked, "one": request.POST.get("one")}, status=422 if asked else 200
        )
    done = handle([one.pk for one in found], who(request), reason)
    record(request, Kind.CHANGED, f"deliveries handled by hand: {done}")
    messages.success(request, ngettext("%(n)d delivery marked as handled", "%(n)d deliveries marked as handled", done) % {"n": done})
    return redirect(back(request))


@allow(ADMIN)
def edit(request: HttpRequest, pk: int | None = None, kind: str = "") -> HttpResponse:
    """Make or change a destination. Its secret goes in and never comes out."""
    one = get_object_or_404(Destination, pk=pk) if pk else Destination(kind=kind)
    if one.kind not in connectors():
        raise Http404
    form_class, given = config_form(one.kind), request.POST.copy() if request.method == "POST" else None
    if given is not None and "generate" in given and form_class.makes_secrets:
        return filled(request, one, given)
    form, config = DestinationForm(given, instance=one), form_class(given, destination=one)
    if given is not None and all([form.is_valid(), config.is_valid()]):
        one = keep(form, config)
        record(request, Kind.CHANGED, f"destination {one.name} {'changed' if pk else 'made'}")
        messages.success(request, _("Destination saved"))
        return redirect("delivery:detail", one.pk)
    return render(request, "delivery/edit.html", edited(one, form, config), status=200 if given is None else 422)


def edited(one: Destination, form: DestinationForm, config: ConfigForm) -> dict[str, Any]:
    return {"destination": one, "form": form, "config": config, "kind": connectors()[one.kind].label, "generates": config.makes_secrets}


def filled(request: HttpRequest, one: Destination, given: Any) -> HttpResponse:
    """The form as it was, with a fresh secret in it to be copied; nothing is kept yet."""
    form_class = config_form(one.kind)
    initial = {name: given.get(name, "") for name in form_class.base_fields} | {form_class.sealed_field: form_class.new_secret()}
    form = DestinationForm(instance=one, initial={"name": given.get("name", ""), "listings": given.getlist("listings")})
    return render(request, "delivery/edit.html", edited(one, form, form_class(destination=one, initial=initial)) | {"generated": True})


@allow(ADMIN)
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a destination on (or resume it), or off."""
    one = get_object_or_404(Destination, pk=pk)
    if request.POST.get("on") == "1":
        resume(one)
        messages.success(request, _("%(name)s delivers again; what waits is due now") % {"name": one.name})
    else:
        Destination.objects.filter(pk=pk).update(state=Destination.State.OFF)
        messages.success(request, _("%(name)s is off; nothing is sent to it") % {"name": one.name})
    record(request, Kind.CHANGED, f"destination {one.name} {'on' if request.POST.get('on') == '1' else 'off'}")
    return redirect("delivery:detail", pk)


@allow(ADMIN)
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a marked test event and show what the other side says; no lead takes part."""
    one = get_object_or_404(Destination, pk=pk)
    began = time.monotonic()
    try:
        answer = connectors()[one.kind].test(one)
    except DeliveryFailed as failure:
        messages.error(request, _("The test did not get through. It said: “%(words)s”") % {"words": str(failure)[:300]})
    except Exception as error:  # a connector's own fault
        log.exception("destination %s: its test failed", pk)
        messages.error(request, _("The test did not get through. It said: “%(words)s”") % {"words": type(error).__name__})
    else:
        took = int((time.monotonic() - began) * 1000)
        said = {"status": answer.status, "took": took, "words": answer.text[:200]}
        messages.success(
            request, (_("It answered %(status)s in %(took)d ms: “%(words)s”") if answer.text else _("It answered %(status)s in %(took)d ms")) % said
        )
    record(request, Kind.CHANGED, f"destination {one.name} tested")
    return redirect("delivery:detail", pk)
