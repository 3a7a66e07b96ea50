"""Planned messages go out, each at most once (P6): the claim commits before the mail server hears of it, and a claim that never came back is
shown as uncertain, never repeated. Suppression, the lead and the campaign are read again in the claiming transaction (P7).

One message is claimed at a time, so a killed worker leaves one in doubt at the most. What the server refused before it took anything is tried again
when the refusal was for now, and has failed when it was for good.
"""

import logging
import smtplib
import time
from datetime import timedelta
from email.utils import formataddr

from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from campaigns import words
from campaigns.clicks import signed
from campaigns.letterhead import addressed, html_of
from campaigns.models import Campaign, Enrollment, MailRules, Message, Preference, Sender, StageText, Suppression
from campaigns.opens import watched
from campaigns.rules import domain_of, put_off_until
from leads.models import Activity, Lead
from listings.models import Publisher

log = logging.getLogger(__name__)
BUDGET = 60.0  # seconds
LOST_AFTER = timedelta(minutes=10)
FIRST_WAIT, LONGEST_WAIT, MOST_TRIES = timedelta(minutes=2), timedelta(hours=6), 20  # about three days
State = Message.State


def send(limit: int = 500) -> int:
    """Send what is planned and due, for a minute at the most; returns how many messages were taken up. Safe beside other workers: each claims its own."""
    taken, until = 0, time.monotonic() + BUDGET
    while taken < limit and time.monotonic() < until and send_one():
        taken += 1
    return taken


def send_one() -> bool:
    """Claim the next due message of a published campaign and hand it to the mail server; false when none is due or no sender is verified.

    Locks the message row, skipping those others hold.
    """
    with transaction.atomic():
        message = next_due()
        if message is None:
            return False
        mail = None if wait_for_rules(message) else ready(message)
        if mail:
            domain = domain_of(message.enrollment.lead.contact.email)
            Message.objects.filter(pk=message.pk).update(state=State.SENDING, claimed_at=timezone.now(), domain=domain)
    if mail:
        hand_over(message, mail)
    return True


def next_due() -> Message | None:
    related = (
        "enrollment__lead__owner",
        "enrollment__lead__contact__company",
        "enrollment__lead__listing__storefront",
        "enrollment__campaign__sender",
        "stage",
    )
    due = Message.objects.due(timezone.now()).sendable().order_by("due_at").select_related(*related).prefetch_related("stage__texts")
    return due.select_for_update(of=("self",), skip_locked=True).first()


def wait_for_rules(message: Message) -> bool:
    """Plan it for later if the person got enough mail lately, or it is night there; says so in the reason."""
    wait = put_off_until(message.enrollment.lead.contact, MailRules.current(), timezone.now())
    if wait:
        Message.objects.filter(pk=message.pk).update(due_at=wait[0], reason=wait[1])
    return wait is not None


def ready(message: Message) -> EmailMultiAlternatives | None:
    """The mail, if it may go out now; else the message is closed with the reason. A message that can't be written harms no other."""
    try:
        why = withheld(message)
        sender = message.enrollment.campaign.writes_from
        mail = compose(message, sender) if sender and not why else None
        if mail:
            mail.message()  # what can't be written down fails here, where nothing has gone out
    except (DatabaseError, SoftTimeLimitExceeded):
        raise  # nothing is written, and the message stays planned
    except Exception as error:
        log.exception("message %s can't be written", message.pk)
        close(message, State.FAILED, f"{type(error).__name__}: {error}"[:300])
        return None
    if mail is None and sender is None and not why:  # removed a moment ago: as long as there is none, nothing is sendable
        Message.objects.filter(pk=message.pk).update(due_at=timezone.now() + FIRST_WAIT)
    elif mail is None:
        close(message, State.WITHHELD if why else State.FAILED, why or "no_text")
    return mail


def withheld(message: Message) -> str:
    """Why this message must not go out now; empty when it may."""
    enrollment, lead = message.enrollment, message.enrollment.lead
    if not lead.contact.email:
        return "no_address"
    if Suppression.holds(lead.contact.email, enrollment.campaign.kind):
        return "suppressed"
    if enrollment.campaign.state != Campaign.State.PUBLISHED:
        return "not_published"
    if enrollment.status not in (Enrollment.Status.ACTIVE, Enrollment.Status.ENDED):
        return enrollment.status
    return "" if lead.is_open else "lead_closed"


def hand_over(message: Message, mail: EmailMultiAlternatives) -> None:
    """Give one claimed message to the mail server and write down what became of it."""
    server = get_connection()
    try:
        server.open()
    except Exception as error:  # nobody heard of it
        return put_off(message, f"{type(error).__name__}: {error}"[:300])
    mail.connection = server
    try:
        mail.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
        refused(message, error)
    except Exception as error:  # it may have gone out: a person decides
        log.warning("message %s is uncertain: %s", message.pk, type(error).__name__)
        close(message, State.UNCERTAIN, f"{type(error).__name__}: {error}"[:300])
    else:
        close(message, State.SENT, "")
    finally:
        server.close()


