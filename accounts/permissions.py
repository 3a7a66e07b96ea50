"""The door of the API: the view names its roles, the token must carry the scope that the method needs."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.access import SAFE, second_factor_missing, who
from accounts.roles import ROLES


def is_let_in(request: Request) -> bool:
    """Signed in; an admin's session has shown the second factor that pages ask for, while a token stands for itself."""
    return bool(request.user.is_authenticated and (request.auth is not None or not second_factor_missing(request)))


def may_read(request: Request) -> bool:
    """Whether the token carries the scope to read; a session carries every scope of its user."""
    return "read" in getattr(request.auth, "scopes", ("read",))


class SignedIn(BasePermission):
    """Anybody with a role."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return is_let_in(request) and bool(who(request).role_names.intersection(ROLES))


class RoleAndScope(BasePermission):
    """`roles` of the view may read, `write_roles` may change; a view without them admits nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not is_let_in(request):
            return False
        reads = request.method in SAFE
        if not hasattr(view, str(request.method).lower()):
            return bool(who(request).role_names.intersection(ROLES))  # there is nothing behind this door: the view says 405
        roles = getattr(view, "roles", ()) if reads else getattr(view, "write_roles", ())
        scopes = getattr(request.auth, "scopes", None)  # a session carries every scope of its user
        if scopes is not None and ("read" if reads else getattr(view, "write_scope", "write")) not in scopes:
            return False
        return bool(who(request).role_names.intersection(roles))
