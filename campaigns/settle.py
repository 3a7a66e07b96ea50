"""A person decides about a message whose sending was never confirmed. Nothing is sent again; the decision closes the row."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from campaigns.models import Message
from leads.models import Activity


def settle(message: Message, went_out: bool, by: User) -> bool:
    """Close an uncertain message as sent or as failed; returns false when it is uncertain no longer. Locks the message row."""
    now = timezone.now()
    state = Message.State.SENT if went_out else Message.State.FAILED
    reason = "seen_sent" if went_out else "seen_unsent"
    with transaction.atomic():
        uncertain = Message.objects.filter(pk=message.pk, state=Message.State.UNCERTAIN)
        if not uncertain.update(state=state, reason=reason, sent_at=(message.claimed_at or now) if went_out else None):
            return False
        if went_out:
            data = {"subject": message.subject or message.stage.name, "stage": message.stage.name}
            Activity.objects.create(lead_id=message.enrollment.lead_id, kind="mailed", actor=by, at=now, data=data)
    return True
