"""A person lets a campaign write to people, or stops it. Only due enrollments move, so a stopped campaign's have no due time."""

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from campaigns.clock import due_in_sql
from campaigns.flow import Flow
from campaigns.kinds import faults
from campaigns.models import Campaign, Enrollment, Stage, Version


def publish(campaign: Campaign, by: User) -> int:
    """Let the campaign run, with its draft as the new version if it has one; everybody who waits in it is due after their stage's time, counted from
    now, or goes on where a pause stopped them. Returns how many that are. Who is on an earlier version stays on it.

    Locks the campaign, which waits for the leads that are being followed (campaigns.enroll), then its enrollments.
    Raises ValidationError with all that keeps it from being published.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        version = locked.draft or locked.version
        if refusals := refusals_of(version):
            raise ValidationError(refusals)
        now = timezone.now()
        if version.is_draft:
            Version.objects.filter(pk=version.pk).update(published_at=now, published_by=by)
        Campaign.objects.filter(pk=campaign.pk).update(
            state=Campaign.State.PUBLISHED, current=version, published_at=now, published_by=by, swept_at=None
        )
        return start(campaign)


def refusals_of(version: Version) -> list[str]:
    """Why these stages can't run, each in a sentence that names its stage."""
    flow = Flow.of(version.stages.prefetch_related("texts"))
    said = [_("“%(stage)s”: %(fault)s") % {"stage": stage.title, "fault": fault} if stage else fault for stage, fault in faults(flow)]
    if any(step.stage.kind == Stage.Kind.EMAIL for step in flow.steps.values()) and version.campaign.writes_from is None:
        said.insert(0, _("Verify a sender address first; the campaign sends e-mail."))
    return said


def start(campaign: Campaign) -> int:
    """Give everybody who waits without a due time one, counted from now, or from what was left of it; returns how many."""
    at_an_hour = Stage.objects.filter(version__campaign=campaign, options__has_key="minute").exists()
    with connection.cursor() as cursor:
        cursor.execute(START.format(due=due_in_sql("s.options", "e.lead_id", MOMENT, at_an_hour)), [campaign.pk])
        return cursor.rowcount


# A pause does not put off an hour of the day: it is the first such hour after their stage's time that has not passed yet.
MOMENT = "CASE WHEN e.remaining IS NULL THEN now() + s.holds_for ELSE greatest(e.stage_since + s.holds_for, now()) END"
START = """
    UPDATE campaigns_enrollment e SET stage_since = CASE WHEN e.remaining IS NULL THEN now() ELSE e.stage_since END, remaining = NULL,
        due_at = CASE WHEN e.remaining IS NULL OR s.options ? 'minute' THEN {due} ELSE now() + greatest(e.remaining, interval '0') END
    FROM campaigns_stage s
    WHERE s.id = e.stage_id AND e.campaign_id = %s AND e.status = 'active' AND e.due_at IS NULL
"""


def end(campaign: Campaign) -> int:
    """Close the campaign for good: nobody enters any more, and whoever is in it leaves without the goal. Returns how many that are. Locks as `publish`."""
    now = timezone.now()
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.ENDED)
        running = Enrollment.objects.filter(campaign=campaign).running()
        return running.update(status=Enrollment.Status.EXITED, reason="campaign_over", due_at=None, ended_at=now)


def pause(campaign: Campaign) -> None:
    """Stop the campaign where it is: nobody moves and nothing is sent until it goes on, and everybody's time stands still. Locks as `publish` does."""
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.PAUSED)
        Enrollment.objects.filter(campaign=campaign, status=Enrollment.Status.ACTIVE).update(due_at=None, remaining=F("due_at") - Now())
