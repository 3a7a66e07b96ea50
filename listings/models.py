"""What is sold and where: the publisher, the two storefronts with their playbooks, the listings and their secret lead URLs."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.crypto import seal, unseal
from accounts.models import User


def check_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("%(name)s is not a time zone."), params={"name": name})


_kept: ContextVar[list["Publisher"] | None] = ContextVar("publisher", default=None)


class Publisher(models.Model):
    """The company that sells; one row. Days are counted in its time zone."""

    name = models.CharField(_("name"), max_length=200)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    countries_served = ArrayField(
        models.CharField(max_length=2),
        default=list,
        blank=True,
        verbose_name=_("countries served"),
        help_text=_("Two-letter codes; empty means all."),
    )

    recount_asked_at = models.DateTimeField(null=True, editable=False)
    rescore_asked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("publisher")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Publisher":
        """The one row, or one not yet saved; within `read_once` always the same."""
        kept = _kept.get()
        if kept:
            return kept[0]
        found = cls.objects.order_by("pk").first() or cls(name=gettext("Your company"))
        if kept is not None:
            kept.append(found)
        return found

    @classmethod
    @contextmanager
    def read_once(cls) -> Iterator[None]:
        """Read the row once for all that is done inside, as one page does."""
        token = _kept.set([])
        try:
            yield
        finally:
            _kept.reset(token)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def today(self) -> date:
        """The day it is there."""
        return timezone.localdate(timezone=self.zone)


def today() -> date:
    """The publisher's day."""
    return Publisher.current().today


class ListingKind(models.TextChoices):
    APP = "app", pgettext_lazy("listing kind", "App")
    CONSULTING_SERVICE = "consulting_service", pgettext_lazy("listing kind", "Consulting service")
    OFFER = "offer", pgettext_lazy("listing kind", "Offer")
    TECHNOLOGY = "technology", pgettext_lazy("listing kind", "Technology")


class CampaignKind(models.TextChoices):
    NURTURE = "nurture", pgettext_lazy("campaign kind", "Nurture")
    DEMAND = "demand", pgettext_lazy("campaign kind", "In-demand generation")


