"""campaigns/ with their stages, figures and verbs; enrollments/ and messages/."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import who
from accounts.audit import Kind, record
from accounts.models import User
from accounts.roles import OFFICE, ROLES
from campaigns.build import draft_of
from campaigns.by_hand import enroll_by_hand
from campaigns.figures import figures_of
from campaigns.forms import free_slug
from campaigns.found import campaign_of, version_of
from campaigns.models import Campaign, Enrollment, Message, Sender, Stage, Strategy, Version
from campaigns.publish import end, pause, publish
from campaigns.written import as_data, write
from leads.conditions import check
from leads.models import Lead
from listings.models import Publisher, Storefront
from portal.api.pages import ByName, NewestFirst


class TextSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    body = serializers.CharField()


class StageSerializer(serializers.Serializer[Any]):
    """A stage as campaigns.written reads and tells it. A branch has `arms` ({name, when, stages}) and `otherwise` (stages), nested the same way."""

    key = serializers.UUIDField(required=False, help_text="Kept over versions; whatever a stage did for a person it does once per key.")
    kind = serializers.ChoiceField(choices=Stage.Kind.choices)
    name = serializers.CharField(max_length=100)
    holds_for = serializers.CharField(required=False, help_text="An ISO 8601 duration, such as P3D: how long one stands here.")
    options = serializers.DictField(
        required=False,
        help_text="wait {minute, weekdays} or {until: condition}; task {days}; set {status} or {tag, off} or {bonus} or {owner}; split {measure, auto, least}; "
        "notify {to: username}; webhook {destination: id}.",
    )
    texts = serializers.DictField(child=TextSerializer(), required=False, help_text="Of a mail, by language.")
    then = serializers.UUIDField(required=False, help_text="The key of the stage to go on with, instead of the next one.")
    arms = serializers.ListField(child=serializers.DictField(), required=False)
    otherwise = serializers.ListField(child=serializers.DictField(), required=False)


SETTLED = ("kind", "storefront", "state", "version", "draft", "published_at")
CONDITIONS = ("entry", "goal", "exit")


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    storefront = serializers.CharField(source="storefront.slug", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    draft = serializers.IntegerField(
        source="draft.number", default=None, allow_null=True, read_only=True, help_text="The version that is being built, if one is."
    )
    strategy = serializers.PrimaryKeyRelatedField(queryset=Strategy.objects.all(), allow_null=True, required=False)
    sender = serializers.SlugRelatedField(
        slug_field="address", queryset=Sender.objects.filter(verified_at__isnull=False), allow_null=True, required=False
    )

    class Meta:
        model = Campaign
        fields = (
            "slug", "name", "kind", "storefront", "state", "version", "draft", "published_at", "entry", "goal", "exit", "reentry", "reentry_days",
            "priority", "starts", "ends", "fast_hours", "assigns_anew", "budget", "strategy", "sender", "from_owner",
        )  # fmt: skip
        read_only_fields = ("slug", *SETTLED)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        for name in CONDITIONS:
            if name in given:
                try:
                    check(given[name])
                except DjangoValidationError as error:
                    raise serializers.ValidationError({name: error.messages}) from None
        starts, ends = (given.get(name, getattr(self.instance, name, None)) for name in ("starts", "ends"))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends": _("It ends before it starts.")})
        return given


class NewCampaign(CampaignSerializer):
    """A campaign to begin, with its stages or without. It is a draft that nobody enters before a person or a program publishes it."""

    storefront = serializers.SlugRelatedField(slug_field="slug", queryset=Storefront.objects.all())  # type: ignore[assignment]
    stages = StageSerializer(many=True, required=False, write_only=True)

    class Meta(CampaignSerializer.Meta):
        fields = (*CampaignSerializer.Meta.fields, "stages")  # type: ignore[assignment]
        read_only_fields = ("slug", "state", "version", "draft", "published_at")  # type: ignore[assignment]

    def create(self, given: dict[str, Any]) -> Campaign:
        given.pop("stages", None)
        with transaction.atomic():
            campaign = Campaign.objects.create(**given, slug=free_slug(given["name"]))
            version = Version.objects.create(campaign=campaign, number=1)
            written_into(version, self.initial_data.get("stages") or [])
        return campaign


class WholeCampaign(CampaignSerializer):
    """One campaign with the stages of the version that leads enter, and those of its draft."""

    stages = serializers.SerializerMethodField()
    draft_stages = serializers.SerializerMethodField()

    class Meta(CampaignSerializer.Meta):
        fields = (*CampaignSerializer.Meta.fields, "stages", "draft_stages")  # type: ignore[assignment]

    @extend_schema_field(StageSerializer(many=True))
    def get_stages(self, campaign: Campaign) -> Any:
        return as_data(campaign.version)

    @extend_schema_field(StageSerializer(many=True))
    def get_draft_stages(self, campaign: Campaign) -> Any:
        return as_data(campaign.draft) if campaign.draft else None


def written_into(version: Version, stages: Any) -> None:
    """Put the stages in the draft's place; what is wrong with them is the client's to mend."""
    try:
        write(version, stages)
    except DjangoValidationError as error:
        raise serializers.ValidationError({"stages": error.messages}) from None


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    campaign = serializers.CharField(source="campaign.slug", read_only=True)
    kind = serializers.CharField(source="campaign.kind", read_only=True)
    stage = serializers.CharField(source="stage.name", read_only=True)
    lead = serializers.UUIDField(source="lead_id", read_only=True)

    class Meta:
        model = Enrollment
        fields = ("id", "campaign", "kind", "lead", "stage", "status", "reason", "entered_at", "due_at", "ended_at")


@extend_schema(methods=["POST"], request=NewCampaign, responses={201: CampaignSerializer})
class Campaigns(generics.ListCreateAPIView[Campaign]):
    """The campaigns by slug. POST begins one, as a draft."""

    roles = write_roles = OFFICE
    queryset = Campaign.objects.select_related("storefront", "current", "sender", "strategy").prefetch_related("versions")
    pagination_class = ByName

    def get_serializer_class(self) -> Any:
        return NewCampaign if self.request.method == "POST" else CampaignSerializer

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        record(self.request, Kind.CHANGED, f"campaign {serializer.instance.slug} begun")


class OneCampaign(generics.RetrieveUpdateAPIView[Campaign]):
    """A campaign with its stages. PATCH changes its name, conditions, days and the like, for all versions and from now on."""

    roles = write_roles = OFFICE
    http_method_names = ("get", "patch", "head", "options")
    lookup_field = "slug"
    queryset = Campaigns.queryset
    serializer_class = WholeCampaign

    def perform_update(self, serializer: Any) -> None:
        with transaction.atomic():
            # As it is now: what somebody publishes, pauses or ends at this moment stays so.
            serializer.instance = Campaign.objects.select_for_update(of=("self",)).get(pk=serializer.instance.pk)
            serializer.save(swept_at=None)
        record(self.request, Kind.CHANGED, f"campaign {serializer.instance.slug}: name and conditions")


class CampaignStages(APIView):
    """The stages of a campaign's draft; PUT begins a draft if there is none. What runs is never changed."""

    roles = write_roles = OFFICE

    @extend_schema(request=StageSerializer(many=True), responses=WholeCampaign)
    def put(self, request: Request, slug: str) -> Response:
        """Put these stages in the place of the draft's."""
        campaign = campaign_of(slug)
        written_into(draft_of(campaign), request.data)
        record(request, Kind.CHANGED, f"campaign {slug}: stages")
        return Response(WholeCampaign(campaign_of(slug)).data)


