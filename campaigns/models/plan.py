"""What marketing means to reach, what it does for it and spends on it: strategies with targets, demand activities with tracked links, costs, touches."""

from datetime import date
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.campaign import Campaign
from leads.models import Interaction, Lead
from listings.models import Listing, Storefront, today

# Days outside can't be counted by moments in a time zone, and nobody means them.
SENSIBLE_DAYS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 12, 31))]
MOST_TARGETS = 50


class Strategy(models.Model):
    """A period with a budget and targets; campaigns and demand activities belong to one."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    starts = models.DateField(_("first day"), validators=SENSIBLE_DAYS)
    ends = models.DateField(_("last day"), validators=SENSIBLE_DAYS)
    currency = models.CharField(
        _("currency"), max_length=3, default="EUR", validators=[RegexValidator("^[A-Z]{3}$", _("Three capital letters, as EUR."))]
    )
    budget = models.DecimalField(_("budget"), max_digits=12, decimal_places=2, default=0, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["-starts", "name"]
        constraints = [models.CheckConstraint(condition=models.Q(ends__gte=models.F("starts")), name="strategy_ends_after_it_starts")]
        verbose_name = _("strategy")
        verbose_name_plural = _("strategies")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:strategy", args=[self.pk])


class Target(models.Model):
    """How many of something a strategy means to reach, of one storefront, listing or country, or of all."""

    class Measure(models.TextChoices):
        LEADS = "leads", pgettext_lazy("target", "Leads")
        QUALIFIED = "qualified", pgettext_lazy("target", "Qualified")
        OPPORTUNITIES = "opportunities", pgettext_lazy("target", "Opportunities")
        WON = "won", pgettext_lazy("target", "Won")
        VALUE = "value", pgettext_lazy("target", "Pipeline value")

    strategy = models.ForeignKey(Strategy, models.CASCADE, related_name="targets")
    measure = models.CharField(_("what"), max_length=15, choices=Measure)
    amount = models.PositiveIntegerField(_("how many"), validators=[MinValueValidator(1)])
    storefront = models.ForeignKey(Storefront, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("storefront"))
    listing = models.ForeignKey(Listing, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("listing"))
    country = models.CharField(_("country"), max_length=2, blank=True, default="")

    class Meta:
        ordering = ["pk"]
        verbose_name = _("target")
        verbose_name_plural = _("targets")

    def __str__(self) -> str:
        return f"{self.amount} {self.measure}"


class DemandActivity(models.Model):
    """Something done to bring buyers to a listing: an ad, a post, an event. Its link leads to the marketplace and carries its code."""

    class Channel(models.TextChoices):
        SEARCH = "search", pgettext_lazy("channel", "Search ads")
        SOCIAL = "social", pgettext_lazy("channel", "Social media")
        EMAIL = "email", pgettext_lazy("channel", "E-mail")
        EVENT = "event", pgettext_lazy("channel", "Event")
        PARTNER = "partner", pgettext_lazy("channel", "Partner")
        CONTENT = "content", pgettext_lazy("channel", "Content")
        OTHER = "other", pgettext_lazy("channel", "Other")

    name = models.CharField(_("name"), max_length=100)
    code = models.SlugField(_("campaign id"), max_length=40, unique=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="demand_activities", verbose_name=_("listing"))
    url = models.URLField(_("page on the marketplace"), max_length=500)
    starts = models.DateField(_("first day"), default=today, validators=SENSIBLE_DAYS)
    ends = models.DateField(_("last day"), null=True, blank=True, validators=SENSIBLE_DAYS)
    strategy = models.ForeignKey(Strategy, models.SET_NULL, null=True, blank=True, related_name="activities", verbose_name=_("strategy"))
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-starts", "-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends=None) | models.Q(ends__gte=models.F("starts")), name="activity_ends_after_it_starts")
        ]
        verbose_name = _("demand activity")
        verbose_name_plural = _("demand activities")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:activity", args=[self.pk])


class Cost(models.Model):
    """Money spent on a demand activity or on a campaign, in the currency of its strategy."""

    activity = models.ForeignKey(DemandActivity, models.CASCADE, null=True, blank=True, related_name="costs")
    campaign = models.ForeignKey(Campaign, models.CASCADE, null=True, blank=True, related_name="costs")
    day = models.DateField(_("day"), default=today, validators=SENSIBLE_DAYS)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    note = models.CharField(_("for what"), max_length=200, blank=True)

    class Meta:
        ordering = ["-day", "-pk"]
        constraints = [models.CheckConstraint(condition=models.Q(activity=None) ^ models.Q(campaign=None), name="cost_of_one_thing")]
        verbose_name = _("cost")
        verbose_name_plural = _("costs")

    def __str__(self) -> str:
        return f"{self.day} {self.amount}"


class Visits(models.Model):
    """How often the link of an activity was followed on a day, programs that say what they are left out."""

    activity = models.ForeignKey(DemandActivity, models.CASCADE, related_name="visits")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activity", "day"], name="one_count_of_visits_per_day")]
        verbose_name = _("visits")

    def __str__(self) -> str:
        return f"{self.day} {self.count}"


class Touch(models.Model):
    """An act of a buyer that an activity brought: certain when the act names the activity's code, else a guess by listing and time."""

    interaction: Any = models.OneToOneField(Interaction, models.CASCADE, primary_key=True, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="touches")
    activity = models.ForeignKey(DemandActivity, models.CASCADE, related_name="touches")
    at = models.DateTimeField()
    is_certain = models.BooleanField()

    class Meta:
        verbose_name = _("touch")

    def __str__(self) -> str:
        return f"{self.activity_id} {self.at}"
