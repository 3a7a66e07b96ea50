"""leads/: what a user may see of the leads, and the status, which they may set."""

from http import HTTPStatus
from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import who
from accounts.audit import Kind, record
from accounts.permissions import may_read
from accounts.roles import ROLES
from campaigns.models import Enrollment
from delivery.models import Delivery
from leads.bulk import set_status
from leads.lists import CLOCKS, REACHED, chosen
from leads.models import Activity, Cluster, Contact, Interaction, Lead, Status
from leads.story import sentence
from leads.work import set_value
from portal.api.days import Days
from portal.api.pages import ReceivedLast
from routing.reasons import because
from scoring.explanation import explain


class ContactSerializer(serializers.ModelSerializer[Contact]):
    company = serializers.CharField(source="company_name", read_only=True)

    class Meta:
        model = Contact
        fields = ("first_name", "last_name", "email", "phone", "country", "company", "title")


class ListingBrief(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()
    storefront = serializers.CharField(source="storefront.slug")


class LineSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    points = serializers.IntegerField()
    reason = serializers.CharField()


class ScoreSerializer(serializers.Serializer[Lead]):
    total = serializers.IntegerField(source="score", allow_null=True)
    fit = serializers.IntegerField(allow_null=True)
    intent = serializers.IntegerField(allow_null=True)
    cluster = serializers.CharField()
    explanation = serializers.SerializerMethodField()

    @extend_schema_field(LineSerializer(many=True))
    def get_explanation(self, lead: Lead) -> Any:
        return LineSerializer(explain(lead), many=True).data


class InteractionSerializer(serializers.ModelSerializer[Interaction]):
    submission = serializers.UUIDField(source="id", read_only=True)

    class Meta:
        model = Interaction
        fields = ("submission", "source", "action", "offer", "offer_title", "description", "received_at", "deliveries")


class EnrollmentBrief(serializers.ModelSerializer[Enrollment]):
    campaign = serializers.CharField(source="campaign.slug", read_only=True)
    kind = serializers.CharField(source="campaign.kind", read_only=True)
    stage = serializers.CharField(source="stage.name", read_only=True)

    class Meta:
        model = Enrollment
        fields = ("campaign", "kind", "stage", "status")


class DeliveryBrief(serializers.ModelSerializer[Delivery]):
    destination = serializers.CharField(source="destination.name", read_only=True)

    class Meta:
        model = Delivery
        fields = ("destination", "state", "attempts", "revision", "delivered_at")


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True, read_only=True)
    text = serializers.SerializerMethodField()

    class Meta:
        model = Activity
        fields = ("kind", "at", "actor", "text")

    def get_text(self, activity: Activity) -> str:
        return sentence(activity)


class LeadRow(serializers.ModelSerializer[Lead]):
    contact = ContactSerializer(read_only=True)
    listing = ListingBrief(read_only=True)
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Lead
        fields = ("id", "contact", "listing", "status", "score", "cluster", "owner", "received_at")


class LeadSerializer(serializers.ModelSerializer[Lead]):
    contact = ContactSerializer(read_only=True)
    listing = ListingBrief(read_only=True)
    score = ScoreSerializer(source="*", read_only=True)
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True, read_only=True)
    owner_reason = serializers.SerializerMethodField()
    interactions = InteractionSerializer(source="acts", many=True, read_only=True)
    enrollments = EnrollmentBrief(many=True, read_only=True)
    deliveries = DeliveryBrief(many=True, read_only=True)
    activities = ActivitySerializer(source="lines", many=True, read_only=True)

    class Meta:
        model = Lead
        fields = (
            "id", "status", "contact", "listing", "score", "owner", "owner_reason", "respond_by", "first_response_at", "received_at", "value", "tags", "interactions",
            "enrollments", "deliveries", "activities",
        )  # fmt: skip

    def get_owner_reason(self, lead: Lead) -> str:
        return because(lead.owner_reason)


