"""The one door: every page and API route says which roles may enter, and what says nothing stays shut.

`allow(...)` marks a page, `public` one that needs no sign-in; API views carry a `roles` attribute (accounts.permissions). What a role sees inside is decided by the
`visible_to(user)` querysets, so that pages, API, counts and exports cannot differ.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.audit import Kind, record
from accounts.models import User
from accounts.roles import ADMIN

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

SAFE = ("GET", "HEAD", "OPTIONS")


def who(request: Any) -> User:
    """The signed-in user of a request that the door has let in."""
    assert isinstance(request.user, User)
    return request.user


def allow(*roles: str) -> Callable[[View], View]:
    """Let users of these roles in."""

    def mark(view: View) -> View:
        view.roles = roles  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """A page for anybody: sign-in, health, unsubscribe."""
    view.roles = None  # type: ignore[attr-defined]
    return view


def may_enter(view: Any, request: HttpRequest) -> bool:
    """Whether this view's declaration admits the user of this request; no declaration admits nobody."""
    roles = getattr(view, "roles", ())
    if roles is None:
        return True
    return bool(request.user.is_authenticated and request.user.role_names.intersection(roles))


def deny(request: HttpRequest) -> HttpResponseBase:
    """Send strangers to the sign-in page, tell everybody else no."""
    if not request.user.is_authenticated:
        if request.method not in SAFE:
            messages.warning(request, _("You were signed out in the meantime: what you sent last was not saved."))
        answer = redirect_to_login(request.get_full_path() if request.method in SAFE else came_from(request))
        if request.headers.get("HX-Request"):  # a part of a page was asked for; the page as a whole must go
            answer["HX-Redirect"] = answer["Location"]
            answer.status_code = 200
        return answer
    record(request, Kind.DENIED, request.path)
    raise PermissionDenied


def came_from(request: HttpRequest) -> str:
    """The page of ours that a form was sent from; what was sent can't be gone back to."""
    referer = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(referer, {request.get_host()}, request.is_secure())
    parts = urlsplit(referer) if ours else urlsplit("/")
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def recently_proven(view: View) -> View:
    """Ask for the password again before a secret is shown; allauth keeps how long ago it was given."""
    from allauth.account.decorators import reauthentication_required

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return reauthentication_required(view)(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]


def second_factor_missing(request: Any) -> bool:
    """Admins outside the demo, and whoever else may enter the back office, need TOTP."""
    from allauth.mfa.utils import is_mfa_enabled

    user = request.user
    if not user.is_authenticated or user.is_demo:
        return False
    return bool((ADMIN in user.role_names or user.is_staff or user.is_superuser) and not is_mfa_enabled(user))


def ask_for_second_factor(request: HttpRequest) -> HttpResponseBase:
    messages.info(request, _("Admins sign in with a second factor. Set it up once, then go on."))
    return redirect("mfa_activate_totp")
