"""insights/offers/: how each offer performs, from the same figures as the overview."""

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.roles import OFFICE
from insights.offers import Period, offers


class OfferSerializer(serializers.Serializer[Any]):
    listing = serializers.CharField(source="slug")
    title = serializers.CharField()
    storefront = serializers.CharField()
    leads = serializers.IntegerField()
    qualified = serializers.IntegerField()
    opportunities = serializers.IntegerField()
    won = serializers.IntegerField()
    anonymous = serializers.IntegerField()
    asked_neighbour = serializers.IntegerField()
    median_first_response_minutes = serializers.FloatField(allow_null=True)


class Offers(APIView):
    """Per listing, by the day the lead was received; the last 30 days, today included, unless asked otherwise."""

    roles = OFFICE

    @extend_schema(parameters=[OpenApiParameter("from", date), OpenApiParameter("to", date)], responses=OfferSerializer(many=True))
    def get(self, request: Request) -> Response:
        default = Period.last(30)
        period = Period(day_of(request, "from") or default.first, day_of(request, "to") or default.last_day)
        if period.first > period.last_day:
            raise ValidationError({"from": "Later than to."})
        return Response(OfferSerializer(offers(period).lines, many=True).data)


def day_of(request: Request, name: str) -> date | None:
    text = request.query_params.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValidationError({name: "A date looks like 2026-11-20."}) from None
