"""A person lets a campaign write to people, or stops it. The word counts at once; what it means for each of those in it is carried out after
(campaigns.carry_out). Only due enrollments move, so a stopped campaign's have no due time."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from campaigns.carry_out import carry_out
from campaigns.flow import Flow
from campaigns.kinds import faults
from campaigns.models import Campaign, Enrollment, Stage, Version


def publish(campaign: Campaign, by: User) -> int:
    """Let the campaign run, with its draft as the new version if it has one; everybody who waits in it is due after their stage's time, counted from
    now, or goes on where a pause stopped them. Returns how many are on their way. Who is on an earlier version stays on it.

    Locks the campaign, which waits for the leads that are being followed (campaigns.enroll).
    Raises ValidationError with all that keeps it from being published.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if locked.state == Campaign.State.ENDED:
            raise ValidationError(_("An ended campaign can’t be started again."))
        version = locked.draft or locked.version
        if refusals := refusals_of(version):
            raise ValidationError(refusals)
        now = timezone.now()
        if version.is_draft:
            Version.objects.filter(pk=version.pk).update(published_at=now, published_by=by)
        Campaign.objects.filter(pk=campaign.pk).update(
            state=Campaign.State.PUBLISHED, current=version, published_at=now, published_by=by, swept_at=None, said_at=Now()
        )
    carry_out(campaign.pk)
    return Enrollment.objects.filter(campaign=campaign, status=Enrollment.Status.ACTIVE).count()


def refusals_of(version: Version) -> list[str]:
    """Why these stages can't run, each in a sentence that names its stage."""
    flow = Flow.of(version.stages.prefetch_related("texts"))
    said = [_("“%(stage)s”: %(fault)s") % {"stage": stage.title, "fault": fault} if stage else fault for stage, fault in faults(flow)]
    if any(step.stage.kind == Stage.Kind.EMAIL for step in flow.steps.values()) and version.campaign.writes_from is None:
        said.insert(0, _("Verify a sender address first; the campaign sends e-mail."))
    return said


def end(campaign: Campaign) -> int:
    """Close the campaign for good: nobody enters any more, and whoever is in it leaves without the goal. Returns how many that are. Locks as `publish`.

    Raises ValidationError for one that never ran, which can still be published.
    """
    if campaign.state == Campaign.State.DRAFT:
        raise ValidationError(_("It never ran, so there is nothing to end."))
    inside = Enrollment.objects.filter(campaign=campaign).running().count()
    Campaign.objects.filter(pk=campaign.pk).exclude(state=Campaign.State.ENDED).update(state=Campaign.State.ENDED, said_at=Now())
    carry_out(campaign.pk)
    return inside


def pause(campaign: Campaign) -> bool:
    """Stop the campaign where it is: nobody moves and nothing is sent until it goes on, and everybody's time stands still. Returns whether it ran. Locks as
    `publish` does."""
    running = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.PUBLISHED)
    ran = bool(running.update(state=Campaign.State.PAUSED, said_at=Now()))
    carry_out(campaign.pk)
    return ran
