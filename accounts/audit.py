"""The one way to write the audit."""

from typing import Any

from django.http import HttpRequest

from accounts.models import AccessRecord, User

Kind = AccessRecord.Kind


def record(request: HttpRequest, kind: str, subject: Any = "", user: User | None = None) -> None:
    """Note that the signed-in user (or `user`) did `kind` to `subject`, an id or a name that is not itself personal data."""
    actor = user or (request.user if request.user.is_authenticated else None)
    AccessRecord.objects.create(user=actor, kind=kind, subject=str(subject)[:200], address=request.META.get("REMOTE_ADDR") or None)
