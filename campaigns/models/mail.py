"""Who mail comes from, how often and when it may go to a person, and who must not be written to."""

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.crypto import keyed_digests
from listings.models import CampaignKind, Storefront


class Sender(models.Model):
    """An address that campaigns may write from, once its owner has confirmed it."""

    address = models.EmailField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    # Whose campaigns write from it; empty is both.
    storefront = models.ForeignKey(Storefront, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("storefront"))
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")

    def __str__(self) -> str:
        return self.address

    @classmethod
    def verified(cls, storefront: int) -> "Sender | None":
        """The first that is verified of those of this storefront, else of those of both."""
        usable = cls.objects.filter(verified_at__isnull=False).filter(models.Q(storefront=storefront) | models.Q(storefront=None))
        return usable.order_by(models.F("storefront").asc(nulls_last=True), "pk").first()

    @classmethod
    def served(cls) -> set[int | None]:
        """The storefronts that have a verified address; none among them is one for all."""
        return set(cls.objects.filter(verified_at__isnull=False).values_list("storefront", flat=True))


def working_days() -> list[int]:
    """What the days were at first; the migration that made them asks for it."""
    return [1, 2, 3, 4, 5]


def every_day() -> list[int]:
    return [1, 2, 3, 4, 5, 6, 7]


class MailRules(models.Model):
    """How often and when campaigns may write to a person at all, whichever campaign it is; one row."""

    # 0 is no limit.
    most_mails = models.PositiveSmallIntegerField(_("at most so many mails"), default=0, validators=[MaxValueValidator(100)])
    per_days = models.PositiveSmallIntegerField(_("within so many days"), default=7, validators=[MinValueValidator(1), MaxValueValidator(365)])
    # Hours of the person's day; the same hour twice is the whole day.
    from_hour = models.PositiveSmallIntegerField(_("not before"), default=0, validators=[MaxValueValidator(23)])
    to_hour = models.PositiveSmallIntegerField(_("not after"), default=0, validators=[MaxValueValidator(24)])
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("on"), default=every_day)
    # To addresses of one domain, over all campaigns; 0 is no limit.
    most_per_domain = models.PositiveIntegerField(
        _("at most so many an hour to one domain"), default=0, db_default=0, validators=[MaxValueValidator(100_000)]
    )
    # After so many bounces that were for now an address is written to no more; 0 is never.
    most_soft_bounces = models.PositiveSmallIntegerField(
        _("give up after so many soft bounces"), default=3, db_default=3, validators=[MaxValueValidator(20)]
    )
    tracks_clicks = models.BooleanField(_("count clicks on links"), default=True)
    # Of those only who agreed to it (Preference).
    tracks_opens = models.BooleanField(_("count who opens a mail"), default=False, db_default=False)

    class Meta:
        verbose_name = _("mail rules")

    def __str__(self) -> str:
        return f"{self.most_mails} / {self.per_days}"

    @classmethod
    def current(cls) -> "MailRules":
        """Without a row nothing is limited."""
        return cls.objects.order_by("pk").first() or cls()

    @property
    def keeps_hours(self) -> bool:
        return self.from_hour != self.to_hour or len(set(self.weekdays)) < 7


class Suppression(models.Model):
    """An address that campaigns never write to, as a keyed hash, so that it outlives the erasure of the person."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", pgettext_lazy("suppression", "Unsubscribed")
        OBJECTED = "objected", pgettext_lazy("suppression", "Objected")
        BOUNCED = "bounced", pgettext_lazy("suppression", "Bounced")
        BY_HAND = "by_hand", pgettext_lazy("suppression", "Entered by hand")

    digest = models.BinaryField(max_length=32)
    # What the person does not want mail about; empty is anything at all. Purposes are the kinds of campaigns.
    purpose = models.CharField(max_length=10, blank=True, default="", db_default="", choices=CampaignKind)
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "purpose"], name="one_suppression_per_purpose")]
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return self.get_reason_display()

    @classmethod
    def add(cls, email_key: str, reason: str) -> None:
        """Never write to this normalised address again; effective at commit."""
        cls.add_digest(keyed_digests(email_key)[0], reason)

    @classmethod
    def add_digest(cls, digest: bytes, reason: str, purpose: str = "") -> None:
        """The same for an address that is only known by its hash, as in an unsubscribe link; the first reason stays."""
        cls.objects.get_or_create(digest=digest, purpose=purpose, defaults={"reason": reason})

    @classmethod
    def holds(cls, email_key: str, purpose: str = "") -> bool:
        """Whether this address must not be written to: at all, or with a purpose not about that either."""
        return bool(cls.among([email_key], purpose))

    @classmethod
    def among(cls, email_keys: Iterable[str], purpose: str = "") -> set[str]:
        """Those of these normalised addresses that must not be written to; one query."""
        digests = {bytes(digest): key for key in email_keys for digest in keyed_digests(key)}
        found = cls.objects.filter(digest__in=list(digests), purpose__in={"", purpose})
        return {digests[bytes(digest)] for digest in found.values_list("digest", flat=True)}


class Preference(models.Model):
    """What a person chose behind the link of a mail: the language of their mail, and whether it may be seen that they open it. By the keyed hash of their
    address, as Suppression."""

    digest = models.BinaryField(max_length=32, unique=True)
    # Empty: by their country.
    language = models.CharField(max_length=8, blank=True, default="")
    agrees_to_opens = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return self.language

    @classmethod
    def among(cls, email_keys: Iterable[str]) -> "dict[str, Preference]":
        """By normalised address, of those who chose anything; one query. Whichever key a link was made with, the latest choice stands."""
        digests = {bytes(digest): key for key in email_keys for digest in keyed_digests(key)}
        return {digests[bytes(one.digest)]: one for one in cls.objects.filter(digest__in=list(digests)).order_by("at")}

    @classmethod
    def of(cls, email_key: str) -> "Preference":
        """Without a row the person chose nothing, and agreed to nothing."""
        return cls.among([email_key]).get(email_key) or cls()
