"""What a campaign did, what it will do, and what it would do: results, the calendar, dry runs, and moving those in flight."""

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import who
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from campaigns import results
from campaigns.coming import coming
from campaigns.dryrun import DAYS, DryRun
from campaigns.flow import Flow
from campaigns.found import campaign_of, version_of
from campaigns.inflight import Landing, landings, move_in_flight
from campaigns.models import Campaign, Version
from campaigns.rules import per_person
from campaigns.trying import tried


class ShareSerializer(serializers.Serializer[Any]):
    """A share in percent with the range that it lies in with 95 %; null of nothing."""

    share = serializers.SerializerMethodField()
    low = serializers.FloatField()
    high = serializers.FloatField()

    def get_share(self, rate: results.Rate) -> float | None:
        return None if rate.share is None else rate.share * 100


class WeekSerializer(serializers.Serializer[Any]):
    week = serializers.DateField(help_text="Its Monday, in the publisher's time zone.")
    entered = serializers.IntegerField()
    reached = serializers.IntegerField()


class MailSerializer(serializers.Serializer[Any]):
    key = serializers.UUIDField(source="stage.key")
    name = serializers.CharField(source="stage.name")
    sent = serializers.IntegerField()
    clicked = serializers.IntegerField()
    clicked_share = ShareSerializer(source="rate")
    opened = serializers.IntegerField(help_text="Only of people who agreed to be seen.")
    replied = serializers.IntegerField()
    bounced = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    failed = serializers.IntegerField()
    withheld = serializers.IntegerField()
    uncertain = serializers.IntegerField()


class StageWeeksSerializer(serializers.Serializer[Any]):
    key = serializers.UUIDField()
    name = serializers.CharField()
    moved_on = serializers.ListField(child=serializers.IntegerField(), help_text="In each of the weeks.")
    minutes = serializers.FloatField(allow_null=True, help_text="The median time that people stood there, of the last 90 days.")


class PartSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    entered = serializers.IntegerField()
    reached = serializers.IntegerField()
    reached_share = ShareSerializer(source="rate")
    opportunities = serializers.IntegerField()
    won = serializers.IntegerField()


class ResultsSerializer(serializers.Serializer[Any]):
    leads = serializers.IntegerField(help_text="Those that entered; one that is in it twice has entered twice.")
    entered = serializers.IntegerField()
    reached = serializers.IntegerField()
    reached_share = ShareSerializer(source="goal")
    opportunities = serializers.IntegerField(help_text="That became one after they entered, whatever moved them.")
    won = serializers.IntegerField()
    cost = serializers.DecimalField(12, 2)
    currency = serializers.CharField()
    weeks = WeekSerializer(many=True)
    stages = StageWeeksSerializer(many=True, help_text="Of the version that leads enter.")
    mails = MailSerializer(many=True)
    listings = PartSerializer(many=True)
    countries = PartSerializer(many=True)


class CampaignResults(APIView):
    """What a campaign did so far, all versions together."""

    roles = OFFICE

    @extend_schema(responses=ResultsSerializer)
    def get(self, request: Request, slug: str) -> Response:
        campaign = campaign_of(slug)
        rows = results.tallied(campaign)
        earned = results.earned(campaign, rows)
        whole = asdict(earned) | {
            "goal": earned.goal, "weeks": results.weeks(campaign), "stages": stages_over_time(campaign), "mails": results.mails(campaign),
            "listings": results.parts(campaign, "listing", rows), "countries": results.parts(campaign, "country", rows),
        }  # fmt: skip
        return Response(ResultsSerializer(whole).data)


def stages_over_time(campaign: Campaign) -> list[dict[str, Any]]:
    flow = Flow.of(campaign.version.stages.all())
    went, stood = results.moved_on(flow.steps), results.times(flow.steps)
    return [
        {"key": step.stage.key, "name": step.stage.name, "moved_on": went.get(pk, [0] * results.WEEKS), "minutes": stood.get(pk, (None, 0))[0]}
        for pk, step in flow.steps.items()
    ]


class EndSerializer(serializers.Serializer[Any]):
    why = serializers.CharField()
    leads = serializers.IntegerField()


class PassingSerializer(serializers.Serializer[Any]):
    stage = serializers.CharField(source="stage.name")
    kind = serializers.CharField(source="stage.kind")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    why = serializers.CharField()


class PathSerializer(serializers.Serializer[Any]):
    lead = serializers.UUIDField(source="lead.pk")
    end = serializers.CharField(help_text="Why the way ends where it does.")
    stages = PassingSerializer(source="passings", many=True)


