"""What was sent to whom, and which of its links they opened."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.ids import uuid7
from campaigns.models.campaign import Campaign, Enrollment, Stage
from campaigns.models.mail import Sender
from campaigns.reasons import because


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> Self:
        """Planned by a published campaign, to go out by now."""
        return self.filter(state=Message.State.PLANNED, due_at__lte=now, enrollment__campaign__state=Campaign.State.PUBLISHED)

    def sendable(self) -> Self:
        """Those whose campaign has a verified sender: its own, or one of its storefront's when it has none of its own."""
        served = Sender.served()
        if not served:
            return self.none()
        others = models.Q(enrollment__campaign__sender=None)
        others &= models.Q() if None in served else models.Q(enrollment__campaign__storefront__in=served)
        return self.filter(models.Q(enrollment__campaign__sender__verified_at__isnull=False) | others)


class Message(models.Model):
    """One e-mail of one stage to one enrollment. The unique pair and the claim before sending make it at most once."""

    class State(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("message", "Planned")
        SENDING = "sending", pgettext_lazy("message", "Sending")
        SENT = "sent", pgettext_lazy("message", "Sent")
        UNCERTAIN = "uncertain", pgettext_lazy("message", "Uncertain")
        FAILED = "failed", pgettext_lazy("message", "Failed")
        WITHHELD = "withheld", pgettext_lazy("message", "Withheld")
        BOUNCED = "bounced", pgettext_lazy("message", "Bounced")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    enrollment = models.ForeignKey(Enrollment, models.CASCADE, related_name="messages", db_index=False)
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="messages", db_index=False)
    # The stage's own, whatever the version.
    stage_key = models.UUIDField()
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=300, blank=True, default="")
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    # Where it went: the part of the address behind the @. A provider is written to only so often an hour (MailRules).
    domain = models.CharField(max_length=255, blank=True, default="", db_default="")
    # How often the mail server put it off before it took anything.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=8, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrollment", "stage_key"], name="one_message_per_enrollment_and_stage")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="planned"), name="message_planned"),
            models.Index(fields=["claimed_at"], condition=models.Q(state="sending"), name="message_sending"),
            models.Index(fields=["stage", "state"], name="message_by_stage"),
            models.Index(
                fields=["domain", "claimed_at"], condition=models.Q(claimed_at__isnull=False) & ~models.Q(domain=""), name="message_by_domain"
            ),
        ]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def why(self) -> str:
        """Its reason in words."""
        return because(self.reason)


class Click(models.Model):
    """Somebody, or something, opened a link of a mail. Programs that try all links of a mail as it arrives are told apart and count for nothing."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="clicks")
    url = models.CharField(max_length=2000)
    at = models.DateTimeField(default=timezone.now)
    by_program = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("click")

    def __str__(self) -> str:
        return self.url
