"""The back office of the leads. Everything that the path writes is read-only here; what a person may correct has its own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.access import who
from leads.models import ActionCode, Activity, Company, Contact, Demand, Import, Interaction, Lead, Submission, Task

COUNTED = 100  # rows to a page


class Shelf(admin.ModelAdmin):
    """A table that may be very long: no full count, few rows, no heavy columns."""

    show_full_result_count = False
    list_per_page = COUNTED
    heavy: tuple[str, ...] = ()
    lead_path = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what belongs to leads that the user may see."""
        rows = super().get_queryset(request).defer(*self.heavy)
        if hasattr(rows, "visible_to"):
            return rows.visible_to(who(request))
        if self.lead_path and not who(request).sees_all:
            return rows.filter(**{f"{self.lead_path}__in": Lead.objects.visible_to(who(request))})
        return rows


class ReadOnly(Shelf):
    """Written by the path alone."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Lead)
class LeadAdmin(Shelf):
    list_display = ("contact", "listing", "status", "score", "cluster", "owner", "respond_by", "received_at")
    list_select_related = ("contact", "listing", "owner")
    list_filter = ("status", "cluster", "listing__storefront")
    raw_id_fields = ("contact", "listing", "owner")
    readonly_fields = ("score", "fit", "intent", "cluster", "owner", "owner_reason", "respond_by", "status", "received_at")
    fields = ("contact", "listing", *readonly_fields)
    date_hierarchy = None


@admin.register(Contact)
class ContactAdmin(Shelf):
    list_display = ("__str__", "email", "phone", "company", "country")
    list_select_related = ("company",)
    raw_id_fields = ("company",)
    exclude = ("words",)
    heavy = ("words",)
    readonly_fields = ("key", "email_kind", "seniority", "created_at")
    lead_path = "leads"


@admin.register(Company)
class CompanyAdmin(Shelf):
    list_display = ("name", "domain", "country")
    search_fields = ("key",)
    readonly_fields = ("key",)
    lead_path = "contacts__leads"


@admin.register(Submission)
class SubmissionAdmin(ReadOnly):
    list_display = ("id", "received_at", "listing", "disposition", "reason", "size")
    list_select_related = ("listing",)
    list_filter = ("disposition",)
    exclude = ("body", "repair", "sha256", "content_key", "lead")
    heavy = ("body", "repair")


@admin.register(Interaction)
class InteractionAdmin(ReadOnly):
    list_display = ("received_at", "source", "action", "offer_title", "deliveries")
    exclude = ("extra",)
    heavy = ("extra", "description")
    lead_path = "lead"


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ("at", "kind", "actor", "lead")
    list_select_related = ("actor",)
    lead_path = "lead"


@admin.register(Task)
class TaskAdmin(Shelf):
    list_display = ("title", "due_at", "done_at", "made_by")
    list_select_related = ("made_by",)
    raw_id_fields = ("lead", "made_by")
    lead_path = "lead"


@admin.register(Demand)
class DemandAdmin(ReadOnly):
    list_display = ("received_at", "listing", "kind", "action")
    list_select_related = ("listing",)
    list_filter = ("kind",)


@admin.register(ActionCode)
class ActionCodeAdmin(admin.ModelAdmin):
    list_display = ("code", "known", "first_seen_at")
    list_filter = ("known",)


@admin.register(Import)
class ImportAdmin(ReadOnly):
    list_display = ("file_name", "listing", "state", "good", "bad", "made_by", "made_at")
    list_select_related = ("listing", "made_by")
    exclude = ("content",)
    heavy = ("content", "problems")
