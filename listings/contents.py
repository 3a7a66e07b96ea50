"""What the pages of a listing show: its line in the list, and everything on its own page."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import pgettext

from accounts.access import who
from accounts.models import AccessRecord
from listings.health import BAD, OFF, OK, WARN, Health, health_of
from listings.links import page
from listings.models import Listing

REHEARSED = "rehearsed"  # in the session: short name -> the last walk of a test lead
WIDTH, STEP, HIGHEST = 20, 13, 5  # of the arrival strip: a day, a dot, the most dots
SIGNS = {OK: "healthy", WARN: "silent", BAD: "failing", OFF: "off"}


@dataclass(frozen=True, slots=True)
class Line:
    """A listing in the list."""

    listing: Listing
    health: Health

    @property
    def leads_url(self) -> str:
        days = self.health.days
        return page("leads:list", listing=self.listing.slug, from_=days[0][0], to=days[-1][0]) if days else ""


def lines(listings: list[Listing]) -> list[Line]:
    """Every listing with its health, by title; a constant number of queries."""
    health = health_of(listings)
    return [Line(one, health[one.pk]) for one in listings]


def subject(listing: Listing) -> str:
    """How the audit names a listing's secret."""
    return f"lead URL of {listing.slug}"


def contents(listing: Listing, request: HttpRequest) -> dict[str, Any]:
    """Everything a listing's page shows to marketing, and for admins what is known of its secrets."""
    [line] = lines([listing])
    found: dict[str, Any] = {
        "listing": listing, "line": line, "health": line.health, "strip": Strip.of(line.health), "proven": proven(line.health), "at": timezone.now(),
        "goes_to": goes_to(listing, line.health), "rehearsal_url": page("portal:rehearsal", listing.slug), "add_url": page("delivery:list"),
        "rehearsed": request.session.get(REHEARSED, {}).get(listing.slug),
    }  # fmt: skip
    return found | secrets_of(listing, request) if who(request).is_portal_admin else found


def secrets_of(listing: Listing, request: HttpRequest) -> dict[str, Any]:
    """The secrets by date and hint, never in full, and who was shown one last."""
    urls = list(listing.lead_urls.order_by("-created_at"))
    shown = AccessRecord.objects.select_related("user").filter(kind=AccessRecord.Kind.SECRET_SHOWN, subject=subject(listing)).first()
    return {
        "lead_urls": urls,
        "current": next((url for url in urls if url.ends_at is None), None),
        "overlapping": [url for url in urls if url.ends_at and url.ends_at > timezone.now()],
        "shown": shown,
        "home": settings.PORTAL_URL or f"{request.scheme}://{request.get_host()}",
    }


def goes_to(listing: Listing, health: Health) -> list[dict[str, Any]]:
    """The destinations of the listing with the sign of their check."""
    states = {check.name: check.state for check in health.checks}
    found = listing.destinations.order_by("name")  # type: ignore[attr-defined]  # a reverse relation of an app on the right
    return [going(one, states.get(f"destination-{one.pk}", OK)) for one in found]


def going(destination: Any, state: str) -> dict[str, Any]:
    """One that is off is simply off; one that is on and fails says that it fails."""
    sign = "off" if destination.state == "off" else SIGNS[state]
    trouble = {BAD: "", WARN: pgettext("delivery", "Retrying")} if destination.state == "on" else {}
    return {"destination": destination, "sign": sign, "word": trouble.get(state, destination.get_state_display())}


def proven(health: Health) -> int:
    """How many of Partner Center's five steps are proven done: four by a test lead through the present secret, all by a real one."""
    fine = {check.name for check in health.checks if check.state == OK}
    return 5 if "in_use" in fine else 4 if "test_lead" in fine else 0


@dataclass(frozen=True, slots=True)
class Strip:
    """The arrivals of 30 days as dots; on busy days one dot stands for several leads."""

    columns: list[dict[str, Any]]
    each: int
    silent: int
    first: date
    middle: date

    @classmethod
    def of(cls, health: Health) -> "Strip | None":
        if not health.days:
            return None
        counts = [count for _day, count in health.days]
        each = max(1, -(-max(counts) // HIGHEST))
        silent = next((at for at, count in enumerate(reversed(counts)) if count), len(counts)) if health.state == "silent" else 0
        columns = [
            {
                "x": 10 + WIDTH * at, "dots": [60 - STEP * row for row in range(-(-count // each))], "day": day, "count": count,
                "silent": at >= len(counts) - silent,
            }
            for at, (day, count) in enumerate(health.days)
        ]  # fmt: skip
        return cls(columns, each, silent, health.days[0][0], health.days[len(counts) // 2][0])

    @property
    def silence_x(self) -> int:
        return WIDTH * (len(self.columns) - self.silent)

    @property
    def silence_width(self) -> int:
        return WIDTH * self.silent

    @property
    def silence_middle(self) -> int:
        return self.silence_x + self.silence_width // 2
