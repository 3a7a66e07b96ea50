"""Pages that belong to no app: home sends everybody to where their day begins."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.access import allow, public, who
from accounts.roles import ROLES


@allow(*ROLES)
def home(request: HttpRequest) -> HttpResponse:
    """Marketing and admins land on the overview, field sales on their day."""
    return redirect("insights:overview" if who(request).sees_all else "leads:my_day")


@public
def not_here(request: HttpRequest) -> HttpResponse:
    """An address that a library would serve and the portal does not."""
    raise Http404
