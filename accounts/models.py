"""Who works with the portal: users, teams, API tokens, and the record of who signed in, saw a secret or read personal data."""

import hashlib
import secrets
from datetime import timedelta
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.ids import uuid7
from accounts.roles import ADMIN, OFFICE, ROLES, SALES

LOOPBACK = ("127.0.0.1", "::1")


class UserQuerySet(models.QuerySet["User"]):
    def sellers(self) -> Self:
        """Active users in the group `sales`, by username."""
        return self.filter(is_active=True, groups__name=SALES).order_by("username")

    def names(self) -> list[tuple[str, str]]:
        """Username and full name of each, to choose from. Many pages do, in a team of 200, so no users are made for it."""
        rows = self.values_list("username", "first_name", "last_name")
        return [(username, f"{first} {last}".strip() or username) for username, first, last in rows]


class Users(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Named, so that migrations can find it."""

    def create_superuser(self, *args: Any, **kwargs: Any) -> "User":
        """The first admin of an installation: one without the role would see nothing."""
        user: User = super().create_superuser(*args, **kwargs)
        user.groups.add(*Group.objects.filter(name=ADMIN))
        return user


class User(AbstractUser):
    """A person who signs in, by username or e-mail. Roles are groups; language and time zone shape what they see."""

    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_demo = models.BooleanField(_("demo user"), default=False, help_text=_("Signs in only while the portal is bound to loopback."))

    objects = Users()  # type: ignore[misc]

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique", condition=~models.Q(email=""))]

    @property
    def full_name(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def role_names(self) -> set[str]:
        """The names of this user's roles, read once per request."""
        return {name for name in self.groups.values_list("name", flat=True) if name in ROLES}

    @property
    def sees_all(self) -> bool:
        """Marketing and admins see every lead; a seller sees the ones that are theirs or their team's."""
        return bool(self.role_names.intersection(OFFICE))

    @cached_property
    def sees_leads_of(self) -> list[int]:
        """Whose leads a seller sees: their own, and those of the members of teams they lead; read once per request."""
        return sorted({self.pk, *User.objects.filter(teams__leader=self).values_list("pk", flat=True)})

    @property
    def is_portal_admin(self) -> bool:
        return ADMIN in self.role_names

    def may_sign_in(self, request: HttpRequest) -> bool:
        """A demo user has a known password, so they exist for a portal that only this machine can reach."""
        return not self.is_demo or (settings.DEMO and request.META.get("REMOTE_ADDR") in LOOPBACK)


class Team(models.Model):
    """Sellers and the person who leads them; the lead sees what the members own."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    leader = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="teams_led", verbose_name=_("leader"))
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams", verbose_name=_("members"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> Self:
        """Neither revoked nor expired, of a user who is still active."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class ApiToken(models.Model):
    """A key to the API. Only its SHA-256 is kept: 256 random bits need no slow hash, and a stolen table opens nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=4)
    scopes = ArrayField(models.CharField(max_length=10), verbose_name=_("scopes"))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} …{self.hint}"

    @staticmethod
    def digest_of(token: str) -> bytes:
        return hashlib.sha256(token.encode()).digest()

    @classmethod
    def issue(cls, user: User, name: str, scopes: list[str], lasts: timedelta = timedelta(days=90)) -> str:
        """Make a token and return its text, which cannot be read again."""
        token = "pp_" + secrets.token_urlsafe(32)
        cls.objects.create(user=user, name=name, digest=cls.digest_of(token), hint=token[-4:], scopes=scopes, expires_at=timezone.now() + lasts)
        return token


class Pace(models.Model):
    """How many requests a caller of the API made in the second of their last one (accounts.throttling). Unlogged: a crash forgets it, and may."""

    caller = models.CharField(max_length=100, primary_key=True)
    second = models.BigIntegerField()
    requests = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["second"], name="pace_second")]
        verbose_name = _("pace")
        verbose_name_plural = _("paces")

    def __str__(self) -> str:
        return self.caller

    @classmethod
    def forgotten(cls) -> models.QuerySet["Pace"]:
        """Those that nobody will ask for again."""
        return cls.objects.filter(second__lt=timezone.now().timestamp() - 3600)


# What an audited subject begins with, and the page that shows it.
PAGES = {"lead": "leads:detail", "submission": "leads:submission", "listing": "listings:detail"}


class AccessRecord(models.Model):
    """One line of the audit: who signed in, was shown a secret, read or exported personal data, was turned away, and when. Never changed."""

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", pgettext_lazy("audit", "Signed in")
        SIGN_IN_FAILED = "sign_in_failed", pgettext_lazy("audit", "Sign-in failed")
        SIGNED_OUT = "signed_out", pgettext_lazy("audit", "Signed out")
        SECRET_SHOWN = "secret_shown", pgettext_lazy("audit", "Secret shown")
        SECRET_ROTATED = "secret_rotated", pgettext_lazy("audit", "Secret rotated")
        TOKEN_ISSUED = "token_issued", pgettext_lazy("audit", "Token issued")
        TOKEN_REVOKED = "token_revoked", pgettext_lazy("audit", "Token revoked")
        PERSONAL_DATA_READ = "personal_data_read", pgettext_lazy("audit", "Personal data read")
        PERSONAL_DATA_LISTED = "personal_data_listed", pgettext_lazy("audit", "Personal data listed")
        EXPORTED = "exported", pgettext_lazy("audit", "Exported")
        CHANGED = "changed", pgettext_lazy("audit", "Configuration changed")
        DENIED = "denied", pgettext_lazy("audit", "Turned away")
        ALARM = "alarm", pgettext_lazy("audit", "Alarm")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=200, blank=True)
    # Of how many people data was read, listed or exported.
    count = models.PositiveIntegerField(default=1, db_default=1)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="access_by_user"), models.Index(fields=["kind", "-id"], name="access_by_kind")]
        verbose_name = _("access record")
        verbose_name_plural = _("access records")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} {self.subject}"

    @property
    def url(self) -> str:
        """The page of what it speaks of, by name, when there is one."""
        kind, _space, pk = self.subject.partition(" ")
        try:
            return reverse(PAGES[kind], args=[pk]) if kind in PAGES else ""
        except NoReverseMatch:
            return ""


class AuditSeal(models.Model):
    """Closes the lines of the audit since the seal before: how many they are, and a keyed hash over them and that seal. Never changed either."""

    last = models.UUIDField()
    count = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("seal of the audit")
        verbose_name_plural = _("seals of the audit")

    def __str__(self) -> str:
        return f"{self.last}: {self.count}"
