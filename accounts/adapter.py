"""What the portal changes in allauth: nobody signs up by themselves, demo users stay on loopback, sign-ins are audited."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

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

    def send_password_reset_mail(self, user: Any, email: str, context: dict[str, Any]) -> None:
        """The link to set a password: for somebody who has none yet it is an invitation. In the person's own language."""
        asker = getattr(context.get("request"), "user", None)
        told = {
            **context,
            "publisher": apps.get_model("listings", "Publisher").current().name,  # by name: listings is on the right
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
            "invited_by": asker.full_name if asker is not None and asker.is_authenticated else "",
        }
        template = "password_reset_key" if user.has_usable_password() else "invitation"
        with translation.override(user.language or translation.get_language()):
            self.send_mail(f"account/email/{template}", email, told)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        record(request, Kind.SIGNED_IN, user=user)
        return super().post_login(request, user, **options)

    def logout(self, request: HttpRequest) -> None:
        record(request, Kind.SIGNED_OUT)
        super().logout(request)
