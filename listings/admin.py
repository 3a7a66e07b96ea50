"""Back office of publisher, storefronts and listings. Secret lead URLs are known by their last four characters."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin import Audited, ReadOnly
from listings.models import LeadUrl, Listing, Publisher, Storefront


@admin.register(Publisher)
class PublisherAdmin(ReadOnly):
    """Changed in the portal's set-up, which counts every figure anew when its days change."""

    list_display = ("name", "time_zone")


@admin.register(Storefront)
class StorefrontAdmin(Audited):
    """Two storefronts, and no others."""

    list_display = ("name", "audience", "campaign_kind", "owner_when", "respond_within_hours")
    readonly_fields = ("slug",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LeadUrlInline(admin.TabularInline):  # type: ignore[type-arg]
    model = LeadUrl
    fields = readonly_fields = ("hint", "created_at", "ends_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Listing)
class ListingAdmin(Audited):
    """Listings are switched off, not deleted: the archive speaks of them."""

    list_display = ("title", "storefront", "kind", "call_to_action", "state", "lead_sharing")
    list_select_related = ("storefront",)
    list_filter = ("storefront", "kind", "state", "lead_sharing")
    search_fields = ("title", "slug", "offer_id")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (LeadUrlInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new listing gets its secret lead URL at once, as on the portal's own page."""
        super().save_related(request, form, formsets, change)
        if not change:
            LeadUrl.make(form.instance)
