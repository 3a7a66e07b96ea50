"""Per request: whether the visit has gone on without a pause, the user's language and time zone, then the door."""

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import ngettext

from accounts.access import ask_for_second_factor, deny, may_enter, second_factor_missing
from accounts.audit import Kind, record

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
# Views of others that declare nothing themselves; each guards itself.
OWN_DOORS = ("allauth.", "django.contrib.admin", "rest_framework", "drf_spectacular", "django.views.i18n", "whitenoise", "django.contrib.staticfiles")


SEEN, SINCE, GRAIN = "seen", "since", 60  # seconds: the session is written once a minute at the most


class Idle:
    """Signs out whoever has asked for nothing for long, and everybody SESSION_COOKIE_AGE after they signed in, however busy they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            now, signed_in = int(time.time()), request.session.get("account_authentication_methods") or [{}]
            seen = int(request.session.get(SEEN) or signed_in[-1].get("at") or now)
            since = int(request.session.get(SINCE) or signed_in[0].get("at") or now)
            was_idle = now - seen > settings.SESSION_IDLE_MINUTES * 60
            if was_idle or now - since > settings.SESSION_COOKIE_AGE:
                record(request, Kind.SIGNED_OUT, "by itself")
                logout(request)
                if was_idle:
                    messages.info(request, unused())
                response = self.get_response(request)
                response["Clear-Site-Data"] = '"cache"'
                return response
            if now - seen >= GRAIN:
                request.session[SEEN], request.session[SINCE] = now, since
        return self.get_response(request)


def unused() -> str:
    minutes = settings.SESSION_IDLE_MINUTES
    said = ngettext("You were signed out after %(count)d minute without use", "You were signed out after %(count)d minutes without use", minutes)
    return said % {"count": minutes}


class Preferences:
    """Language and time zone of the signed-in user go before what the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        zone = user.time_zone if user.is_authenticated else ""
        if user.is_authenticated and user.language and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(ZoneInfo(zone) if zone else None):
            response = self.get_response(request)
        if (user.is_authenticated or "Authorization" in request.headers) and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"  # pages and answers of the API hold personal data
        if user.is_authenticated and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache"'  # somebody signed out
        return response


def odd(request: HttpRequest) -> HttpResponseBase | None:
    """What no page of ours is asked by a browser: another method, or a form with NUL in it, which PostgreSQL can't hold."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if request.method == "POST" and any("\x00" in value for _name, values in request.POST.lists() for value in values):
        return HttpResponseBadRequest("NUL")
    return None


class DefaultDeny(MiddlewareMixin):
    """A view that says nothing about its roles is shut; admins outside the demo set up their second factor first."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            # PostgreSQL can't hold one, so nothing can be found by it.
            problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "NUL characters are refused."}
            return JsonResponse(problem, status=400, content_type="application/problem+json")
        if getattr(view, "__module__", "").startswith(OWN_DOORS) or hasattr(view, "cls"):
            return None
        target = getattr(view, "view_class", view)
        if not getattr(target, "csrf_exempt", False) and (refusal := odd(request)):
            return refusal
        if not may_enter(target, request):
            return deny(request)
        if getattr(target, "roles", ()) is not None and second_factor_missing(request):
            return ask_for_second_factor(request)
        return None
