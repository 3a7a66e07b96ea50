"""Whether a mail was opened: asked only where the mail rules say so, and only of people who agreed to it on the page behind the link of a mail.

A picture of one dot at its end is fetched from here by the program that shows the mail. Mail servers fetch pictures too, within moments of the arrival:
that counts for nothing.
"""

from base64 import b64decode
from uuid import UUID

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import public
from campaigns import events
from campaigns.clicks import ARRIVAL
from campaigns.models import MailEvent, Message
from campaigns.words import absolute, signed_here, signing_key

SALT = "opened"
DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def watched(html: str, message: Message) -> str:
    """The HTML of a mail with the dot before its end."""
    token = signing.Signer(key=signing_key(), salt=SALT).sign(str(message.pk)).replace(":", ".")
    dot = f'<img src="{absolute(reverse("campaigns:opened", args=[token]))}" width="1" height="1" alt="">'
    before, end, after = html.rpartition("</body>")
    return f"{before}{dot}{end}{after}" if end else html + dot


@public
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The dot, whoever asks; what nobody here signed is nothing."""
    pk = signed_here(token, SALT)
    if pk is None:
        raise Http404
    message = Message.objects.select_related("enrollment__lead__contact").filter(pk=UUID(pk)).first()
    if request.method == "GET" and message and message.sent_at and timezone.now() - message.sent_at >= ARRIVAL and events.may_see_opens(message):
        events.keep(message, MailEvent.Kind.OPENED, "")
    response = HttpResponse(DOT, content_type="image/gif")
    response["Cache-Control"], response["X-Robots-Tag"] = "no-store", "noindex"
    return response