class Storefront(models.Model):
    """A Microsoft storefront and its playbook: who buys there, which campaign runs, what is listed, who follows up, and when a lead gets an owner."""

    class Audience(models.TextChoices):
        BUSINESS = "business", pgettext_lazy("audience", "Business customers")
        ALL = "all", pgettext_lazy("audience", "All customers")

    class FollowUp(models.TextChoices):
        CRM = "crm", pgettext_lazy("follow-up system", "Your CRM")
        AZURE_MARKETPLACE = "azure_marketplace", pgettext_lazy("follow-up system", "Azure Marketplace")
        FIELD_SELLER_CRM = "field_seller_crm", pgettext_lazy("follow-up system", "Microsoft field seller CRM")

    class OwnerWhen(models.TextChoices):
        AT_ONCE = "at_once", pgettext_lazy("owner", "At once")
        READY = "ready", pgettext_lazy("owner", "When it is act now, asked to be contacted, or reached the nurture goal")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=100)
    audience = models.CharField(_("audience"), max_length=10, choices=Audience)
    campaign_kind = models.CharField(_("campaign"), max_length=10, choices=CampaignKind)
    listing_kinds = ArrayField(models.CharField(max_length=20, choices=ListingKind), verbose_name=_("listings"))
    follow_up_systems = ArrayField(models.CharField(max_length=20, choices=FollowUp), verbose_name=_("follow-up systems"))
    owner_when = models.CharField(_("a lead gets an owner"), max_length=10, choices=OwnerWhen)
    respond_within_hours = models.PositiveSmallIntegerField(_("response clock in hours"), default=24, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["slug"]
        verbose_name = _("storefront")
        verbose_name_plural = _("storefronts")

    def __str__(self) -> str:
        return self.name

    @property
    def listing_kind_labels(self) -> list[str]:
        return [str(ListingKind(kind).label) for kind in self.listing_kinds]

    @property
    def follow_up_labels(self) -> list[str]:
        return [str(self.FollowUp(system).label) for system in self.follow_up_systems]


class ListingQuerySet(models.QuerySet["Listing"]):
    def visible_to(self, user: User) -> Self:
        """Listings carry no personal data: whoever has a role may know them. Their lead URLs are another matter."""
        return self.filter() if user.is_authenticated and user.role_names else self.none()

    def for_display(self) -> Self:
        """Every listing with its storefront, by title."""
        return self.select_related("storefront").order_by("title", "pk")


class Listing(models.Model):
    """One offer on one storefront, as Partner Center knows it."""

    class CallToAction(models.TextChoices):
        CONTACT_ME = "contact_me", pgettext_lazy("call to action", "Contact me")
        FREE_TRIAL = "free_trial", pgettext_lazy("call to action", "Free trial")
        TEST_DRIVE = "test_drive", pgettext_lazy("call to action", "Test drive")
        GET_IT_NOW = "get_it_now", pgettext_lazy("call to action", "Get it now")

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("listing state", "Draft")
        PREVIEW = "preview", pgettext_lazy("listing state", "Preview")
        LIVE = "live", pgettext_lazy("listing state", "Live")
        WITHDRAWN = "withdrawn", pgettext_lazy("listing state", "Not available in the marketplace")

    slug = models.SlugField(_("short name"), max_length=80, unique=True, help_text=_("Used in addresses and in the API."))
    title = models.CharField(_("title"), max_length=200)
    storefront = models.ForeignKey(Storefront, models.PROTECT, related_name="listings", verbose_name=_("storefront"))
    kind = models.CharField(_("kind"), max_length=20, choices=ListingKind)
    publisher_id = models.CharField(
        _("publisher id"), max_length=100, blank=True, help_text=_("As in Partner Center, before the dot of the lead source.")
    )
    offer_id = models.CharField(_("offer id"), max_length=150, blank=True, help_text=_("As in Partner Center, after the dot of the lead source."))
    call_to_action = models.CharField(_("call to action"), max_length=20, choices=CallToAction, default=CallToAction.CONTACT_ME)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.LIVE)
    lead_sharing = models.BooleanField(_("lead sharing is on in Partner Center"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ListingQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        verbose_name = _("listing")
        verbose_name_plural = _("listings")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("listings:detail", args=[self.slug])

    def clean(self) -> None:
        """A storefront carries certain kinds of listing and no others."""
        storefront = Storefront.objects.filter(pk=self.storefront_id).first()
        if storefront and self.kind and self.kind not in storefront.listing_kinds:
            message = _("%(storefront)s carries %(kinds)s; a listing of the kind %(kind)s does not belong there.")
            raise ValidationError(
                {
                    "kind": ValidationError(
                        message,
                        code="kind_not_carried",
                        params={
                            "storefront": storefront.name,
                            "kinds": ", ".join(storefront.listing_kind_labels),
                            "kind": self.get_kind_display(),
                        },
                    )
                }
            )

    @property
    def offer_key(self) -> str:
        """`publisher.offer`, the tail of the marketplace's lead source."""
        return ".".join(part for part in (self.publisher_id, self.offer_id) if part)

    def current_lead_url(self) -> "LeadUrl | None":
        return self.lead_urls.filter(ends_at=None).first()

    def rotate_lead_url(self, overlap: timedelta = timedelta(days=7)) -> "LeadUrl":
        """Give the listing a new secret; the old one works for `overlap` more, so that Partner Center can be changed in peace."""
        self.lead_urls.filter(ends_at=None).update(ends_at=timezone.now() + overlap)
        return LeadUrl.make(self)


class LeadUrlQuerySet(models.QuerySet["LeadUrl"]):
    def working(self) -> Self:
        """Current ones and those still within their overlap."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))


class LeadUrl(models.Model):
    """A secret lead URL. Looked up by the SHA-256 of its 256 random bits, so no key rotation can lose a lead; kept sealed to be shown again."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="lead_urls")
    digest = models.BinaryField(max_length=32, unique=True)
    sealed = models.BinaryField()
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = LeadUrlQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing"], condition=models.Q(ends_at=None), name="one_current_lead_url")]
        verbose_name = _("lead URL")

    def __str__(self) -> str:
        return f"…{self.hint}"

    @staticmethod
    def digest_of(secret: str) -> bytes:
        return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()

    @classmethod
    def make(cls, listing: Listing) -> "LeadUrl":
        secret = secrets.token_urlsafe(32)
        return cls.objects.create(
            listing=listing, digest=cls.digest_of(secret), sealed=seal(secret, f"lead url {cls.digest_of(secret).hex()}"), hint=secret[-4:]
        )

    @property
    def path(self) -> str:
        """The secret path of this URL; showing it is audited by whoever calls."""
        return reverse("submit", args=[unseal(self.sealed, f"lead url {bytes(self.digest).hex()}")])
