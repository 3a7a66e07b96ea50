"""Pages that belong to no app: home sends everybody to where their day begins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.access import allow, who
from accounts.roles import ROLES


@allow(*ROLES)
def home(request: HttpRequest) -> HttpResponse:
    """Marketing and admins land on the overview, field sales on their day."""
    return redirect("insights:overview" if who(request).sees_all else "leads:my_day")
