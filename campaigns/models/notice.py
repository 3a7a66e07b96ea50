"""A word to a colleague that a lead has come to a stage."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from leads.models import Lead


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, now: datetime) -> Self:
        """To be sent: neither claimed nor put off beyond now."""
        return self.filter(claimed_at=None, due_at__lte=now)


class Notice(models.Model):
    """One mail to one colleague. Claimed before the mail server hears of it, so that it goes out once at the most."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    campaign = models.CharField(max_length=100)
    stage = models.CharField(max_length=100)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(claimed_at__isnull=True), name="notice_due")]
        verbose_name = _("notice")

    def __str__(self) -> str:
        return str(self.id)
