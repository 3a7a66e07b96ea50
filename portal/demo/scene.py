"""What all stories share: the present moment, the offers with their rates and habits, the campaigns' stages, who takes the leads."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from campaigns.models import Campaign
from delivery.models import Destination
from listings.models import Storefront
from portal.demo.catalogue import Cast

HOUR, DAY = 3600.0, 86400.0
SPAN = 182 * DAY
GROWTH = 0.8  # the youngest day brings 1.8 times what the oldest did
SILENT = {"shop-floor-insights": 9 * DAY}  # nominal; on the calendar nothing came in the last six days
# slug: (share, growth over the half year, actions with their shares)
HABITS: dict[str, tuple[float, float, dict[str, float]]] = {
    "field-service-for-teams": (0.26, 0.3, {"PLT": 0.16, "INS": 0.28, "StartTestDrive": 0.56}),
    "field-service-quick-start": (0.09, 0.6, {"PLT": 0.6, "INS": 0.4}),
    "shop-floor-insights": (0.15, -0.3, {"PLT": 0.12, "INS": 0.28, "StartTestDrive": 0.6}),
    "container-guard-images": (0.10, 1.6, {"INS": 0.55, "Create": 0.45}),
    "edge-firewall": (0.28, 0.0, {"INS": 0.35, "Create": 0.35, "StartTestDrive": 0.3}),
    "log-vault": (0.12, -0.1, {"INS": 0.6, "Create": 0.25, "StartTestDrive": 0.15}),
}
SELLERS = {"sales": 24, "leon": 22, "nadia": 19, "ravi": 18, "sofie": 17}
# Hours of the buyer's day, and their distance from UTC.
OFFICE_HOURS = [*range(8, 19)] * 4 + [9, 10, 10, 11, 14, 15] * 3 + [*range(24)]
ZONES = {
    "BR": -3,
    "US": -6,
    "MX": -6,
    "GB": 0,
    "PT": 0,
    "MA": 1,
    "NG": 1,
    "ES": 1,
    "CZ": 1,
    "DE": 1,
    "NL": 1,
    "SE": 1,
    "PL": 1,
    "RU": 3,
    "KZ": 5,
    "IN": 5,
    "JP": 9,
}
SOURCES = {  # (as the wire says it, as intake reads it)
    ("appsource", "INS"): ("SPZA", "AppSource"),
    ("appsource", "PLT"): ("SPZA", "AppSource"),
    ("azure-marketplace", "INS"): ("AzureMarketplace", "AzureMarketplace"),
    ("azure-marketplace", "Create"): ("AzurePortal", "AzurePortal"),
}
TEST_DRIVE = ("TestDrive", "TestDrive")


@dataclass(slots=True)
class Step:
    """A stage of a campaign as a story walks it."""

    id: int
    key: UUID
    kind: str
    name: str
    holds: float
    subjects: dict[str, str]


@dataclass(slots=True)
class Walk:
    """A campaign and its steps in order."""

    id: int
    name: str
    kind: str
    steps: list[Step]


@dataclass(slots=True)
class Offer:
    """A listing and how it usually goes there."""

    id: int
    slug: str
    title: str
    storefront: str
    storefront_name: str
    at_once: bool
    for_all: bool
    clock: float
    actions: dict[str, float]
    share: float
    growth: float
    offer_key: str
    walk: Walk | None
    destinations: list[Destination] = field(default_factory=list)

    def rate(self, age: float) -> float:
        return self.share * max(0.1, 1 + self.growth * (0.5 - age / SPAN)) if age > SILENT.get(self.slug, 0) else 0.0

    def source(self, action: str) -> tuple[str, str]:
        return SOURCES.get((self.storefront, action), TEST_DRIVE)


@dataclass(slots=True)
class Scene:
    """The cast as plain values, at one moment."""

    now: float
    publisher: str
    offers: list[Offer]
    sellers: list[tuple[int, int]]
    office: list[tuple[int, str]]
    names: dict[int, str]
    staged: int = 0
    mail_soon: int = 30

    def age(self, random: Random) -> float:
        """How long ago somebody first came, in seconds: more came lately."""
        top = 1 + GROWTH
        return SPAN * (top - math.sqrt(top * top - 2 * GROWTH * (1 + GROWTH / 2) * random.random())) / GROWTH

    def offer(self, random: Random, age: float) -> Offer:
        return random.choices(self.offers, [one.rate(age) for one in self.offers])[0]

    def moment(self, random: Random, age: float, country: str) -> float:
        """The moment of that age, moved to where a week and a day have their busy hours. The last two days are left as they are."""
        hour, second, stays, far = random.choice(OFFICE_HOURS), random.random() * HOUR, random.random() < 0.3, random.randrange(5)
        if age < 2 * DAY:
            return self.now - age
        days = int(age // DAY)
        midnight = self.now - self.now % DAY
        weekday = datetime.fromtimestamp(midnight - days * DAY, UTC).weekday()
        if weekday > 4 and not stays and days > 20:
            days += weekday - 4 + far  # some working day of the week before
        elif weekday > 4 and not stays:
            days += 1 if weekday == 5 or days < 3 else -1
        return midnight - days * DAY + (hour - ZONES.get(country, 0)) * HOUR + second

    def seller(self, random: Random) -> int:
        return random.choices(self.sellers, [share for _, share in self.sellers])[0][0]


def scene_of(cast: Cast, now: float, publisher: str) -> Scene:
    walks = {slug: walk_of(campaign) for slug, campaign in cast.campaigns.items()}
    offers = []
    for slug, (share, growth, actions) in HABITS.items():
        listing = cast.listings[slug]
        front = listing.storefront
        offers.append(
            Offer(
                listing.pk, slug, listing.title, front.slug, front.name, front.owner_when == Storefront.OwnerWhen.AT_ONCE,
                front.audience == Storefront.Audience.ALL, front.respond_within_hours * HOUR, actions, share, growth, listing.offer_key,
                walks.get(front.slug), cast.destinations.get(listing.pk, []),
            )
        )  # fmt: skip
    sellers = [(cast.users[name].pk, share) for name, share in SELLERS.items()]
    office = [(cast.users[name].pk, cast.users[name].full_name) for name in ("marketing", "admin")]
    return Scene(now, publisher, offers, sellers, office, {one.pk: one.full_name for one in cast.users.values()})


def walk_of(campaign: Campaign) -> Walk:
    steps = [
        Step(
            stage.pk, stage.key, stage.kind, stage.name, stage.holds_for.total_seconds(), {text.language: text.subject for text in stage.texts.all()}
        )
        for stage in campaign.version.stages.order_by("position").prefetch_related("texts")
    ]
    return Walk(campaign.pk, campaign.name, campaign.kind, steps)
