"""Who takes leads, and who had which lead when and why."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from leads.models import Lead


class Seller(models.Model):
    """A field seller as routing sees one: whether they take leads, how many at once, and when they last got one."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="seller")
    takes_leads = models.BooleanField(_("takes leads"), default=True)
    capacity = models.PositiveIntegerField(_("most open leads"), null=True, blank=True, help_text=_("Empty: no limit."))
    last_assigned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")

    def __str__(self) -> str:
        return str(self.user)


class Assignment(models.Model):
    """A stretch of ownership. A lead has at most one that has not ended."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="assignments")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="assignments")
    reason = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [models.UniqueConstraint(fields=["lead"], condition=models.Q(ended_at=None), name="one_open_assignment_per_lead")]
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")

    def __str__(self) -> str:
        return str(self.id)
