"""Back office of routing: who takes leads, and who had which."""

from django.contrib import admin

from accounts.admin import Audited, ReadOnly
from leads.admin import Shelf
from routing.models import Assignment, Seller


@admin.register(Seller)
class SellerAdmin(Audited):
    list_display = ("user", "takes_leads", "capacity", "last_assigned_at")
    list_select_related = ("user",)
    readonly_fields = ("last_assigned_at",)


@admin.register(Assignment)
class AssignmentAdmin(Shelf, ReadOnly):
    lead_path = "lead"
    list_display = ("lead_id", "owner", "made_by", "made_at", "ended_at")
    list_select_related = ("owner", "made_by")
