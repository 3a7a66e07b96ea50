"""What the mail provider tells after a mail went out (webhooks, read by django-anymail): bounces, complaints, unsubscribing, opening, replies.

A hard bounce or a complaint suppresses the address at once, soft bounces once there are too many. Each is told once per mail, however often it comes.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from campaigns.models import MailEvent, MailRules, Message, Preference, Suppression
from leads.models import Activity, Lead
from leads.normal import email_key

Kind, Reason = MailEvent.Kind, Suppression.Reason
PROVIDERS = {
    "brevo": "anymail.webhooks.brevo.Brevo", "mailgun": "anymail.webhooks.mailgun.Mailgun", "mailjet": "anymail.webhooks.mailjet.Mailjet",
    "postmark": "anymail.webhooks.postmark.Postmark", "sendgrid": "anymail.webhooks.sendgrid.SendGrid",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPost",
}  # fmt: skip
OURS = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})@")
HARD = ("bounced", "invalid")
# How each provider says that a bounce is for now; what anymail makes of it does not tell.
SOFT = {
    ("Type", "SoftBounce"), ("event", "soft_bounce"), ("hard_bounce", False), ("type", "blocked"), ("severity", "temporary"),
    *(("bounce_class", code) for code in ("20", "21", "22", "23", "24", "40", "60", "70", "100")),
}  # fmt: skip


@public
@csrf_exempt  # the provider posts here; its signature or password is the proof
@require_http_methods(["POST", "HEAD"])
def told(request: HttpRequest, provider: str, what: str) -> HttpResponse:
    """What the provider of MAIL_EVENTS tells: `tracking` of what we sent, `inbound` for replies. Any other address leads nowhere."""
    if not provider or provider != settings.MAIL_EVENTS:
        raise Http404
    view = import_string(f"{PROVIDERS[provider]}{what.capitalize()}WebhookView")()
    if request.method == "POST":
        view.run_validators(request)
        for event in view.parse_events(request):
            READERS[what](event)
    return HttpResponse()


def happened(event: Any) -> bool:
    """Write down what became of a mail; false when it says nothing new, or nothing about a mail of ours."""
    kind = kind_of(event)
    message = kind and (by_id(event.message_id, *(event.metadata or {}).values()) or by_address(event.recipient or ""))
    if not (kind and message) or (kind == Kind.OPENED and not may_see_opens(message)):
        return False
    if kind == Kind.UNSUBSCRIBED:  # by a link of the provider's; ours say what of
        Suppression.add(message.enrollment.lead.contact.email, Reason.UNSUBSCRIBED)
    return keep(message, kind, event.description or event.mta_response or "")


def kind_of(event: Any) -> str:
    """Ours of the provider's many kinds; empty for those that change nothing, such as delivered."""
    if event.event_type in ("bounced", "rejected"):
        return Kind.BOUNCED if event.reject_reason in HARD and SOFT.isdisjoint(flat(event.esp_event)) else Kind.SOFT_BOUNCED
    return {"complained": Kind.COMPLAINED, "unsubscribed": Kind.UNSUBSCRIBED, "opened": Kind.OPENED}.get(event.event_type, "")


def may_see_opens(message: Message) -> bool:
    """Whether the rules ask who opens mail, and the person agreed to be seen."""
    return MailRules.current().tracks_opens and Preference.of(message.enrollment.lead.contact.email).agrees_to_opens


def flat(told: Any) -> Iterator[tuple[str, Any]]:
    """Every name with its plain value in what a provider told, however deep."""
    for name, value in told.items() if hasattr(told, "items") else ():
        if isinstance(value, str | bool):
            yield name, value
        else:
            yield from flat(value)


def replied(event: Any) -> bool:
    """A mail came in: a reply to one of ours, by the header that names it, else by who sent it."""
    mail = event.message
    said = " ".join(str(mail.get(header, "")) for header in ("In-Reply-To", "References"))
    if str(mail.get("Auto-Submitted", "no")).lower() != "no" or mail.get("List-Id"):
        return False  # a program wrote it
    sender = mail.from_email.addr_spec if mail.from_email else ""
    message = by_id(said) or by_address(sender)
    return bool(message and keep(message, Kind.REPLIED, str(mail.subject or "")))


READERS: dict[str, Callable[[Any], bool]] = {"tracking": happened, "inbound": replied}


def by_id(*said: Any) -> Message | None:
    """The message whose id stands in what was said; ours are `<id@domain>`."""
    ids = [UUID(one) for text in said for one in OURS.findall(f"{text}@".lower())]
    return Message.objects.filter(pk__in=ids).first() if ids else None


def by_address(address: str) -> Message | None:
    """The mail that went last to an address."""
    sent = Message.objects.filter(enrollment__lead__contact__email=email_key(address) or "-", sent_at__isnull=False)
    return sent.order_by("-sent_at").first()


def keep(message: Message, kind: str, reason: str) -> bool:
    """Write the event down once, with what follows from it. Locks the message, then the lead."""
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).select_related("enrollment__lead__contact").get(pk=message.pk)
        _event, is_new = MailEvent.objects.get_or_create(message=message, kind=kind, defaults={"reason": reason[:300]})
        if not is_new:
            return False
        lead = message.enrollment.lead
        if kind == Kind.BOUNCED:
            Message.objects.filter(pk=message.pk).update(state=Message.State.BOUNCED, reason=reason[:300])
        if why := suppresses(kind, lead):
            Suppression.add(lead.contact.email, why)
        Activity.objects.create(lead=lead, kind=f"mail_{kind}", data={"subject": message.subject, "reason": reason[:300]})
        Lead.objects.filter(pk=lead.pk).update(stale_since=timezone.now())
    return True


def suppresses(kind: str, lead: Lead) -> str:
    """Why the address must not be written to from now on, if so."""
    if kind == Kind.SOFT_BOUNCED:
        most = MailRules.current().most_soft_bounces
        events = MailEvent.objects.filter(message__enrollment__lead__contact=lead.contact_id, kind=kind)
        return Reason.BOUNCED if most and events.count() >= most else ""
    return {Kind.BOUNCED: Reason.BOUNCED, Kind.COMPLAINED: Reason.OBJECTED}.get(Kind(kind), "")
