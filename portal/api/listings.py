"""storefronts/ and listings/. The secret lead URL is there for admins with a token of scope admin, and each look at it is audited."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request

from accounts.access import who
from accounts.audit import Kind, record
from accounts.roles import ROLES
from listings.models import Listing, Storefront
from portal.api.pages import ByName


class StorefrontSerializer(serializers.ModelSerializer[Storefront]):
    class Meta:
        model = Storefront
        fields = ("slug", "name", "audience", "campaign_kind", "listing_kinds", "follow_up_systems", "owner_when", "respond_within_hours")


class ListingSerializer(serializers.ModelSerializer[Listing]):
    storefront = serializers.SlugRelatedField[Storefront](slug_field="slug", read_only=True)
    lead_url = serializers.SerializerMethodField()

    class Meta:
        model = Listing
        fields = ("slug", "title", "kind", "storefront", "publisher_id", "offer_id", "call_to_action", "state", "lead_sharing", "lead_url")

    @extend_schema_field(serializers.URLField(help_text="For tokens of scope admin, whose user is an admin; left out for all others."))
    def get_lead_url(self, listing: Listing) -> str | None:
        request: Request = self.context["request"]
        current = next((url for url in listing.lead_urls.all() if url.ends_at is None), None)
        if current is None or not may_read_secrets(request):
            return None
        return f"{settings.PORTAL_URL}{current.path}" if settings.PORTAL_URL else request.build_absolute_uri(current.path)

    def to_representation(self, listing: Listing) -> dict[str, Any]:
        row = super().to_representation(listing)
        if row["lead_url"] is None:
            del row["lead_url"]
        return row


def may_read_secrets(request: Request) -> bool:
    """By token only: a page shows a secret after the password, and a session here has not given it."""
    return who(request).is_portal_admin and "admin" in getattr(request.auth, "scopes", ())


class Storefronts(generics.ListAPIView[Storefront]):
    """The storefronts with their playbooks."""

    roles = ROLES
    queryset = Storefront.objects.all()
    serializer_class = StorefrontSerializer
    pagination_class = ByName


class Listings(generics.ListAPIView[Listing]):
    """The listings; for tokens of scope admin with their secret lead URLs."""

    roles = ROLES
    serializer_class = ListingSerializer
    pagination_class = ByName

    def get_queryset(self) -> Any:
        return Listing.objects.visible_to(who(self.request)).select_related("storefront").prefetch_related("lead_urls")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        if may_read_secrets(request):
            record(request, Kind.SECRET_SHOWN, "lead URLs of all listings, by API")
        response = super().list(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response
