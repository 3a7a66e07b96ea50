"""The back office of the leads. What the path writes is read here; what a person may correct has its own pages, which tell the timeline."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.access import who
from accounts.admin import Audited, Bounded, ReadOnly
from leads.models import ActionCode, Activity, Company, Contact, Demand, Import, Interaction, Lead, Submission, Task

COUNTED = 100  # rows to a page


class Shelf(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table that may be very long: no count beyond the first 10,000, few rows, no heavy columns."""

    show_full_result_count = False
    paginator = Bounded
    list_per_page = COUNTED
    heavy: tuple[str, ...] = ()
    lead_path = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what belongs to leads that the user may see."""
        rows = super().get_queryset(request).defer(*self.heavy)
        if hasattr(rows, "visible_to"):
            return rows.visible_to(who(request))
        if self.lead_path and not who(request).sees_all:
            return rows.filter(**{f"{self.lead_path}__in": Lead.objects.visible_to(who(request))}).distinct()
        return rows


@admin.register(Lead)
class LeadAdmin(Shelf, ReadOnly):
    list_display = ("contact", "listing", "status", "score", "cluster", "owner", "respond_by", "received_at")
    list_select_related = ("contact", "listing", "owner")
    list_filter = ("status", "cluster", "listing__storefront")
    exclude = ("score_points", "face")
    heavy = ("score_points",)


@admin.register(Contact)
class ContactAdmin(Shelf, ReadOnly):
    list_display = ("__str__", "email", "phone", "company", "country")
    list_select_related = ("company",)
    exclude = ("words",)
    heavy = ("words",)
    lead_path = "leads"


@admin.register(Company)
class CompanyAdmin(Shelf, ReadOnly):
    list_display = ("name", "domain", "country")
    search_fields = ("key",)
    lead_path = "contacts__leads"


@admin.register(Submission)
class SubmissionAdmin(Shelf, ReadOnly):
    list_display = ("id", "received_at", "listing", "disposition", "reason", "size")
    list_select_related = ("listing",)
    list_filter = ("disposition",)
    exclude = ("body", "repair", "sha256", "content_key", "lead")
    heavy = ("body", "repair")


@admin.register(Interaction)
class InteractionAdmin(Shelf, ReadOnly):
    list_display = ("received_at", "source", "action", "offer_title", "deliveries")
    exclude = ("extra",)
    heavy = ("extra", "description")
    lead_path = "lead"


@admin.register(Activity)
class ActivityAdmin(Shelf, ReadOnly):
    list_display = ("at", "kind", "actor", "lead")
    list_select_related = ("actor",)
    lead_path = "lead"


@admin.register(Task)
class TaskAdmin(Shelf, ReadOnly):
    list_display = ("title", "due_at", "done_at", "made_by")
    list_select_related = ("made_by",)
    lead_path = "lead"


@admin.register(Demand)
class DemandAdmin(Shelf, ReadOnly):
    list_display = ("received_at", "listing", "kind", "action")
    list_select_related = ("listing",)
    list_filter = ("kind",)


@admin.register(ActionCode)
class ActionCodeAdmin(Audited):
    list_display = ("code", "known", "first_seen_at")
    list_filter = ("known",)


@admin.register(Import)
class ImportAdmin(Shelf, ReadOnly):
    list_display = ("file_name", "listing", "state", "good", "bad", "made_by", "made_at")
    list_select_related = ("listing", "made_by")
    exclude = ("content",)
    heavy = ("content", "problems")
