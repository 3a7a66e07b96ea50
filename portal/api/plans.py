"""strategies/, demand-activities/ and costs/: plan against actual, what brought whom, and what it cost."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import generics, serializers

from accounts.audit import Kind, record
from accounts.roles import OFFICE
from campaigns.attribute import attribute_anew
from campaigns.models import Campaign, Cost, DemandActivity, Strategy, Target
from campaigns.models.plan import MOST_TARGETS
from campaigns.plan_forms import ActivityForm
from campaigns.returns import plans_of, returns
from listings.models import Listing, Storefront, today
from portal.api.pages import NewestFirst


class TargetSerializer(serializers.ModelSerializer[Target]):
    storefront = serializers.SlugRelatedField(slug_field="slug", queryset=Storefront.objects.all(), required=False, allow_null=True)
    listing = serializers.SlugRelatedField(slug_field="slug", queryset=Listing.objects.all(), required=False, allow_null=True)

    class Meta:
        model = Target
        fields = ("measure", "amount", "storefront", "listing", "country")


class CourseSerializer(serializers.Serializer[Any]):
    """A target beside what was reached of it."""

    measure = serializers.CharField(source="target.measure")
    amount = serializers.IntegerField(source="target.amount")
    storefront = serializers.CharField(source="target.storefront.slug", default=None)
    listing = serializers.CharField(source="target.listing.slug", default=None)
    country = serializers.CharField(source="target.country")
    actual = serializers.IntegerField()
    expected = serializers.IntegerField(help_text="What an even course would have reached by now.")
    on_course = serializers.BooleanField(source="is_on_course")


class StrategySerializer(serializers.ModelSerializer[Strategy]):
    """Written with its targets; read with how far each is."""

    targets = TargetSerializer(many=True, required=False)
    spent = serializers.DecimalField(max_digits=14, decimal_places=2, read_only=True)

    class Meta:
        model = Strategy
        fields = ("id", "name", "starts", "ends", "currency", "budget", "targets", "spent")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        starts, ends = (given.get(name, getattr(self.instance, name, None)) for name in ("starts", "ends"))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends": "It ends before it begins."})
        if len(given.get("targets", ())) > MOST_TARGETS:
            raise serializers.ValidationError({"targets": _("A strategy may have %(n)d targets.") % {"n": MOST_TARGETS}})
        return given

    def to_representation(self, strategy: Strategy) -> dict[str, Any]:
        plan = self.context.get("plans", {}).get(strategy.pk) or plans_of([strategy])[0]
        told = {name: self.fields[name].to_representation(getattr(strategy, name)) for name in ("id", "name", "starts", "ends", "currency", "budget")}
        return {**told, "targets": CourseSerializer(plan.courses, many=True).data, "spent": f"{plan.spent:.2f}"}

    def create(self, given: dict[str, Any]) -> Strategy:
        targets = given.pop("targets", [])
        with transaction.atomic():
            strategy = Strategy.objects.create(**given)
            Target.objects.bulk_create(Target(strategy=strategy, **target) for target in targets)
        return strategy

    def update(self, strategy: Strategy, given: dict[str, Any]) -> Strategy:
        """Targets that are given take the place of all there were."""
        targets = given.pop("targets", None)
        with transaction.atomic():
            super().update(strategy, given)
            if targets is not None:
                strategy.targets.all().delete()
                Target.objects.bulk_create(Target(strategy=strategy, **target) for target in targets)
        return strategy


class Strategies(generics.ListCreateAPIView[Strategy]):
    """The strategies with plan against actual."""

    roles = write_roles = OFFICE
    queryset = Strategy.objects.all()
    serializer_class = StrategySerializer
    pagination_class = NewestFirst

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        self.plans = {plan.strategy.pk: plan for plan in plans_of(list(page or ()))}
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "plans": getattr(self, "plans", {})}

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        record(self.request, Kind.CHANGED, f"strategy {serializer.instance.name} made")


class OneStrategy(generics.RetrieveUpdateAPIView[Strategy]):
    """One strategy; PATCH changes it."""

    roles = write_roles = OFFICE
    http_method_names = ("get", "patch", "head", "options")
    queryset = Strategy.objects.all()
    serializer_class = StrategySerializer

    def perform_update(self, serializer: Any) -> None:
        super().perform_update(serializer)
        record(self.request, Kind.CHANGED, f"strategy {serializer.instance.name} changed")


class BroughtSerializer(serializers.Serializer[Any]):
    leads = serializers.IntegerField()
    opportunities = serializers.IntegerField()
    won = serializers.IntegerField()


class ReturnSerializer(serializers.Serializer[Any]):
    visits = serializers.IntegerField()
    first_touch = BroughtSerializer(source="first")
    last_touch = BroughtSerializer(source="last")
    linear_leads = serializers.FloatField(source="linear", help_text="Each lead shared out evenly among the acts that brought it.")
    linear_opportunities = serializers.FloatField()
    pipeline = serializers.DecimalField(max_digits=14, decimal_places=2, help_text="Expected value of the opportunities of last touch.")
    earned = serializers.DecimalField(max_digits=14, decimal_places=2, help_text="Expected value of those that were won.")
    roi = serializers.FloatField(allow_null=True, help_text="(earned - cost) / cost.")
    guessed = serializers.IntegerField(help_text="Last touches that are a guess by listing and time.")
    cost = serializers.DecimalField(max_digits=14, decimal_places=2)
    per_lead = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    per_opportunity = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)


class DemandActivitySerializer(serializers.ModelSerializer[DemandActivity]):
    listing = serializers.SlugRelatedField(slug_field="slug", queryset=Listing.objects.all())
    code = serializers.SlugField(
        max_length=40, required=False, help_text="Goes to the marketplace in ocid and utm_campaign; made of the name when empty."
    )
    returns = ReturnSerializer(read_only=True)

    class Meta:
        model = DemandActivity
        fields = ("id", "name", "code", "channel", "listing", "url", "starts", "ends", "strategy", "returns")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """By the form of the pages, so that both refuse the same: which hosts are marketplaces, which codes are taken."""
        told = {"starts": today(), **given, "listing": given["listing"].pk, "strategy": given["strategy"].pk if given.get("strategy") else None}
        form = ActivityForm(told)
        if not form.is_valid():
            raise serializers.ValidationError({name: [str(one) for one in errors] for name, errors in form.errors.items()})
        return {**given, "starts": form.cleaned_data["starts"], "code": form.cleaned_data["code"]}

    def to_representation(self, activity: DemandActivity) -> dict[str, Any]:
        told = super().to_representation(activity)
        found = self.context.get("returns", {}).get(activity.pk) or returns([activity])[0]
        return {**told, "returns": ReturnSerializer(found).data}


class DemandActivities(generics.ListCreateAPIView[DemandActivity]):
    """What was done to bring buyers, with what it brought by first and by last touch."""

    roles = write_roles = OFFICE
    queryset = DemandActivity.objects.select_related("listing", "strategy")
    serializer_class = DemandActivitySerializer
    pagination_class = NewestFirst

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        self.returns = {one.activity.pk: one for one in returns(page or ())}
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "returns": getattr(self, "returns", {})}

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        attribute_anew(serializer.instance)
        record(self.request, Kind.CHANGED, f"demand activity {serializer.instance.code} made")


class CostSerializer(serializers.ModelSerializer[Cost]):
    campaign = serializers.SlugRelatedField(slug_field="slug", queryset=Campaign.objects.all(), required=False, allow_null=True)
    activity = serializers.SlugRelatedField(slug_field="code", queryset=DemandActivity.objects.all(), required=False, allow_null=True)

    class Meta:
        model = Cost
        fields = ("id", "activity", "campaign", "day", "amount", "note")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if bool(given.get("campaign")) == bool(given.get("activity")):
            raise serializers.ValidationError("A cost is that of a campaign or of an activity.")
        return given


class Costs(generics.ListCreateAPIView[Cost]):
    """What was spent, on campaigns and on activities."""

    roles = write_roles = OFFICE
    queryset = Cost.objects.select_related("campaign", "activity")
    serializer_class = CostSerializer
    pagination_class = NewestFirst

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        record(self.request, Kind.CHANGED, f"cost {serializer.instance.pk} entered")
