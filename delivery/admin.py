"""Back office of deliveries. Destinations are set up in the portal, where their addresses and secrets are checked; a secret is never shown again."""

from django.contrib import admin

from accounts.admin import ReadOnly
from delivery.models import Delivery, DeliveryAttempt, Destination
from leads.admin import Shelf


@admin.register(Destination)
class DestinationAdmin(ReadOnly):
    list_display = ("name", "kind", "state", "failures_in_row", "closed_until")
    list_filter = ("state", "kind")
    fields = ("name", "kind", "listings", "config", "state", "pause_reason", "failures_in_row", "closed_until", "created_at")


@admin.register(Delivery)
class DeliveryAdmin(Shelf, ReadOnly):
    lead_path = "lead"
    list_display = ("id", "destination", "lead_id", "state", "revision", "attempts", "due_at", "last_error")
    list_select_related = ("destination",)
    list_filter = ("state", "destination")


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(Shelf, ReadOnly):
    lead_path = "delivery__lead"
    list_display = ("at", "delivery_id", "outcome", "status", "took_ms")
    list_filter = ("outcome",)
