"""Links of campaign mail: signed, so that they lead only where we wrote them to, and counted, as far as a person opens them.

Mail servers open links before the person does: with HEAD, within moments of the arrival, or all of them at once. None of that counts.
"""

import re
from datetime import timedelta
from html import unescape

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import public
from campaigns.models import Click, Message
from campaigns.words import absolute
from leads.models import Activity, Lead

SALT = "click"
ARRIVAL, BURST = timedelta(seconds=10), timedelta(seconds=3)
ANCHOR = re.compile(r'href="(https?://[^"]{1,1900})"')


def signed(html: str, message: Message, but: str) -> str:
    """The HTML of a mail with its links leading through us, all but the one to unsubscribe."""

    def link(match: re.Match[str]) -> str:
        url = unescape(match[1])
        return match[0] if url == but else f'href="{absolute(reverse("campaigns:click", args=[token_of(message, url)]))}"'

    return ANCHOR.sub(link, html)


def token_of(message: Message, url: str) -> str:
    """By PORTAL_KEYS, as the links of mail that was sent must survive a change of SECRET_KEY."""
    return signing.dumps([str(message.pk), url], key=settings.PORTAL_KEYS[0], salt=SALT, compress=True)


def read(token: str) -> tuple[str, str] | None:
    """(message, address) of a link that was signed here."""
    for key in settings.PORTAL_KEYS:
        try:
            message, url = signing.loads(token, key=key, salt=SALT)
        except (signing.BadSignature, ValueError, TypeError):
            continue
        return message, url
    return None


@public
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads; an address that nobody here signed leads nowhere."""
    found = read(token)
    if found is None:
        raise Http404
    pk, url = found
    if request.method == "GET" and (message := Message.objects.select_related("stage", "enrollment").filter(pk=pk).first()):
        note(message, url)
    response = HttpResponseRedirect(url)
    response["Cache-Control"], response["Referrer-Policy"], response["X-Robots-Tag"] = "no-store", "no-referrer", "noindex"
    return response


def note(message: Message, url: str) -> bool:
    """Write the click down; returns whether it counts. The first that counts goes on the timeline, and conditions are asked anew.

    Locks the message, so that a program's clicks are seen one after the other.
    """
    now = timezone.now()
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=message.pk)
        others = Click.objects.filter(message=message, at__gt=now - BURST).exclude(url=url)
        by_program = others.exists() or message.sent_at is None or now - message.sent_at < ARRIVAL
        if by_program and others.update(by_program=True):  # nor was the first of them a person's
            Activity.objects.filter(lead=message.enrollment.lead_id, kind="clicked", at__gt=now - BURST, data__subject=message.subject).delete()
        is_first = not Click.objects.filter(message=message, by_program=False).exists()
        Click.objects.create(message=message, url=url[:2000], at=now, by_program=by_program)
        if not by_program and is_first:
            Activity.objects.create(lead_id=message.enrollment.lead_id, kind="clicked", data={"subject": message.subject, "url": url[:500]})
        if not by_program:
            Lead.objects.filter(pk=message.enrollment.lead_id).update(stale_since=now)
    return not by_program