def refused(message: Message, error: smtplib.SMTPException) -> None:
    """The server said no and took nothing: for now with a code of the four hundreds, for good with one of the five hundreds."""
    codes = (
        [code for code, _text in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else [getattr(error, "smtp_code", 0)]
    )
    why = f"{type(error).__name__}: {error}"[:300]
    if all(400 <= code < 500 for code in codes):
        put_off(message, why)
    else:
        close(message, State.FAILED, why)


def put_off(message: Message, why: str) -> None:
    """Plan it again for later, waiting twice as long each time; after about three days it has failed."""
    if message.tries >= MOST_TRIES:
        return close(message, State.FAILED, why)
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(message.tries, 10))
    Message.objects.filter(pk=message.pk, state=State.SENDING).update(
        state=State.PLANNED, reason=why, due_at=timezone.now() + wait, claimed_at=None, tries=F("tries") + 1
    )
    return None


def compose(message: Message, sender: Sender) -> EmailMultiAlternatives | None:
    """The mail in the buyer's language, with one-click unsubscribe (RFC 8058); none when the stage has no text."""
    lead: Lead = message.enrollment.lead
    chosen = Preference.of(lead.contact.email)
    text = words.text_for({one.language: one for one in message.stage.texts.all()}, words.language_of(lead, chosen.language))
    if text is None:
        return None
    publisher = Publisher.current().name
    link = f"{words.absolute(words.unsubscribe_path(lead.contact.email))}?m={message.pk}"
    subject, body, html = letter(text, lead, publisher, link)
    rules = MailRules.current()
    if rules.tracks_clicks:
        html = signed(html, message, but=link)
    if rules.tracks_opens and chosen.agrees_to_opens:
        html = watched(html, message)
    message.language, message.subject = text.language, subject
    name, address, reply_to = signature(message, sender)
    mail = EmailMultiAlternatives(
        message.subject,
        body,
        formataddr((name or publisher, address)),
        [lead.contact.email],
        reply_to=reply_to,
        headers={
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Message-ID": f"<{message.pk}@{address.rpartition('@')[2]}>",
        },
    )
    mail.attach_alternative(html, "text/html")
    return mail


def signature(message: Message, sender: Sender) -> tuple[str, str, list[str]]:
    """(name, address, where replies go) of a mail: the campaign's sender, or the seller who owns the lead, if the campaign writes in their name.

    Only verified addresses are written from; of an owner without one it is the sender's, under the owner's name.
    """
    owner = message.enrollment.lead.owner
    if not message.enrollment.campaign.from_owner or owner is None or not owner.is_active:
        return sender.name, sender.address, []
    own = Sender.objects.filter(address__iexact=owner.email, verified_at__isnull=False).first() if owner.email else None
    return owner.full_name, own.address if own else sender.address, [owner.email] if owner.email else []


def letter(text: StageText, lead: Lead, publisher: str, link: str) -> tuple[str, str, str]:
    """Subject, text and HTML of a mail to this lead, closed by who writes and how to stop it, in the language of the text.

    The HTML was made when the text was saved (campaigns.letterhead); what a buyer said of themselves is put in afterwards, and is never a link.
    """
    values = words.facts(lead, publisher)
    with translation.override(text.language):
        end = f"{publisher}\n{_('Unsubscribe')}: {link}"
    whole = f"{text.body}\n\n--\n{end}\n"
    made = text.html or html_of(text.body, text.mjml, text.language)
    html = words.fill(addressed(made, link), {name: escape(value) for name, value in values.items()})
    return words.fill(text.subject, values)[:300], words.fill(whole, values), html


def close(message: Message, state: str, reason: str) -> None:
    """Write the outcome; a sent message goes on the timeline."""
    now = timezone.now()
    sent = state == State.SENT
    this = Message.objects.filter(pk=message.pk)
    with transaction.atomic():
        this.update(sent_at=now if sent else None, language=message.language, subject=message.subject)
        this.exclude(state=State.BOUNCED).update(state=state, reason=reason)  # the provider may be sooner than we are
        if sent:
            Activity.objects.create(lead=message.enrollment.lead, kind="mailed", data={"subject": message.subject, "stage": message.stage.name})


def find_uncertain() -> int:
    """Messages claimed long ago and never closed: their worker died around the send. Shown to a person, never repeated; returns how many."""
    lost = Message.objects.filter(state=State.SENDING, claimed_at__lt=timezone.now() - LOST_AFTER)
    return lost.update(state=State.UNCERTAIN, reason="worker_lost")
