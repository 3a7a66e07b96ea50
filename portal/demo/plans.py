"""What the demo's marketing plans and spends: a strategy for the current quarter, demand activities with visits and costs, and the leads they brought."""

from datetime import date, timedelta
from random import Random

from campaigns.attribute import attribute_anew
from campaigns.models import Campaign, Cost, DemandActivity, Strategy, Target, Visits
from listings.models import Listing

# code, name, channel, listing, began so many days ago, ran so many days (none: until further notice), visits a day, cost a week
ACTIVITIES = (
    ("search-edge", "Search ads for Edge Firewall", "search", "edge-firewall", 62, None, 24, 420),
    ("cloud-summit", "Cloud Summit stand", "event", "container-guard-images", 33, 3, 60, 5200),
    ("field-story", "Customer story, field service", "content", "field-service-for-teams", 47, 30, 11, 150),
)
# what, how many, listing
TARGETS = (("leads", 1_240, ""), ("qualified", 860, ""), ("opportunities", 290, ""), ("won", 30, "edge-firewall"))
PAGES = {
    "edge-firewall": "https://azuremarketplace.microsoft.com/en-us/marketplace/apps/larkfield.edge-firewall",
    "container-guard-images": "https://azuremarketplace.microsoft.com/en-us/marketplace/apps/larkfield.container-guard-images",
    "field-service-for-teams": "https://appsource.microsoft.com/en-us/product/office/larkfield.field-service-for-teams",
}


def plan(today: date) -> None:
    """Make the plans once; afterwards the leads that came are attributed to the activities, each time."""
    if not Strategy.objects.exists():
        first, last = quarter(today)
        strategy = Strategy.objects.create(name="Fill the quarter", starts=first, ends=last, currency="EUR", budget=16_000)
        listings = Listing.objects.in_bulk(field_name="slug")
        Target.objects.bulk_create(Target(strategy=strategy, measure=measure, amount=n, listing=listings.get(slug)) for measure, n, slug in TARGETS)
        Campaign.objects.filter(strategy=None).update(strategy=strategy)
        for one in ACTIVITIES:
            begin(strategy, listings, today, *one)
    for activity in DemandActivity.objects.all():
        attribute_anew(activity)


def quarter(today: date) -> tuple[date, date]:
    """Its first and its last day."""
    month = 3 * ((today.month - 1) // 3) + 1
    following = date(today.year + month // 10, (month + 2) % 12 + 1, 1)
    return date(today.year, month, 1), following - timedelta(days=1)


def begin(
    strategy: Strategy, listings: dict[str, Listing], today: date, code: str, name: str, channel: str, slug: str, ago: int, ran: int | None, daily: int, weekly: int
) -> None:  # fmt: skip
    """One activity with its visits and its costs so far."""
    starts, random = today - timedelta(days=ago), Random(code)
    ends = starts + timedelta(days=ran) if ran else None
    activity = DemandActivity.objects.create(
        name=name, code=code, channel=channel, listing=listings[slug], url=PAGES[slug], starts=starts, ends=ends, strategy=strategy
    )
    days = [starts + timedelta(days=n) for n in range((min(ends or today, today) - starts).days + 1)]
    Visits.objects.bulk_create(Visits(activity=activity, day=day, count=max(1, round(random.gauss(daily, daily / 4)))) for day in days)
    Cost.objects.bulk_create(Cost(activity=activity, day=day, amount=weekly, note=name) for day in days[::7])
