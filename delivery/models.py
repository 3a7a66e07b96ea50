"""Where leads go: destinations, one delivery row per lead and destination, and every attempt made."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.crypto import seal, unseal
from accounts.ids import uuid7
from accounts.models import User
from leads.models import Lead
from listings.models import Listing


class DestinationQuerySet(models.QuerySet["Destination"]):
    def with_due(self, now: datetime) -> Self:
        """Those that deliver now, whose breaker is not open, and that are owed something due; each is one look at an index."""
        due = Delivery.objects.due(now).filter(destination=models.OuterRef("pk"))
        return self.filter(models.Exists(due), state=Destination.State.ON).exclude(closed_until__gt=now)


class Destination(models.Model):
    """A system that is told about leads. What its kind needs stands in `config`; its secret is sealed and never shown again."""

    class State(models.TextChoices):
        ON = "on", pgettext_lazy("destination", "Delivering")
        OFF = "off", pgettext_lazy("destination", "Off")
        PAUSED = "paused", pgettext_lazy("destination", "Paused")

    # Its id outside: the API's ids are all alike.
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=30)
    listings = models.ManyToManyField(Listing, related_name="destinations", blank=True, verbose_name=_("listings"))
    config: Any = models.JSONField(default=dict)
    sealed_secret = models.BinaryField(null=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ON)
    pause_reason = models.CharField(max_length=300, blank=True, default="")
    failures_in_row = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    closed_until = models.DateTimeField(null=True, blank=True)
    # When a person last mended it: three days of trying begin anew for all that waits.
    resumed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DestinationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")

    def __str__(self) -> str:
        return self.name

    @property
    def is_failing(self) -> bool:
        """Whether its last calls failed."""
        return bool(self.failures_in_row or self.closed_until)

    @property
    def is_open(self) -> bool:
        """Whether calls go out: it is switched on, and its breaker does not hold them back."""
        return self.state == self.State.ON and not (self.closed_until and self.closed_until > timezone.now())

    @property
    def secret(self) -> str:
        return unseal(self.sealed_secret, f"destination {self.uid}") if self.sealed_secret else ""

    def keep_secret(self, secret: str) -> None:
        self.sealed_secret = seal(secret, f"destination {self.uid}")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """The deliveries of the leads that the user sees."""
        return self.filter() if user.sees_all else self.filter(lead__in=Lead.objects.visible_to(user))

    def due(self, now: datetime) -> Self:
        """Those whose time has come and that nobody is at."""
        return self.filter(state__in=Delivery.WAITING, due_at__lte=now).exclude(lease_until__gt=now)

    def dead(self) -> Self:
        return self.filter(state=Delivery.State.DEAD)


class Delivery(models.Model):
    """What one destination is owed about one lead: its newest revision. The row itself keeps order, and at most one call in flight."""

    class State(models.TextChoices):
        DUE = "due", pgettext_lazy("delivery", "Due")
        RETRYING = "retrying", pgettext_lazy("delivery", "Retrying")
        DELIVERED = "delivered", pgettext_lazy("delivery", "Delivered")
        DEAD = "dead", pgettext_lazy("delivery", "Dead")
        HANDLED = "handled", pgettext_lazy("delivery", "Handled by hand")

    WAITING = (State.DUE, State.RETRYING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="deliveries", db_index=False)
    destination = models.ForeignKey(Destination, models.CASCADE, related_name="deliveries", db_index=False)
    revision = models.PositiveIntegerField()
    delivered_revision = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    due_at = models.DateTimeField(default=timezone.now)
    owed_since = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    # Claims in a row that never came back, as those of a payload that kills its worker.
    losses = models.PositiveSmallIntegerField(default=0, db_default=0)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "destination"], name="one_delivery_per_lead_and_destination")]
        indexes = [
            models.Index(fields=["destination", "due_at"], condition=models.Q(state__in=["due", "retrying"]), name="delivery_due"),
            models.Index(fields=["destination", "state", "-id"], name="delivery_by_state"),
        ]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def message_id(self) -> str:
        """The idempotency key: the same over all retries of a revision, another for the next revision."""
        return f"{self.id}.{self.revision}"


class DeliveryAttempt(models.Model):
    """One call to a destination and what came of it. Append-only, partitioned by month on its id."""

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", pgettext_lazy("attempt", "Delivered")
        RETRY = "retry", pgettext_lazy("attempt", "To be retried")
        REFUSED = "refused", pgettext_lazy("attempt", "Refused")
        MISCONFIGURED = "misconfigured", pgettext_lazy("attempt", "Misconfigured")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, models.DO_NOTHING, related_name="log", db_constraint=False)
    revision = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=14, choices=Outcome)
    status = models.PositiveSmallIntegerField(null=True)
    took_ms = models.PositiveIntegerField(null=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")

    def __str__(self) -> str:
        return str(self.id)
