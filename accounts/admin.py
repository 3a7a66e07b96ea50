"""The back office's door and its users. Secrets are never shown here, the audit is only read, and nobody signs in beside the portal's own sign-in."""

from typing import Any

import allauth.account.admin  # registers what is taken off below
import allauth.mfa.admin  # noqa: F401  # registers what is registered anew below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.access import ask_for_second_factor, public, second_factor_missing, who
from accounts.audit import record
from accounts.models import AccessRecord, ApiToken, Team, User

may_enter_stock = admin.site.has_permission


def may_enter(request: HttpRequest) -> bool:
    """Staff of some role, with the second factor that admins need everywhere else."""
    return may_enter_stock(request) and bool(who(request).role_names) and not second_factor_missing(request)


@public
def sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
    """The back office has no sign-in of its own: that would know neither second factor, nor demo users, nor the audit."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next") or request.get_full_path())
    if second_factor_missing(request):
        return ask_for_second_factor(request)
    raise PermissionDenied


admin.site.has_permission = may_enter  # type: ignore[method-assign]
admin.site.login = sign_in  # type: ignore[method-assign, assignment]


class Bounded(Paginator):  # type: ignore[type-arg]
    """Counts no further than it may be worth turning pages for."""

    FAR = 10_000

    @cached_property
    def count(self) -> int:
        return int(self.object_list.order_by()[: self.FAR].count())  # type: ignore[attr-defined]


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the portal writes by itself: to be looked at, never changed here."""

    show_full_result_count = False
    paginator = Bounded
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """What is changed here stands in the portal's audit too."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record(request, AccessRecord.Kind.CHANGED, f"{obj._meta.verbose_name} {obj.pk} made")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record(request, AccessRecord.Kind.CHANGED, f"{obj._meta.verbose_name} {obj.pk}")
        return super().log_change(request, obj, message)


@admin.register(User)
class PersonAdmin(Audited, UserAdmin):
    """People are deactivated, not deleted: their leads and timeline lines stay theirs. Roles are given in the portal, which keeps one admin at least."""

    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_demo")
    list_filter = ("groups", "is_active", "is_demo")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language", "time_zone")}),
        (_("Roles"), {"fields": ("is_active", "is_staff", "is_superuser", "is_demo", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("is_active", "is_staff", "is_superuser", "is_demo", "groups", "user_permissions", "last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the portal invites them

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(Audited):
    list_display = ("name", "leader")
    list_select_related = ("leader",)
    filter_horizontal = ("members",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens are issued in the portal and revoked here; only their last four characters are known."""

    list_display = ("name", "user", "hint", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    fields = ("name", "user", "hint", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        if not request.user.is_superuser:
            raise PermissionDenied
        for token in queryset.filter(revoked_at=None).select_related("user"):
            record(request, AccessRecord.Kind.TOKEN_REVOKED, f"{token.name} of {token.user.username}")
        queryset.filter(revoked_at=None).update(revoked_at=timezone.now())


admin.site.unregister(Authenticator)
admin.site.unregister(EmailAddress)  # the address of a person is a field of theirs


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly):
    """Who has a second factor; the secret in it stays unseen. Deleting one lets its owner set up another."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnly):
    list_display = ("at", "user", "kind", "subject", "address")
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("user__username", "subject")
