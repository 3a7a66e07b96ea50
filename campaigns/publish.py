"""A person lets a campaign write to people, or stops it. Only due enrollments move, so a stopped campaign's have no due time."""

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from campaigns.models import Campaign, Enrollment, Sender, Stage


def publish(campaign: Campaign, by: User) -> int:
    """Let the campaign run; everybody who waits in it is due after their stage's time, counted from now. Returns how many that are.

    Locks the campaign, which waits for the leads that are being followed (campaigns.enroll), then its enrollments.
    Raises ValidationError when it would send and no sender is verified, or when a mail has no English text to fall back on.
    """
    mails = campaign.stages.filter(kind=Stage.Kind.EMAIL)
    if mails.exists() and Sender.verified() is None:
        raise ValidationError(_("Verify a sender address first; the campaign sends e-mail."))
    for stage in mails.exclude(texts__language="en"):
        raise ValidationError(_("“%(stage)s” has no English text."), params={"stage": stage.name})
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.PUBLISHED, published_at=timezone.now(), published_by=by)
        with connection.cursor() as cursor:
            cursor.execute(START, [campaign.pk])
            return cursor.rowcount


START = """
    UPDATE campaigns_enrollment e SET stage_since = now(), due_at = now() + s.holds_for FROM campaigns_stage s
    WHERE s.id = e.stage_id AND e.campaign_id = %s AND e.status = 'active' AND e.due_at IS NULL
"""


def pause(campaign: Campaign) -> None:
    """Stop the campaign where it is: nobody moves and nothing is sent until it is published again. Locks as `publish` does."""
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.PAUSED)
        Enrollment.objects.filter(campaign=campaign, status=Enrollment.Status.ACTIVE).update(due_at=None)
