"""Sender addresses: added here, verified by whoever reads their mail, through a signed link that holds for three days."""

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow, public
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from campaigns import words
from campaigns.forms import SenderForm
from campaigns.models import Sender
from listings.models import Publisher, Storefront

log = logging.getLogger(__name__)
LASTS = timedelta(days=3)
SALT = "sender"


def signer(key: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(key=key, salt=SALT)


def token_of(sender: Sender) -> str:
    """Names the row and the address, so that a link is void once the address is changed or removed."""
    return signer(settings.PORTAL_KEYS[0]).sign_object([sender.pk, sender.address])


def sender_of(token: str) -> Sender | None:
    """The sender that a link of the last three days is about."""
    for key in settings.PORTAL_KEYS:
        try:
            pk, address = signer(key).unsign_object(token, max_age=LASTS)
        except (signing.BadSignature, ValueError, TypeError):
            continue
        return Sender.objects.filter(pk=pk, address=address).first()
    return None


def ask_to_verify(sender: Sender) -> bool:
    """Send the verification mail; returns whether the mail server took it."""
    publisher = Publisher.current().name
    text = _(
        "%(publisher)s wants to send campaign mail from this address.\n\nIf that is right, open this link and confirm. It holds for 3 days.\n\n"
        "%(link)s\n\nIf you know nothing of it, do nothing."
    )
    link = words.absolute(reverse("campaigns:verify", args=[token_of(sender)]))
    subject = _("Confirm this sender address for %(publisher)s") % {"publisher": publisher}
    headers = {"X-Portal-Mail": SALT}
    mail = EmailMessage(subject, text % {"publisher": publisher, "link": link}, settings.DEFAULT_FROM_EMAIL, [sender.address], headers=headers)
    try:
        return bool(mail.send())
    except OSError as error:  # smtplib's errors are among them
        log.warning("verification of sender %s could not be sent: %s", sender.pk, type(error).__name__)
        return False


@allow(*OFFICE)
def senders(request: HttpRequest) -> HttpResponse:
    """The addresses, and the form for one more."""
    form = SenderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        sender = form.save()
        record(request, Kind.CHANGED, f"sender {sender.pk} added")
        tell(request, sender)
        return redirect("campaigns:senders")
    in_use = {sender.pk for one in Storefront.objects.all() if (sender := Sender.verified(one.pk))}
    context = {"senders": Sender.objects.select_related("storefront").order_by("pk"), "in_use": in_use, "form": form}
    return render(request, "campaigns/senders.html", context, status=422 if form.errors else 200)


def tell(request: HttpRequest, sender: Sender) -> None:
    if ask_to_verify(sender):
        messages.success(request, _("Verification mail sent to %(address)s") % {"address": sender.address})
    else:
        messages.error(request, _("The mail server did not take the verification mail. The address is kept; try again later."))


@allow(*OFFICE)
@require_POST
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    tell(request, get_object_or_404(Sender, pk=pk, verified_at=None))
    return redirect("campaigns:senders")


@allow(*OFFICE)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget an address; campaigns go on from the next verified one, or send nothing."""
    sender = get_object_or_404(Sender, pk=pk)
    record(request, Kind.CHANGED, f"sender {pk} removed")
    sender.delete()
    messages.success(request, _("%(address)s removed") % {"address": sender.address})
    return redirect("campaigns:senders")


@public
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link. A mail scanner only looks at it, so it takes a press of the button."""
    sender = sender_of(token)
    if sender and request.method == "POST":
        Sender.objects.filter(pk=sender.pk, verified_at=None).update(verified_at=timezone.now())
        record(request, Kind.CHANGED, f"sender {sender.pk} verified")
    state = "unknown" if sender is None else "done" if request.method == "POST" or sender.verified_at else "asks"
    context = {"state": state, "sender": sender, "publisher": Publisher.current().name}
    response = render(request, "campaigns/verify.html", context, status=200 if sender else 404)
    response["Referrer-Policy"] = "same-origin"
    return response
