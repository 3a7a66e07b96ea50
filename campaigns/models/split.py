"""Which way each person took at a split, and which way won."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign, Enrollment


class Choice(models.Model):
    """An enrollment took one way of a split. The history is dropped by the month; what a split is judged by stays."""

    enrollment = models.ForeignKey(Enrollment, models.CASCADE, related_name="choices")
    stage_key = models.UUIDField()
    arm = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stage_key", "enrollment"], name="one_choice_per_enrollment_and_split")]
        verbose_name = _("choice")

    def __str__(self) -> str:
        return f"{self.stage_key} {self.arm}"


class Split(models.Model):
    """What is decided about a split, over all versions that have it: until a way has won, none."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="splits")
    stage_key = models.UUIDField(unique=True)
    winner = models.PositiveSmallIntegerField(null=True)
    looked_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    # None: the figures decided.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("split")

    def __str__(self) -> str:
        return str(self.stage_key)
