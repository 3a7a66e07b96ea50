"""Back office of the figures: counted by the portal, read here."""

from django.contrib import admin

from accounts.admin import ReadOnly
from insights.models import DailyTally, ResponseTally


@admin.register(DailyTally)
class DailyTallyAdmin(ReadOnly):
    list_display = ("day", "listing", "leads", "qualified", "opportunities", "won", "anonymous", "asked_neighbour")
    list_select_related = ("listing",)
    list_filter = ("listing",)
    date_hierarchy = "day"
    ordering = ("-day",)


@admin.register(ResponseTally)
class ResponseTallyAdmin(ReadOnly):
    list_display = ("day", "listing", "minutes", "leads")
    list_select_related = ("listing",)
    ordering = ("-day",)
