"""The cast: an admin, a marketer, two sellers who must not see each other's leads, two listings, and the marketplace that posts to them."""

import json
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, override_settings
from django.utils import translation

from accounts import remembered
from accounts.models import ApiToken, User
from accounts.roles import scopes_of
from leads.models import Lead, Submission
from listings.models import LeadUrl, Listing, ListingKind, Publisher, Storefront
from portal import pipeline
from routing.models import Seller

ADA = {
    "userDetails": {
        "firstName": "Ada", "lastName": "Novák", "email": "ada.novak@kolovrat.example", "phone": "+420 555 010 203",
        "country": "CZ", "company": "Kolovrat s.r.o.", "title": "CIO",
    },
    "leadSource": "AzureMarketplace-INS|contoso.edge-firewall", "actionCode": "INS", "offerTitle": "Edge Firewall", "description": "",
}  # fmt: skip


def person(username: str, role: str) -> User:
    """A demo user of one role, password `demo`; sellers take leads."""
    user = User.objects.create_user(username, f"{username}@larkfield.example", "demo", first_name=username.title(), is_demo=True)
    user.groups.add(Group.objects.get(name=role))
    if role == "sales":
        Seller.objects.create(user=user)
    if role == "admin":
        user.is_staff = user.is_superuser = True
        user.save()
    return user


def at_once(count: int, work: Callable[[], Any]) -> None:
    """Do the same work in so many threads, each with a connection of its own; a failure in one fails the test."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The real hash takes a third of a second for each person of each test; how passwords are kept is Django's own test."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def files_found_when_asked_for() -> Iterator[None]:
    """Every test client loads the middleware anew, and listing all static files takes longer than most requests."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(autouse=True)
def in_english() -> None:
    """A page that a test asked for in another language leaves that language behind."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes long to count, and would keep the figures: what a test reads is counted when it reads."""
    monkeypatch.setattr(remembered, "LONG", math.inf)


@pytest.fixture
def publisher(db: None) -> Publisher:
    return Publisher.objects.create(name="Larkfield Systems", time_zone="Europe/Prague")


@pytest.fixture
def admin(db: None) -> User:
    return person("admin", "admin")


@pytest.fixture
def marketing(db: None) -> User:
    return person("marketing", "marketing")


@pytest.fixture
def sales(db: None) -> User:
    return person("sales", "sales")


@pytest.fixture
def stranger(db: None) -> User:
    """A seller who owns none of what `sales` owns."""
    return person("stranger", "sales")


def listing(slug: str, title: str, storefront: str, kind: str) -> Listing:
    made = Listing.objects.create(slug=slug, title=title, storefront=Storefront.objects.get(slug=storefront), kind=kind)
    LeadUrl.make(made)
    return made


@pytest.fixture
def offer(publisher: Publisher) -> Listing:
    """Edge Firewall, an offer on Azure Marketplace: its leads get an owner at once."""
    return listing("edge-firewall", "Edge Firewall", "azure-marketplace", ListingKind.OFFER)


@pytest.fixture
def app(publisher: Publisher) -> Listing:
    """Field Service, an app on AppSource: its leads are nurtured first."""
    return listing("field-service", "Field Service", "appsource", ListingKind.APP)


def payload(**changes: Any) -> dict[str, Any]:
    """Ada's payload with other values; names of the person's fields go into userDetails."""
    made = json.loads(json.dumps(ADA))
    for name, value in changes.items():
        (made["userDetails"] if name in made["userDetails"] else made)[name] = value
    return made


@pytest.fixture
def post(client: Client) -> Callable[..., Submission]:
    """The marketplace: POST a body to a listing's lead URL and return what the archive kept."""

    def send(listing: Listing, body: Any = None, content_type: str = "application/json", **changes: Any) -> Submission:
        raw = body if isinstance(body, bytes) else json.dumps(payload(**changes) if body is None else body).encode()
        url = listing.current_lead_url()
        assert url is not None
        answer = Client().post(url.path, raw, content_type=content_type)
        assert answer.status_code == 202, answer.content
        return Submission.objects.get(pk=answer.json()["id"])

    return send


@pytest.fixture
def arrive(post: Callable[..., Submission]) -> Callable[..., Lead]:
    """POST and walk the whole path; returns the lead."""

    def send(listing: Listing, *args: Any, **changes: Any) -> Lead:
        submission = post(listing, *args, **changes)
        pipeline.run()
        submission.refresh_from_db()
        return Lead.objects.for_list().get(pk=submission.lead_id)

    return send


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which this user has signed in."""

    def sign_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return sign_in


@pytest.fixture
def api() -> Callable[[User], Client]:
    """An API client with a token of every scope the user may have."""

    def client_of(user: User) -> Client:
        token = ApiToken.issue(user, "tests", scopes_of(user.role_names))
        return Client(headers={"authorization": f"Bearer {token}"})

    return client_of