class StatusChange(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    value = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0, required=False, allow_null=True)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given:
            raise serializers.ValidationError({"status": "Say which status, or which value."})
        return given


class OneOrMore(serializers.Field[Any, Any, Any, Any]):
    """Names from a closed list, one or several with commas between them."""

    def __init__(self, known: list[str]) -> None:
        super().__init__(required=False)
        self.known = known

    def to_internal_value(self, data: Any) -> str:
        unknown = [name for name in str(data).split(",") if name and name not in self.known]
        if unknown:
            raise serializers.ValidationError(f"Not one of {', '.join(self.known)}: {', '.join(unknown)[:100]}.")
        return str(data)


class Filters(Days):
    """What a filter may say; listing, storefront, owner and q are names and words that may well be nobody's."""

    status = OneOrMore(Status.values)
    cluster = OneOrMore(Cluster.values)
    clock = serializers.ChoiceField(CLOCKS, required=False, allow_blank=True)
    reached = serializers.ChoiceField(list(REACHED), required=False, allow_blank=True)
    score_min = serializers.IntegerField(required=False, min_value=0, max_value=1_000)
    days = serializers.IntegerField(required=False, min_value=1, max_value=999)
    q = serializers.CharField(required=False, allow_blank=True, max_length=200)


FILTERS = [
    OpenApiParameter(name, str)
    for name in ("status", "listing", "storefront", "owner", "cluster", "q", "tag", "country", "campaign", "stage", "from", "to")
]
FILTERS += [OpenApiParameter("clock", str, enum=CLOCKS), OpenApiParameter("reached", str, enum=list(REACHED))]


@extend_schema(parameters=[*FILTERS, OpenApiParameter("score_min", int), OpenApiParameter("days", int)])
class Leads(generics.ListAPIView[Lead]):
    """The leads that the user may see, newest first."""

    roles = ROLES
    serializer_class = LeadRow
    pagination_class = ReceivedLast

    def get_queryset(self) -> Any:
        Filters(data=self.request.query_params.dict()).is_valid(raise_exception=True)
        return chosen(Lead.objects.visible_to(who(self.request)).for_list(), self.request.query_params)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        record(request, Kind.PERSONAL_DATA_READ, f"leads, {len(response.data['results'])} by the API", count=len(response.data["results"]))
        return response


NEWEST = 200  # acts, and lines of the timeline, that one lead comes with


class OneLead(generics.RetrieveAPIView[Lead]):
    """One lead with its score's arithmetic, owner and reason, enrollments and deliveries, its newest 200 acts and lines of the timeline."""

    roles = write_roles = ROLES
    serializer_class = LeadSerializer

    def get_queryset(self) -> Any:
        related = (
            Prefetch("interactions", Interaction.objects.order_by("-received_at")[:NEWEST], to_attr="acts"),
            Prefetch("enrollments", Enrollment.objects.select_related("campaign", "stage")),
            Prefetch("deliveries", Delivery.objects.select_related("destination")),
            Prefetch("activities", Activity.objects.select_related("actor").order_by("-at", "-id")[:NEWEST], to_attr="lines"),
        )
        return Lead.objects.visible_to(who(self.request)).for_list().prefetch_related(*related)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().retrieve(request, *args, **kwargs)
        record(request, Kind.PERSONAL_DATA_READ, f"lead {kwargs['pk']}")
        return response

    @extend_schema(request=StatusChange, responses={200: LeadSerializer, 204: None})
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set the status, or the expected value; answers with the lead, to a token of scope read."""
        lead = self.get_object()
        change = StatusChange(data=request.data)
        change.is_valid(raise_exception=True)
        given = change.validated_data
        if "status" in given:
            set_status(Lead.objects.filter(pk=lead.pk), given["status"], by=who(request))
        if "value" in given:
            set_value(lead, given["value"], by=who(request))
        if may_read(request):
            return self.retrieve(request, *args, **kwargs)
        return Response(status=HTTPStatus.NO_CONTENT)
