"""destinations/ for admins, deliveries/ for everybody's own leads. A secret goes in and never comes out."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError

from accounts.access import who
from accounts.audit import Kind, record
from accounts.roles import ADMIN, ROLES
from delivery.contract import connectors
from delivery.models import Delivery, Destination
from listings.models import Listing
from portal.api.pages import NewestFirst


class DestinationSerializer(serializers.ModelSerializer[Destination]):
    id = serializers.UUIDField(source="uid", read_only=True)
    listings = serializers.SlugRelatedField(slug_field="slug", many=True, queryset=Listing.objects.all(), required=False)
    config = serializers.DictField()
    kind = serializers.CharField()

    class Meta:
        model = Destination
        fields = ("id", "name", "kind", "listings", "config", "state", "pause_reason", "closed_until")
        read_only_fields = ("state", "pause_reason", "closed_until")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        connector = connectors().get(given["kind"])
        if connector is None:
            raise ValidationError({"kind": f"Known kinds: {', '.join(connectors())}."})
        try:
            given["config"], given["secret"] = connector.clean(given["config"])
        except DjangoValidationError as error:
            raise ValidationError({"config": error.message_dict if hasattr(error, "error_dict") else error.messages}) from None
        return given

    def create(self, given: dict[str, Any]) -> Destination:
        listings, secret = given.pop("listings", []), given.pop("secret")
        destination = Destination(**given)
        destination.keep_secret(secret)
        with transaction.atomic():
            destination.save()
            destination.listings.set(listings)
        return destination


class Destinations(generics.ListCreateAPIView[Destination]):
    """The systems that are told about leads."""

    roles = write_roles = (ADMIN,)
    write_scope = "admin"
    queryset = Destination.objects.prefetch_related("listings").order_by("-id")
    serializer_class = DestinationSerializer
    pagination_class = NewestFirst

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        record(self.request, Kind.CHANGED, f"destination {serializer.instance.name} made")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    destination = serializers.CharField(source="destination.name", read_only=True)
    lead = serializers.UUIDField(source="lead_id", read_only=True)

    class Meta:
        model = Delivery
        fields = ("id", "lead", "destination", "revision", "delivered_revision", "state", "attempts", "due_at", "delivered_at", "last_error")


class DeliveryFilters(serializers.Serializer[Any]):
    state = serializers.ChoiceField(Delivery.State.choices, required=False)
    destination = serializers.CharField(required=False, help_text="Its name.")


@extend_schema(parameters=[DeliveryFilters])
class Deliveries(generics.ListAPIView[Delivery]):
    """What the destinations are owed about the leads that the user sees."""

    roles = ROLES
    serializer_class = DeliverySerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        DeliveryFilters(data={name: value for name, value in asked.items() if value}).is_valid(raise_exception=True)
        wanted = {"state": asked.get("state"), "destination__name": asked.get("destination")}
        rows = Delivery.objects.visible_to(who(self.request)).select_related("destination")
        return rows.filter(**{name: value for name, value in wanted.items() if value})
