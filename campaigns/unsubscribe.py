"""The page behind the link in every mail: no sign-in, no cookie. One button stops all of it, and mail programs press that by themselves (RFC 8058);
or the person chooses what they still want mail about, in which language, and whether it may be seen that they open it."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.crypto import keyed_digests
from campaigns import events
from campaigns.models import MailEvent, MailRules, Message, Preference, Suppression
from campaigns.words import digest_of, languages
from listings.models import CampaignKind, Publisher

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
# What mail is about, in the words of those who get it.
PURPOSES = {CampaignKind.NURTURE.value: _("Tips about what you asked for"), CampaignKind.DEMAND.value: _("News and offers")}
UNSUBSCRIBED = Suppression.Reason.UNSUBSCRIBED


@public
@csrf_exempt  # a mail program has no page of ours to take a token from; the signed link itself is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it. The answer is the same whether anybody here knows the address or not; only links that nobody here signed get another."""
    digest, state = digest_of(token), "asks"
    if digest is None:
        state = "unknown"
    elif request.method == "POST" and request.POST.get("choose"):
        with transaction.atomic():
            choose(digest, [purpose for purpose in PURPOSES if purpose in request.POST.getlist("wanted")])
            prefer(digest, request.POST.get("language", ""), "opens" in request.POST)
        state = "chosen"
    elif request.method == "POST":
        Suppression.add_digest(digest, UNSUBSCRIBED)
        state = "done"
    if digest and state in ("chosen", "done"):
        tell(digest, request.GET.get("m", ""))
    refused = set(Suppression.objects.filter(digest=digest).values_list("purpose", flat=True)) if digest else set()
    choices = [(purpose, words, not refused & {"", purpose}) for purpose, words in PURPOSES.items()]
    preference = Preference.objects.filter(digest=digest).first() if digest else None
    context = {
        "state": state, "publisher": Publisher.current().name, "choices": choices, "languages": languages(), "preference": preference,
        "tracks_opens": MailRules.current().tracks_opens,
    }  # fmt: skip
    response = render(request, "campaigns/unsubscribe.html", context, status=404 if digest is None else 200)
    for name, value in HEADERS.items():
        response[name] = value
    return response


def choose(digest: bytes, wanted: list[str]) -> None:
    """Mail about these purposes and no others. What somebody else entered, an objection or a bounce, stays as it is. Of the caller's transaction:
    in between, what was refused as a whole is refused by nothing."""
    own = Suppression.objects.filter(digest=digest, reason=UNSUBSCRIBED)
    own.filter(purpose__in=["", *wanted]).delete()
    for purpose in PURPOSES:
        if purpose not in wanted:
            Suppression.add_digest(digest, UNSUBSCRIBED, purpose)


def prefer(digest: bytes, language: str, agrees_to_opens: bool) -> None:
    """Keep in which language somebody wants their mail, and whether it may be seen that they open it."""
    known = language if language in dict(languages()) else ""
    Preference.objects.update_or_create(digest=digest, defaults={"language": known, "agrees_to_opens": agrees_to_opens})


def tell(digest: bytes, said: str) -> None:
    """Which mail it was that the person had enough of, if the link says so and it went to them."""
    try:
        message = Message.objects.select_related("enrollment__lead__contact").filter(pk=UUID(said)).first()
    except ValueError:
        return
    if message and digest in keyed_digests(message.enrollment.lead.contact.email) and Suppression.objects.filter(digest=digest).exists():
        events.keep(message, MailEvent.Kind.UNSUBSCRIBED, "")
