"""The cast: the publisher, its people and teams, listings, sender, published campaigns and destinations. What is there already is used as it is."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import Team, User
from campaigns.models import Campaign, Sender, Version
from campaigns.publish import publish
from delivery.contract import connectors
from delivery.models import Destination
from leads import saved
from leads.filters import canonical
from leads.models import SavedView
from listings.models import LeadUrl, Listing, Publisher, Storefront
from routing.models import Seller

PASSWORD = "demo"  # noqa: S105
PUBLISHER_ID = "larkfield"
AGO = timedelta(days=200)  # all of it was there before the first lead
CAMPAIGNS = ("appsource-nurture", "azure-demand")
# username, first name, last name, role, language, time zone
PEOPLE = (
    ("marketing", "Mira", "Okafor", "marketing", "en", "Europe/Prague"),
    ("sales", "Ana", "Duarte", "sales", "en", "Europe/Lisbon"),
    ("admin", "Jonas", "Lind", "admin", "en", "Europe/Prague"),
    ("leon", "Leon", "Brandt", "sales", "en", "Europe/Berlin"),
    ("nadia", "Nadia", "Benali", "sales", "es", "Africa/Casablanca"),
    ("ravi", "Ravi", "Menon", "sales", "en", "Asia/Kolkata"),
    ("sofie", "Sofie", "van Dijk", "sales", "nl", "Europe/Amsterdam"),
)
VIEWS = (  # owner, name, filters, shared
    ("marketing", "Act now, no response yet", "cluster=act_now&clock=waiting", False),
    ("marketing", "Azure, this week", "storefront=azure-marketplace&days=7", False),
    ("marketing", "Won, last 91 days", "days=91&reached=won", False),
    ("admin", "Without an owner, score 50 up", "owner=nobody&score_min=50", True),
    ("sales", "Hot and mine", "status=new,qualified&score_min=60", False),
)
TEAMS = (("Central and North", "leon", ("leon", "sofie")), ("South and overseas", "nadia", ("nadia", "ravi", "sales")))
# slug, title, storefront, kind, call to action
LISTINGS = (
    ("field-service-for-teams", "Field Service for Teams", "appsource", "app", "free_trial"),
    ("field-service-quick-start", "Field Service Quick Start", "appsource", "consulting_service", "contact_me"),
    ("shop-floor-insights", "Shop Floor Insights", "appsource", "app", "test_drive"),
    ("container-guard-images", "Container Guard Images", "azure-marketplace", "technology", "get_it_now"),
    ("edge-firewall", "Edge Firewall", "azure-marketplace", "offer", "test_drive"),
    ("log-vault", "Log Vault", "azure-marketplace", "offer", "get_it_now"),
)
# name, address, listings
DESTINATIONS = (
    ("Larkfield CRM", "https://crm.larkfield.example/hooks/leads", ("field-service-for-teams", "field-service-quick-start", "edge-firewall")),
    ("Partner desk", "https://desk.larkfield.example/api/marketplace", ("log-vault",)),
)


@dataclass(slots=True)
class Cast:
    """The cast, as the stories need it."""

    users: dict[str, User]
    listings: dict[str, Listing]
    campaigns: dict[str, Campaign]
    destinations: dict[int, list[Destination]] = field(default_factory=dict)


def gather() -> Cast:
    """Make what is missing of the cast and return all of it. Refused where demo users could never sign in."""
    if not settings.DEMO:
        raise CommandError("This portal takes no demo data: PORTAL_DEMO is 0, or it has a public address.")
    if not Publisher.objects.exists():
        Publisher.objects.create(name="Larkfield Systems", time_zone="Europe/Prague")
    users = {person[0]: user(*person) for person in PEOPLE}
    for name, leader, members in TEAMS:
        team, made = Team.objects.get_or_create(name=name, defaults={"leader": users[leader]})
        if made:
            team.members.set(users[member] for member in members)
    for owner, name, query, is_shared in VIEWS:
        if not SavedView.objects.filter(owner=users[owner], name=name).exists():
            saved.keep(users[owner], name, canonical(query), is_shared)
    listings = {one[0]: listing(*one) for one in LISTINGS}
    Sender.objects.get_or_create(address="hello@larkfield.example", defaults={"name": "Larkfield Systems", "verified_at": timezone.now() - AGO})
    shipped = Campaign.objects.filter(slug__in=CAMPAIGNS).select_related("storefront")
    campaigns = {campaign.storefront.slug: run(campaign, users["marketing"]) for campaign in shipped}
    return Cast(users, listings, campaigns, destinations(listings))


@lru_cache(1)
def hashed() -> str:
    """The password's hash, which is slow to make on purpose; everybody's is the same here."""
    return make_password(PASSWORD)


def user(username: str, first_name: str, last_name: str, role: str, language: str, time_zone: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        found = User.objects.create_user(
            username, f"{username}@larkfield.example", first_name=first_name, last_name=last_name, is_demo=True, language=language,
            time_zone=time_zone, is_staff=role == "admin", is_superuser=role == "admin", date_joined=timezone.now() - AGO,
        )  # fmt: skip
        User.objects.filter(pk=found.pk).update(password=hashed())
        found.groups.add(Group.objects.get_or_create(name=role)[0])
    if role == "sales":
        Seller.objects.get_or_create(user=found)
    return found


def listing(slug: str, title: str, storefront: str, kind: str, call_to_action: str) -> Listing:
    values: dict[str, Any] = {"title": title, "kind": kind, "call_to_action": call_to_action, "publisher_id": PUBLISHER_ID, "offer_id": slug}
    found, made = Listing.objects.get_or_create(slug=slug, defaults={"storefront": Storefront.objects.get(slug=storefront), **values})
    if found.current_lead_url() is None:
        LeadUrl.make(found)
    if made:
        Listing.objects.filter(pk=found.pk).update(created_at=timezone.now() - AGO)
        found.lead_urls.update(created_at=timezone.now() - AGO)
    return found


def run(campaign: Campaign, by: User) -> Campaign:
    """A shipped campaign that is still a draft is published; one that somebody paused or ended stays as it is."""
    if campaign.state == Campaign.State.DRAFT:
        publish(campaign, by)
        Campaign.objects.filter(pk=campaign.pk).update(published_at=timezone.now() - AGO, created_at=timezone.now() - AGO)
        Version.objects.filter(campaign=campaign).update(published_at=timezone.now() - AGO, made_at=timezone.now() - AGO)
        campaign.refresh_from_db()
    return campaign


def destinations(listings: dict[str, Listing]) -> dict[int, list[Destination]]:
    """The destinations by listing. They are off, for their hosts exist nowhere: their history is shown and nothing is called."""
    by_listing: dict[int, list[Destination]] = {}
    for name, url, slugs in DESTINATIONS:
        found = Destination.objects.filter(name=name).first() or destination(name, url, [listings[slug] for slug in slugs])
        for pk in found.listings.values_list("pk", flat=True):
            by_listing.setdefault(pk, []).append(found)
    return by_listing


def destination(name: str, url: str, covers: list[Listing]) -> Destination:
    secret = base64.b64encode(secrets.token_bytes(24)).decode()
    config, secret = connectors()["https"].clean({"url": url, "secret": secret})
    made = Destination(name=name, kind="https", config=config, state=Destination.State.OFF, created_at=timezone.now() - AGO)
    made.keep_secret(secret)
    made.save()
    made.listings.set(covers)
    return made