class CampaignVerb(APIView):
    """Publish, pause or end a campaign."""

    roles = write_roles = OFFICE
    verb = ""

    @extend_schema(request=None, responses=WholeCampaign)
    def post(self, request: Request, slug: str) -> Response:
        """Publishing lets the draft run, or a paused campaign go on; it is refused with all that is wrong. Ending is for good."""
        campaign = campaign_of(slug)
        if campaign.state == Campaign.State.ENDED and self.verb in ENDED:
            raise serializers.ValidationError({"state": ENDED[self.verb]})
        try:
            VERBS[self.verb](campaign, who(request))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"state" if self.verb == "end" else "stages": error.messages}) from None
        record(request, Kind.CHANGED, f"campaign {slug}: {self.verb}")
        return Response(WholeCampaign(campaign_of(slug)).data)


ENDED = {"publish": gettext_lazy("An ended campaign can’t be started again."), "pause": gettext_lazy("It has ended, so there is nothing to pause.")}
VERBS: dict[str, Callable[[Campaign, User], Any]] = {
    "publish": publish, "pause": lambda campaign, _by: pause(campaign), "end": lambda campaign, _by: end(campaign),
}  # fmt: skip


class StageFigures(serializers.Serializer[Any]):
    key = serializers.UUIDField(source="stage.key")
    name = serializers.CharField(source="stage.name")
    kind = serializers.CharField(source="stage.kind")
    arrived = serializers.IntegerField()
    here = serializers.IntegerField(help_text="Those that stand here now, the held ones included.")
    held = serializers.IntegerField()
    moved_on = serializers.IntegerField()
    reached = serializers.IntegerField(help_text="Those that reached the goal while they stood here.")
    left = serializers.IntegerField(source="gone")
    ended = serializers.IntegerField()
    sent = serializers.IntegerField()
    clicked = serializers.IntegerField()


