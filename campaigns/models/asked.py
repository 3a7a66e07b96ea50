"""Which systems a campaign tells of a lead, beside those of its listing."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models import Lead


class Asked(models.Model):
    """A campaign asked that a destination is told of a lead; delivery keeps it up to date from then on. The destination is known by its id outside."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="asked_destinations")
    destination = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "destination"], name="one_ask_per_lead_and_destination")]
        verbose_name = _("asked destination")

    def __str__(self) -> str:
        return f"{self.lead_id} {self.destination}"
