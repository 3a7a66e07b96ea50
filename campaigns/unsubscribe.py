"""The page behind the link in every mail: no sign-in, no cookie, one button; mail programs press it by themselves (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from campaigns.models import Suppression
from campaigns.words import digest_of
from listings.models import Publisher

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@public
@csrf_exempt  # a mail program has no page of ours to take a token from; the signed link itself is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it. The answer is the same whether anybody here knows the address or not; only links that nobody here signed get another."""
    digest = digest_of(token)
    state = "unknown" if digest is None else "done" if request.method == "POST" else "asks"
    if digest is not None and request.method == "POST":
        Suppression.add_digest(digest, Suppression.Reason.UNSUBSCRIBED)
    context = {"state": state, "publisher": Publisher.current().name}
    response = render(request, "campaigns/unsubscribe.html", context, status=404 if digest is None else 200)
    for name, value in HEADERS.items():
        response[name] = value
    return response
