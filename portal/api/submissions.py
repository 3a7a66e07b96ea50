"""submissions/: the archive, for marketing and admins; the exact bytes at submissions/<id>/body."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import who
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from leads.lists import archived
from leads.models import Disposition, Submission
from portal.api.days import Days
from portal.api.pages import NewestFirst


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    listing = serializers.CharField(source="listing.slug", read_only=True)
    sha256 = serializers.SerializerMethodField()
    lead = serializers.UUIDField(source="lead_id", allow_null=True, read_only=True)

    class Meta:
        model = Submission
        fields = ("id", "received_at", "listing", "size", "content_type", "sha256", "disposition", "reason", "lead", "is_brought")

    def get_sha256(self, submission: Submission) -> str | None:
        return bytes(submission.sha256).hex() if submission.sha256 else None


class Filters(Days):
    """What a filter may say; a listing or storefront that is nobody's finds nothing."""

    disposition = serializers.ChoiceField(choices=Disposition.choices, required=False, allow_blank=True)


class Archive:
    """What of the archive the user may see; the bodies stay where they are."""

    roles = OFFICE
    serializer_class: Any = SubmissionSerializer
    request: Any

    def get_queryset(self) -> Any:
        return Submission.objects.visible_to(who(self.request)).select_related("listing").defer("body", "repair")


@extend_schema(
    parameters=[
        OpenApiParameter("disposition", str, enum=Disposition.values),
        OpenApiParameter("listing", str),
        OpenApiParameter("storefront", str),
        OpenApiParameter("from", date),
        OpenApiParameter("to", date),
    ]
)
class Submissions(Archive, generics.ListAPIView[Submission]):
    """Everything received, newest first; `is_brought` is what a person brought, from a file or by hand.

    Filters: disposition, listing, storefront, and from and to, days in the publisher's time zone.
    """

    pagination_class = NewestFirst

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        Filters(data=asked.dict()).is_valid(raise_exception=True)
        return archived(super().get_queryset(), asked)


class OneSubmission(Archive, generics.RetrieveAPIView[Submission]):
    """One delivery and what became of it."""


class SubmissionBody(APIView):
    """The exact bytes as they came, as a file; never as something a browser would show."""

    roles = OFFICE

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        submission = get_object_or_404(Submission.objects.visible_to(who(request)), pk=pk)
        record(request, Kind.PERSONAL_DATA_READ, f"submission {pk}")
        headers = {"Content-Disposition": f'attachment; filename="{pk}.bin"', "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return HttpResponse(submission.raw, content_type="application/octet-stream", headers=headers)