class WaySerializer(serializers.Serializer[Any]):
    stages = serializers.ListField(child=serializers.CharField())
    leads = serializers.IntegerField()
    example = PathSerializer()


class DryRunSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    days = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Counted up to 10,000; of these the newest 1,000 at the most were tried.")
    tried = serializers.IntegerField()
    mails = serializers.IntegerField()
    ends = EndSerializer(many=True)
    ways = WaySerializer(many=True)


class CampaignDryRun(APIView):
    """Which way leads would go in the coming 60 days, with the reasons. Writes nothing."""

    roles = OFFICE

    @extend_schema(
        parameters=[
            OpenApiParameter("lead", str, description="The id or address of a lead, or the address of a list of leads with its filters."),
            OpenApiParameter("who", str, enum=["inside", "past"], description="Those in it, or the leads of the last quarter; else those who would enter now."),
            OpenApiParameter("version", int, description="Else the draft, else the version that leads enter."),
        ],
        responses=DryRunSerializer,
    )  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        asked = request.query_params
        version = version_of(campaign_of(slug), asked.get("version", ""))
        ran = tried(version, who(request), asked.get("lead", "").strip(), asked.get("who", ""))
        record(request, Kind.PERSONAL_DATA_READ, f"dry run of {slug}")
        return Response(DryRunSerializer(told(ran, version)).data)


def told(ran: DryRun, version: Version) -> dict[str, Any]:
    ways = [{"stages": list(route), "leads": n, "example": path} for route, n, path in ran.routes]
    ends = [{"why": why, "leads": n} for why, n in ran.ends]
    return {
        "version": version.number, "days": DAYS, "total": ran.total, "tried": len(ran.paths), "mails": ran.mails, "ends": ends, "ways": ways,
    }  # fmt: skip


class LandingSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(source="version.number")
    stage = serializers.CharField(source="stage.name")
    people = serializers.IntegerField()
    to = serializers.CharField(source="to.name", default=None, help_text="Null: for them the campaign ends.")
    skipped = serializers.SerializerMethodField(help_text="Stages of the new version that they would not come to.")
    repeated = serializers.SerializerMethodField(help_text="Stages that they passed and would come to again.")

    def get_skipped(self, landing: Landing) -> list[str]:
        return [stage.name for stage in landing.skipped]

    def get_repeated(self, landing: Landing) -> list[str]:
        return [stage.name for stage in landing.repeated]


class MovedSerializer(serializers.Serializer[Any]):
    moved = serializers.IntegerField()


class CampaignInFlight(APIView):
    """Who is on an earlier version, where each would land in the one that runs, and what that skips or repeats; POST moves them."""

    roles = write_roles = OFFICE

    @extend_schema(responses=LandingSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        return Response(LandingSerializer(landings(campaign_of(slug)), many=True).data)

    @extend_schema(request=None, responses=MovedSerializer)
    def post(self, request: Request, slug: str) -> Response:
        try:
            moved = move_in_flight(campaign_of(slug))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"version": error.messages}) from None
        record(request, Kind.CHANGED, f"campaign {slug}: {moved} in flight moved")
        return Response(MovedSerializer({"moved": moved}).data)


class SpreadSerializer(serializers.Serializer[Any]):
    mails = serializers.IntegerField()
    people = serializers.IntegerField()


class MostSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    email = serializers.CharField()
    mails = serializers.IntegerField()


class PerPersonSerializer(serializers.Serializer[Any]):
    spread = SpreadSerializer(many=True, help_text="How many people got so many mails.")
    most = MostSerializer(many=True, help_text="The ten who got most.")


class MailsPerPerson(APIView):
    """How many campaign mails people got in the last 30 days."""

    roles = OFFICE

    @extend_schema(responses=PerPersonSerializer)
    def get(self, request: Request) -> Response:
        spread, most = per_person()
        record(request, Kind.PERSONAL_DATA_READ, "mails per person", count=max(1, len(most)))
        told = {
            "spread": [{"mails": mails, "people": people} for mails, people in spread],
            "most": [{"name": one.name, "email": one.email, "mails": n} for one, n in most],
        }
        return Response(PerPersonSerializer(told).data)


class SendingSerializer(serializers.Serializer[Any]):
    campaign = serializers.CharField(source="campaign.slug")
    stage = serializers.CharField(source="stage.name")
    certain = serializers.IntegerField(help_text="As things are now.")
    possible = serializers.IntegerField(help_text="So many more at the most, as answers fall.")


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    sendings = SendingSerializer(many=True)


class ComingMails(APIView):
    """What campaigns will send in the coming 14 days, as far as it is known now."""

    roles = OFFICE

    @extend_schema(responses=DaySerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(DaySerializer(coming(), many=True).data)
