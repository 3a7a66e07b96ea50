"""The one way to write the audit."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import AccessRecord, User

Kind = AccessRecord.Kind


def address_of(request: HttpRequest) -> str | None:
    """Where a request came from, as the sign-in counts it: behind the proxy in production, the caller itself elsewhere. None when nothing says so."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return None


def record(request: HttpRequest, kind: str, subject: Any = "", user: User | None = None, count: int = 1) -> None:
    """Note that the signed-in user (or `user`) did `kind` to `subject`, an id or a name that is not itself personal data, or to `count` of them."""
    actor = user or (request.user if request.user.is_authenticated else None)
    AccessRecord.objects.create(user=actor, kind=kind, subject=str(subject)[:200], count=count, address=address_of(request))


def listed(request: HttpRequest, what: str, count: int) -> None:
    """Note that a page of a list showed `count` people to the signed-in user; one that showed nobody is not noted."""
    if count:
        record(request, Kind.PERSONAL_DATA_LISTED, what, count=count)
