"""The cast of the measurements: a publisher, listings on both storefronts, sellers, published campaigns, one destination."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign, Sender
from campaigns.publish import publish
from delivery.models import Destination
from listings.models import LeadUrl, Listing, ListingKind, Publisher, Storefront
from routing.models import Seller

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOWHERE = "https://crm.example.com/leads"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what there is. Listings take turns between the storefronts, AppSource first."""

    listings: list[Listing]
    sellers: list[User]
    marketing: User

    @property
    def paths(self) -> dict[str, str]:
        """The secret lead paths by slug."""
        current = {url.listing_id: url for url in LeadUrl.objects.filter(ends_at=None)}
        return {one.slug: current[one.pk].path for one in self.listings}


def gather(listings: int = 20, sellers: int = 200, crm: str = NOWHERE) -> Cast:
    """Make the cast, or give the one that is there."""
    if not Publisher.objects.exists():
        Publisher.objects.create(name="Larkfield Systems", time_zone="Europe/Prague")
        make_listings(listings)
        make_people(sellers)
        run_campaigns()
        make_destination(crm)
    return Cast(
        list(Listing.objects.order_by("pk")), list(User.objects.filter(seller__isnull=False).order_by("pk")), User.objects.get(username="marketing")
    )


def make_listings(count: int) -> None:
    places = [(Storefront.objects.get(slug="appsource"), ListingKind.APP), (Storefront.objects.get(slug="azure-marketplace"), ListingKind.OFFER)]
    for number in range(count):
        storefront, kind = places[number % 2]
        LeadUrl.make(Listing.objects.create(slug=f"offer-{number}", title=f"Offer {number}", storefront=storefront, kind=kind))


def make_people(sellers: int) -> None:
    """One marketer and so many sellers; nobody signs in by password."""
    marketing = User.objects.create(username="marketing", first_name="Mira", password="!")
    marketing.groups.add(Group.objects.get(name="marketing"))
    field = User.objects.bulk_create(User(username=f"seller{n}", first_name="Seller", last_name=str(n), password="!") for n in range(sellers))
    Group.objects.get(name="sales").user_set.add(*field)
    Seller.objects.bulk_create(Seller(user=one) for one in field)


def run_campaigns() -> None:
    """Publish the shipped campaigns, with a sender that is verified."""
    Sender.objects.create(address="hello@larkfield.example", name="Larkfield Systems", verified_at=timezone.now())
    by = User.objects.get(username="marketing")
    for campaign in Campaign.objects.all():
        publish(campaign, by)


def make_destination(url: str) -> None:
    """A CRM that every listing tells; unless an address is given, nothing is ever sent to it."""
    made = Destination(name="Your CRM", kind="https", config={"url": url})
    made.keep_secret(SECRET)
    made.save()
    made.listings.set(Listing.objects.all())
