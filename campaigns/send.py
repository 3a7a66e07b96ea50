"""Planned messages go out, each at most once (P6): the claim commits before the mail server hears of it, and a claim that never came back is
shown as uncertain, never repeated. Suppression, the lead and the campaign are read again in the claiming transaction (P7)."""

import logging
import smtplib
import time
from datetime import timedelta
from email.utils import formataddr

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.html import linebreaks, urlize
from django.utils.translation import gettext as _

from campaigns import words
from campaigns.models import Campaign, Enrollment, Message, Sender, StageText, Suppression
from leads.models import Activity, Lead
from listings.models import Publisher

log = logging.getLogger(__name__)
BATCH, BUDGET = 5, 60.0  # a claim is small: what a killed worker had claimed is uncertain for good
LOST_AFTER = timedelta(minutes=10)


def send(limit: int = 500) -> int:
    """Send what is planned and due, for a minute at the most; returns how many messages were taken up. Safe beside other workers: each claims its own."""
    taken, until = 0, time.monotonic() + BUDGET
    while taken < limit and time.monotonic() < until and (claimed := claim(BATCH)):
        taken += len(claimed)
        for message in claimed:
            deliver(message)
    return taken


def claim(limit: int) -> list[Message]:
    """Commit `sending` on due messages of published campaigns with a verified sender. Locks message rows, skipping those others hold."""
    if Sender.verified() is None:
        return []
    now = timezone.now()
    with transaction.atomic():
        due = Message.objects.filter(state=Message.State.PLANNED, due_at__lte=now, enrollment__campaign__state=Campaign.State.PUBLISHED)
        ids = list(due.order_by("due_at").select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:limit])
        Message.objects.filter(pk__in=ids).update(state=Message.State.SENDING, claimed_at=now)
    return list(for_sending(Message.objects.filter(pk__in=ids)))


def for_sending(messages: "QuerySet[Message]") -> "QuerySet[Message]":
    return messages.select_related(
        "enrollment__lead__contact__company", "enrollment__lead__listing__storefront", "enrollment__campaign", "stage"
    ).prefetch_related("stage__texts")


def withheld(message: Message) -> str:
    """Why this message must not go out now, read from the database at this moment; empty when it may."""
    enrollment = Enrollment.objects.select_related("campaign", "lead__contact").get(pk=message.enrollment_id)
    lead = enrollment.lead
    if not lead.contact.email:
        return "no_address"
    if Suppression.holds(lead.contact.key):
        return "suppressed"
    if enrollment.campaign.state != Campaign.State.PUBLISHED:
        return "not_published"
    if enrollment.status not in (Enrollment.Status.ACTIVE, Enrollment.Status.ENDED):
        return enrollment.status
    return "" if lead.is_open else "lead_closed"


def deliver(message: Message) -> None:
    """Hand one claimed message to the mail server and write down what became of it."""
    if why := withheld(message):
        return close(message, Message.State.WITHHELD, why)
    mail = compose(message)
    if mail is None:
        return close(message, Message.State.FAILED, "no_text")
    try:
        mail.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPConnectError, ConnectionRefusedError) as error:
        # Nothing was accepted: the server said no before it took the message.
        close(message, Message.State.FAILED, f"{type(error).__name__}: {error}"[:300])
    except Exception as error:  # it may have gone out: a person decides
        log.warning("message %s is uncertain: %s", message.pk, type(error).__name__)
        close(message, Message.State.UNCERTAIN, f"{type(error).__name__}: {error}"[:300])
    else:
        close(message, Message.State.SENT, "")


def compose(message: Message) -> EmailMultiAlternatives | None:
    """The mail in the buyer's language, with one-click unsubscribe (RFC 8058); none when the stage has no text."""
    lead: Lead = message.enrollment.lead
    text = words.text_for({one.language: one for one in message.stage.texts.all()}, words.language_of(lead))
    sender = Sender.verified()
    if text is None or sender is None:
        return None
    publisher = Publisher.current().name
    link = words.absolute(words.unsubscribe_path(lead.contact.key))
    subject, body = letter(text, lead, publisher, link)
    message.language, message.subject = text.language, subject
    mail = EmailMultiAlternatives(
        message.subject,
        body,
        formataddr((sender.name or publisher, sender.address)),
        [lead.contact.email],
        headers={
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Message-ID": f"<{message.pk}@{sender.address.rpartition('@')[2]}>",
        },
        connection=get_connection(),
    )
    mail.attach_alternative(linebreaks(urlize(body, autoescape=True)), "text/html")
    return mail


def letter(text: StageText, lead: Lead, publisher: str, link: str) -> tuple[str, str]:
    """Subject and text of a mail to this lead, closed by who writes and how to stop it, in the language of the text."""
    values = words.facts(lead, publisher)
    with translation.override(text.language):
        end = f"{publisher}\n{_('Unsubscribe')}: {link}"
    return words.fill(text.subject, values)[:300], f"{words.fill(text.body, values)}\n\n--\n{end}\n"


def close(message: Message, state: str, reason: str) -> None:
    """Write the outcome; a sent message goes on the timeline."""
    now = timezone.now()
    sent = state == Message.State.SENT
    Message.objects.filter(pk=message.pk).update(
        state=state, reason=reason, sent_at=now if sent else None, language=message.language, subject=message.subject
    )
    if sent:
        Activity.objects.create(lead=message.enrollment.lead, kind="mailed", data={"subject": message.subject, "stage": message.stage.name})


def find_uncertain() -> int:
    """Messages claimed long ago and never closed: their worker died around the send. Shown to a person, never repeated; returns how many."""
    lost = Message.objects.filter(state=Message.State.SENDING, claimed_at__lt=timezone.now() - LOST_AFTER)
    return lost.update(state=Message.State.UNCERTAIN, reason="worker_lost")
