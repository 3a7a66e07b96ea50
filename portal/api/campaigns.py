"""campaigns/ and enrollments/."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import who
from accounts.roles import OFFICE, ROLES
from campaigns.by_hand import enroll_by_hand
from campaigns.models import Campaign, Enrollment, Stage
from leads.models import Lead
from portal.api.pages import ByName, NewestFirst


class StageSerializer(serializers.ModelSerializer[Stage]):
    class Meta:
        model = Stage
        fields = ("key", "position", "parent", "arm", "kind", "name", "holds_for", "options")


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    storefront = serializers.CharField(source="storefront.slug", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    stages = StageSerializer(source="version.stages", many=True, read_only=True)

    class Meta:
        model = Campaign
        fields = ("slug", "name", "kind", "storefront", "state", "published_at", "entry", "goal", "exit", "version", "stages")


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    campaign = serializers.CharField(source="campaign.slug", read_only=True)
    kind = serializers.CharField(source="campaign.kind", read_only=True)
    stage = serializers.CharField(source="stage.name", read_only=True)
    lead = serializers.UUIDField(source="lead_id", read_only=True)

    class Meta:
        model = Enrollment
        fields = ("id", "campaign", "kind", "lead", "stage", "status", "reason", "entered_at", "due_at", "ended_at")


class Campaigns(generics.ListAPIView[Campaign]):
    """The campaigns with the stages that people enter: those of the version that runs, before there is one those of the draft."""

    roles = OFFICE
    queryset = Campaign.objects.select_related("storefront", "current").prefetch_related("current__stages", "versions__stages")
    serializer_class = CampaignSerializer
    pagination_class = ByName


class Wanted(serializers.Serializer[Any]):
    """A lead to put into a campaign."""

    campaign = serializers.SlugRelatedField(slug_field="slug", queryset=Campaign.objects.begun())
    lead = serializers.PrimaryKeyRelatedField(queryset=Lead.objects.all())


class Enrollments(generics.ListAPIView[Enrollment]):
    """Which of the leads that the user sees are in which campaign. Filters: campaign, status. POST puts a lead into a campaign by hand."""

    roles, write_roles = ROLES, OFFICE
    serializer_class = EnrollmentSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> Any:
        user, asked = who(self.request), self.request.query_params
        rows = Enrollment.objects.select_related("campaign", "stage")
        rows = rows if user.sees_all else rows.filter(lead__in=Lead.objects.visible_to(user))
        wanted = {"campaign__slug": asked.get("campaign"), "status": asked.get("status")}
        return rows.filter(**{name: value for name, value in wanted.items() if value})

    @extend_schema(request=Wanted, responses={201: EnrollmentSerializer})
    def post(self, request: Request) -> Response:
        """Put a lead into a campaign, whatever its entry condition says."""
        wanted = Wanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        lead, campaign = wanted.validated_data["lead"], wanted.validated_data["campaign"]
        if not enroll_by_hand(campaign, Lead.objects.among([lead.pk]), who(request)):
            raise serializers.ValidationError({"lead": "It is closed, in the campaign already, or of another storefront."})
        made = Enrollment.objects.select_related("campaign", "stage").filter(lead=lead, campaign=campaign).latest("round")
        return Response(EnrollmentSerializer(made).data, status=status.HTTP_201_CREATED)
