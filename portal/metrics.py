"""/metrics: the figures of operation as plain Prometheus text, for a token or session of an admin."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.ids import first_id
from accounts.roles import ADMIN
from delivery.models import Delivery
from leads.models import Disposition, Lead, Submission
from portal.due import broker_answers
from portal.health import oldest_due

Sample = tuple[str, str, str, int]  # name, what it says, labels, value


class Text(BaseRenderer):
    media_type, format, charset = "text/plain", "txt", "utf-8"

    def render(self, data: str, accepted_media_type: str | None = None, renderer_context: object = None) -> bytes:
        return str(data).encode()


class Metrics(APIView):
    """Gauges only; each counts an index of what waits, or of the last day."""

    roles = (ADMIN,)
    renderer_classes = [Text]
    schema = None

    def get(self, request: Request) -> Response:
        return Response(written(samples()), headers={"Cache-Control": "no-store"})


def written(found: Iterator[Sample]) -> str:
    """In the exposition format: HELP and TYPE once per name."""
    lines, seen = [], set()
    for name, says, labels, value in found:
        if name not in seen:
            seen.add(name)
            lines += [f"# HELP portal_{name} {says}", f"# TYPE portal_{name} gauge"]
        lines.append(f"portal_{name}{labels} {value}")
    return "\n".join(lines) + "\n"


def samples() -> Iterator[Sample]:
    now = timezone.now()
    day: dict[str, int] = dict(
        Submission.objects.filter(pk__gte=first_id(now - timedelta(days=1))).values_list("disposition").annotate(n=Count("pk")).order_by()
    )
    for disposition in Disposition.values:
        yield "submissions_last_day", "Submissions of the last 24 hours by disposition.", f'{{disposition="{disposition}"}}', day.get(disposition, 0)
    unfinished = (*Delivery.WAITING, Delivery.State.DEAD)
    states: dict[str, int] = dict(Delivery.objects.filter(state__in=unfinished).values_list("state").annotate(n=Count("pk")).order_by())
    for state in unfinished:
        yield "deliveries", "Deliveries that are not finished, by state.", f'{{state="{state}"}}', states.get(state, 0)
    yield "submissions_pending", "Submissions that intake has not read yet.", "", Submission.objects.pending().count()
    yield "leads_stale", "Leads that wait to be followed.", "", Lead.objects.stale(now).count()
    yield "oldest_due_seconds", "How long the oldest piece of due work has waited.", "", oldest_due()
    yield "broker_up", "Whether the broker takes messages.", "", int(broker_answers())
