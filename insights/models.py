"""Figures by cohort: everything counts on the day the lead was received, in the publisher's time zone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models import Lead
from listings.models import Listing

# Where a step of ResponseStep ends, in minutes. Of a step that a median lies in every minute is read, of all days: so they are about as wide as they are many.
STEPS = (5, 10, 15, 20, 30, 45, 60, *range(90, 1441, 30), 2160, 2880, 4320, 10080)


class DailyTally(models.Model):
    """What one listing received on one day, and how much of it ever qualified, became an opportunity, was won."""

    day = models.DateField()
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", db_index=False)
    leads = models.IntegerField(default=0)
    qualified = models.IntegerField(default=0)
    opportunities = models.IntegerField(default=0)
    won = models.IntegerField(default=0)
    anonymous = models.IntegerField(default=0)
    asked_neighbour = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "listing"], name="one_tally_per_day_and_listing")]
        verbose_name = _("daily tally")
        verbose_name_plural = _("daily tallies")

    def __str__(self) -> str:
        return f"{self.day} {self.listing_id}"


class ResponseTally(models.Model):
    """How many leads of a day and listing were first answered after so many whole minutes; medians come from these counts."""

    day = models.DateField()
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", db_index=False)
    minutes = models.IntegerField()
    leads = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "listing", "minutes"], include=["leads"], name="one_response_tally")]
        verbose_name = _("response tally")
        verbose_name_plural = _("response tallies")

    def __str__(self) -> str:
        return f"{self.day} {self.listing_id} {self.minutes}"


class ResponseStep(models.Model):
    """The same counts by coarse steps of minutes, which say where a median lies (insights.medians)."""

    day = models.DateField()
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", db_index=False)
    step = models.SmallIntegerField()
    leads = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "listing", "step"], include=["leads"], name="one_response_step")]
        verbose_name = _("response step")
        verbose_name_plural = _("response steps")

    def __str__(self) -> str:
        return f"{self.day} {self.listing_id} {self.step}"


class Counted(models.Model):
    """What the tallies hold about one lead; the next count applies only the difference."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="counted")
    day = models.DateField()
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", db_index=False)
    qualified = models.BooleanField(default=False)
    opportunity = models.BooleanField(default=False)
    won = models.BooleanField(default=False)
    response_minutes = models.IntegerField(null=True)

    class Meta:
        verbose_name = _("counted lead")
        verbose_name_plural = _("counted leads")

    def __str__(self) -> str:
        return str(self.lead_id)
