"""The audit, for admins: who signed in, saw a secret, read personal data or changed the configuration, newest first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import allow
from accounts.audit import Kind
from accounts.models import AccessRecord, User
from accounts.newest import newest
from accounts.roles import ADMIN


@allow(ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    """The lines that the filters ask for; a value that names nothing finds nothing."""
    kind, username = request.GET.get("kind", ""), request.GET.get("user", "")
    found = AccessRecord.objects.select_related("user")
    found = found.filter(kind=kind) if kind else found
    found = found.filter(user__username=username) if username else found
    context = {
        "page": newest(found, request.GET),
        "kinds": Kind.choices,
        "kind": kind,
        "username": username,
        "people": User.objects.order_by("username"),
    }
    return render(request, "accounts/audit.html", context)
