"""What the addresses of campaigns speak of, for pages and API alike: a campaign, one of its versions, somebody to show its mail to; or 404."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from campaigns.models import Campaign, Enrollment, Version
from leads.models import Lead


def campaign_of(slug: str) -> Campaign:
    return get_object_or_404(
        Campaign.objects.select_related("storefront", "published_by", "current", "sender", "strategy").prefetch_related("versions"), slug=slug
    )


def version_of(campaign: Campaign, number: str) -> Version:
    if number:
        return get_object_or_404(campaign.versions, number=number if number.isdecimal() and len(number) < 9 else 0)
    return campaign.draft or campaign.version


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def somebody(campaign: Campaign, asked: str) -> Lead | None:
    """The lead asked for, if it has an address and is of the storefront; else the one who entered last, or would be the first to."""
    if asked:
        of_storefront = Lead.objects.for_list().filter(listing__storefront=campaign.storefront_id).exclude(contact__email="")
        return of_storefront.filter(pk=uuid_of(asked)).first()
    return next(iter(latest(campaign, 1)), None)


def latest(campaign: Campaign, n: int) -> list[Lead]:
    """Those with an address who entered last; before anybody did, the newest of the storefront."""
    entered = Enrollment.objects.filter(campaign=campaign).exclude(lead__contact__email="").order_by("-id").values_list("lead", flat=True)[:n]
    leads = Lead.objects.for_list()
    if keys := list(entered):
        return list(leads.filter(pk__in=keys))
    return list(leads.filter(listing__storefront=campaign.storefront_id).exclude(contact__email="").order_by("-received_at", "-pk")[:n])
