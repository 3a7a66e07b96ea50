"""API sign-in by `Authorization: Bearer <token>`."""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User

USED_GRAIN = timedelta(minutes=1)  # last_used_at is written at most once a minute


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, value = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = ApiToken.objects.usable().select_related("user").filter(digest=ApiToken.digest_of(value.strip())).first()
        if token is None or not token.user.may_sign_in(request):
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        now = timezone.now()
        ApiToken.objects.filter(pk=token.pk).exclude(last_used_at__gt=now - USED_GRAIN).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BearerTokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.tokens.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
