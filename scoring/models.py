"""Score versions: rules over segments, immutable once published, so that every score can be explained and repeated."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ScoreVersion(models.Model):
    """A numbered set of rules. The published one with the highest number is in force."""

    number = models.PositiveIntegerField(unique=True)
    published_at = models.DateTimeField(null=True, blank=True)
    fit_cap = models.PositiveSmallIntegerField(_("most points for fit"), default=50)
    intent_cap = models.PositiveSmallIntegerField(_("most points for intent"), default=50)
    fit_high = models.PositiveSmallIntegerField(_("fit is high from"), default=30)
    intent_high = models.PositiveSmallIntegerField(_("intent is high from"), default=30)

    class Meta:
        ordering = ["-number"]
        verbose_name = _("score version")
        verbose_name_plural = _("score versions")

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def in_force(cls) -> "ScoreVersion":
        """The published version with the highest number; a migration ships the first."""
        return cls.objects.filter(published_at__isnull=False).order_by("-number")[0]

    def publish(self) -> None:
        """Put this version in force: a lead is scored under it when it is followed the next time (Lead.objects.make_stale)."""
        self.published_at = timezone.now()
        self.save(update_fields=["published_at"])


class ScoreRule(models.Model):
    """Points for the leads that a condition holds for; with a half-life they fade by whole days since the last act."""

    class Part(models.TextChoices):
        FIT = "fit", pgettext_lazy("score", "Fit")
        INTENT = "intent", pgettext_lazy("score", "Intent")

    version = models.ForeignKey(ScoreVersion, models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    part = models.CharField(_("part"), max_length=6, choices=Part)
    name = models.CharField(_("name"), max_length=100)
    points = models.SmallIntegerField(_("points"))
    half_life_days = models.PositiveSmallIntegerField(_("half-life in days"), null=True, blank=True)
    condition: Any = models.JSONField(_("condition"))
    shows = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ["version", "position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="one_rule_per_position")]
        verbose_name = _("score rule")
        verbose_name_plural = _("score rules")

    def __str__(self) -> str:
        return self.name
