"""What the portal changes in allauth: nobody signs up by themselves, demo users stay on loopback, sign-ins are audited."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from accounts.audit import Kind, record


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        return user if user is None or user.may_sign_in(request) else None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        record(request, Kind.SIGN_IN_FAILED)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        record(request, Kind.SIGNED_IN, user=user)
        return super().post_login(request, user, **options)

    def logout(self, request: HttpRequest) -> None:
        record(request, Kind.SIGNED_OUT)
        super().logout(request)
