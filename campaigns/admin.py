"""Back office of campaigns. They are built, published and paused in the portal, which checks what it does; here they are read."""

from django.contrib import admin

from accounts.admin import ReadOnly
from campaigns.models import Campaign, Enrollment, Message, Sender, Stage, StageText, Suppression, Version
from leads.admin import Shelf


@admin.register(Campaign)
class CampaignAdmin(ReadOnly):
    list_display = ("name", "storefront", "kind", "state", "published_at", "published_by")
    list_select_related = ("storefront", "published_by")
    list_filter = ("state", "kind")


@admin.register(Version)
class VersionAdmin(ReadOnly):
    list_display = ("campaign", "number", "made_at", "published_at", "published_by")
    list_select_related = ("campaign", "published_by")
    list_filter = ("campaign",)


@admin.register(Stage)
class StageAdmin(ReadOnly):
    list_display = ("name", "version", "position", "kind", "holds_for")
    list_select_related = ("version__campaign",)
    list_filter = ("version__campaign", "kind")


@admin.register(StageText)
class StageTextAdmin(ReadOnly):
    list_display = ("stage", "language", "subject")
    list_select_related = ("stage",)
    list_filter = ("language",)


@admin.register(Sender)
class SenderAdmin(ReadOnly):
    list_display = ("address", "name", "verified_at")


@admin.register(Enrollment)
class EnrollmentAdmin(Shelf, ReadOnly):
    lead_path = "lead"
    list_display = ("id", "campaign", "lead_id", "stage", "status", "due_at")
    list_select_related = ("campaign", "stage")
    list_filter = ("status", "campaign")


@admin.register(Message)
class MessageAdmin(Shelf, ReadOnly):
    lead_path = "enrollment__lead"
    list_display = ("id", "stage", "state", "language", "subject", "due_at", "sent_at")
    list_select_related = ("stage",)
    list_filter = ("state",)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly):
    """Only the reason and the day: the address itself is not kept."""

    list_display = ("reason", "at")
    list_filter = ("reason",)
    fields = ("reason", "at")
