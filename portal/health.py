"""Is it alive, is it ready, and which promise is at risk: for operators and their monitoring."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from accounts.access import public
from campaigns.models import Enrollment, Message
from delivery.models import Delivery, Destination
from leads.models import Demand, Lead, Submission
from leads.partitions import rows_in_default
from portal.due import broker_answers

FADING = timedelta(minutes=15)  # that points which fade by the day may wait: what was brought at once fades at once
LATE_AFTER = 60  # seconds that a due row may wait before the answer says so
FIRST_DUE = Subquery(Delivery.objects.filter(destination=OuterRef("pk"), state__in=Delivery.WAITING).order_by("due_at").values("due_at")[:1])


@public
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@public
def ready(request: HttpRequest) -> JsonResponse:
    """200 when leads are taken and kept durably, else 503; `at_risk` names what a person should look at."""
    try:
        facts = look()
    except DatabaseError:
        return JsonResponse({"ready": False, "at_risk": ["database: unreachable; leads are answered 503"]}, status=503)
    durable = facts["fsync"] == "on" and facts["synchronous_commit"] != "off"
    risks = [
        (not durable, "P1: fsync or synchronous_commit is off; an accepted lead can be lost"),
        (facts["oldest_due_seconds"] > LATE_AFTER, "work waits longer than a minute; is a worker running?"),
        (bool(settings.REDIS_URL) and not facts["broker"], "broker: unreachable; work goes on, more slowly"),
        (facts["default_partition_in_use"], "a month's partition was missing when rows came"),
    ]
    at_risk = [sentence for holds, sentence in risks if holds]
    return JsonResponse({"ready": durable, "at_risk": at_risk, **facts}, status=200 if durable else 503)


def look() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        fsync, synchronous = cursor.fetchone()
    return {
        "fsync": fsync,
        "synchronous_commit": synchronous,
        "oldest_due_seconds": oldest_due(),
        "broker": broker_answers(),
        "default_partition_in_use": any(rows_in_default().values()),
    }


def oldest_due() -> int:
    """Seconds that the oldest piece of due work has waited."""
    now = timezone.now()
    waiting = [
        Submission.objects.pending().values_list("received_at", flat=True).first(),
        Lead.objects.stale(now).values_list("stale_since", flat=True).first(),
        Demand.objects.filter(counted=False).order_by("id").values_list("received_at", flat=True).first(),
        min((one.first_due for one in Destination.objects.with_due(now).annotate(first_due=FIRST_DUE)), default=None),
        Enrollment.objects.due(now).order_by("due_at").values_list("due_at", flat=True).first(),
        Message.objects.due(now).sendable().order_by("due_at").values_list("due_at", flat=True).first(),
        Lead.objects.filter(rescore_at__lte=now - FADING).order_by("rescore_at").values_list("rescore_at", flat=True).first(),
    ]
    return max((int((now - since).total_seconds()) for since in waiting if since), default=0)