class FiguresSerializer(serializers.Serializer[Any]):
    entered = serializers.IntegerField(help_text="= here + reached + left + ended.")
    here = serializers.IntegerField()
    held = serializers.IntegerField()
    reached = serializers.IntegerField()
    left = serializers.IntegerField(source="gone")
    ended = serializers.IntegerField()
    stages = StageFigures(source="standings", many=True)


class CampaignFigures(APIView):
    """How many stand where in the version that leads enter, or in `version`."""

    roles = OFFICE

    @extend_schema(parameters=[OpenApiParameter("version", int)], responses=FiguresSerializer)
    def get(self, request: Request, slug: str) -> Response:
        campaign, number = campaign_of(slug), request.query_params.get("version", "")
        version = version_of(campaign, number) if number else campaign.version
        return Response(FiguresSerializer(figures_of(version)).data)


class MessageSerializer(serializers.ModelSerializer[Message]):
    campaign = serializers.CharField(source="enrollment.campaign.slug", read_only=True)
    lead = serializers.UUIDField(source="enrollment.lead_id", read_only=True)
    stage = serializers.CharField(source="stage.name", read_only=True)

    class Meta:
        model = Message
        fields = ("id", "campaign", "lead", "stage", "state", "reason", "language", "subject", "due_at", "sent_at")


class MessageFilters(serializers.Serializer[Any]):
    campaign = serializers.CharField(required=False, help_text="Its slug.")
    state = serializers.ChoiceField(Message.State.choices, required=False)
    lead = serializers.UUIDField(required=False)


@extend_schema(parameters=[MessageFilters])
class Messages(generics.ListAPIView[Message]):
    """The mails of all campaigns, newest first."""

    roles = OFFICE
    serializer_class = MessageSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        MessageFilters(data={name: value for name, value in asked.items() if value}).is_valid(raise_exception=True)
        wanted = {"enrollment__campaign__slug": asked.get("campaign"), "state": asked.get("state"), "enrollment__lead": asked.get("lead")}
        rows = Message.objects.select_related("stage", "enrollment__campaign")
        return rows.filter(**{name: value for name, value in wanted.items() if value})


class Wanted(serializers.Serializer[Any]):
    """A lead to put into a campaign."""

    campaign = serializers.SlugRelatedField(slug_field="slug", queryset=Campaign.objects.begun())
    lead = serializers.PrimaryKeyRelatedField(queryset=Lead.objects.all())

    def validate_campaign(self, campaign: Campaign) -> Campaign:
        if not campaign.takes_on(Publisher.current().today):
            raise serializers.ValidationError(_("Nobody enters this campaign today."))
        return campaign


class EnrollmentFilters(serializers.Serializer[Any]):
    campaign = serializers.CharField(required=False, help_text="Its slug.")
    status = serializers.ChoiceField(Enrollment.Status.choices, required=False)


@extend_schema(methods=["GET"], parameters=[EnrollmentFilters])
class Enrollments(generics.ListAPIView[Enrollment]):
    """Which of the leads that the user sees are in which campaign. POST puts a lead into a campaign by hand."""

    roles, write_roles = ROLES, OFFICE
    serializer_class = EnrollmentSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> Any:
        user, asked = who(self.request), self.request.query_params
        EnrollmentFilters(data={name: value for name, value in asked.items() if value}).is_valid(raise_exception=True)
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
        record(request, Kind.CHANGED, f"lead {lead.pk} into campaign {campaign.slug}")
        made = Enrollment.objects.select_related("campaign", "stage").filter(lead=lead, campaign=campaign).latest("round")
        return Response(EnrollmentSerializer(made).data, status=status.HTTP_201_CREATED)
