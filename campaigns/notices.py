"""Notices go out: a colleague hears that a lead has come to a stage. Each once at the most; one that the mail server refused for now is tried again."""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from campaigns.models import Notice
from campaigns.words import absolute
from leads.models import Lead

log = logging.getLogger(__name__)
BUDGET, AGAIN = 30.0, timedelta(minutes=10)  # seconds; a wait


def send_notices() -> int:
    """Send what is due, for half a minute at the most; returns how many were taken up. Safe beside other workers: each claims its own."""
    taken, until = 0, time.monotonic() + BUDGET
    while time.monotonic() < until and send_one():
        taken += 1
    return taken


def send_one() -> bool:
    """Claim one notice and hand it over; false when none is due. Whoever may not see the lead any more hears nothing of it. Locks the notice."""
    with transaction.atomic():
        due = Notice.objects.due(timezone.now()).select_related("user", "lead__contact__company", "lead__listing")
        notice = due.select_for_update(of=("self",), skip_locked=True).order_by("due_at").first()
        if notice is None:
            return False
        Notice.objects.filter(pk=notice.pk).update(claimed_at=timezone.now())
    sees = notice.user.is_active and Lead.objects.visible_to(notice.user).filter(pk=notice.lead_id).exists()
    if notice.user.email and sees:
        hand_over(notice)
    return True


def hand_over(notice: Notice) -> None:
    server = get_connection()
    try:
        server.open()
    except Exception as error:  # nobody heard of it
        log.warning("notice %s waits: %s", notice.pk, type(error).__name__)
        Notice.objects.filter(pk=notice.pk).update(claimed_at=None, due_at=timezone.now() + AGAIN)
        return
    try:
        mail = compose(notice)
        mail.connection = server
        mail.send()
    except Exception as error:  # it may have gone out, and is not repeated
        log.warning("notice %s may be lost: %s", notice.pk, type(error).__name__)
    finally:
        server.close()


def compose(notice: Notice) -> EmailMessage:
    """In the language of the colleague."""
    lead, contact = notice.lead, notice.lead.contact
    with translation.override(notice.user.language or settings.LANGUAGE_CODE):
        stage, campaign = _(notice.stage) if notice.stage else "", _(notice.campaign) if notice.campaign else ""
        subject = " ".join(f"{contact.name}: {stage}".split())[:200]
        said = _("%(name)s has come to “%(stage)s” of the campaign %(campaign)s.") % {"name": contact.name, "stage": stage, "campaign": campaign}
        where = ", ".join(filter(None, (contact.title, contact.company_name, lead.listing.title)))
    return EmailMessage(subject, f"{said}\n{where}\n\n{absolute(lead.get_absolute_url())}\n", settings.DEFAULT_FROM_EMAIL, [notice.user.email])
