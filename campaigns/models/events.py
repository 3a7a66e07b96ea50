"""What the mail provider told about a mail after it went out: that it bounced, that the person opened it, complained, unsubscribed or replied."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.message import Message


class MailEvent(models.Model):
    """Something that happened to one mail. A provider may tell it several times; it is kept once."""

    class Kind(models.TextChoices):
        BOUNCED = "bounced", pgettext_lazy("mail event", "Bounced")
        SOFT_BOUNCED = "soft_bounced", pgettext_lazy("mail event", "Bounced for now")
        COMPLAINED = "complained", pgettext_lazy("mail event", "Complained")
        UNSUBSCRIBED = "unsubscribed", pgettext_lazy("mail event", "Unsubscribed")
        OPENED = "opened", pgettext_lazy("mail event", "Opened")
        REPLIED = "replied", pgettext_lazy("mail event", "Replied")

    message = models.ForeignKey(Message, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=14, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "kind"], name="one_event_per_message_and_kind")]
        verbose_name = _("mail event")
        verbose_name_plural = _("mail events")

    def __str__(self) -> str:
        return self.kind
