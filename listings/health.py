"""Is a listing's lead sharing sound, and if not, why. Every app may look from its own side: its module `health.py` registers a collector.

A collector answers for all given listings at once, with a number of queries that does not grow with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from listings.days import short
from listings.links import page
from listings.models import LeadUrl, Listing

OK, WARN, BAD, OFF = "ok", "warn", "bad", "off"
SHARING, SILENCE, PROOF = "lead_sharing", "silence", "test_lead"  # the checks that have a state of the listing to themselves
OLDEST_SECRET = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `sign` is what the listing's sign says when this check decides, `story` the sentence that explains it."""

    name: str
    state: str
    title: str
    why: str = ""
    when: datetime | None = None
    verb: str = ""
    url: str = ""
    sign: str = ""
    story: str = ""
    days: tuple[tuple[date, int], ...] = ()


Found = dict[int, list[Check]]
Collector = Callable[[Sequence[Listing]], Found]


@dataclass(slots=True)
class Health:
    """All checks of one listing and what they come to."""

    checks: list[Check] = field(default_factory=list)

    @property
    def decisive(self) -> Check | None:
        """The check that gives the listing its state, if something is the matter."""
        off = [one for one in self.checks if one.state == OFF and one.name == SHARING]
        bad = [one for one in self.checks if one.state == BAD]
        warned = [one for one in self.checks if one.state == WARN and one.sign]
        return next(iter(off + bad + warned), None)

    @property
    def state(self) -> str:
        """off, failing, silent, unproven, warned or healthy, as the sign of that name shows it."""
        one = self.decisive
        if one is None:
            return "healthy"
        warned = {SILENCE: "silent", PROOF: "unproven"}.get(one.name, "warned")
        return {OFF: "off", BAD: "failing", WARN: warned}[one.state]

    @property
    def text(self) -> str:
        return self.decisive.sign if self.decisive else ""

    @property
    def silence(self) -> Check | None:
        return next((one for one in self.checks if one.name == SILENCE), None)

    @property
    def last_lead(self) -> Check | None:
        return next((one for one in self.checks if one.name == "last_lead"), None)

    @property
    def days(self) -> tuple[tuple[date, int], ...]:
        """Leads by day, as far back as the silence check shows."""
        return self.silence.days if self.silence else ()

    @property
    def arrivals(self) -> int:
        return sum(count for _day, count in self.days)

    @property
    def story(self) -> str:
        """The state in a sentence or two: what is the matter, and the usual interval."""
        one = self.decisive
        matter = (one.story or ": ".join(filter(None, (one.title, one.why)))) if one else ""
        usual = self.silence.story if self.silence and self.silence is not one and self.state != "off" else ""
        return " ".join(filter(None, (f"{matter.rstrip('.')}." if matter else "", usual)))


_collectors: list[tuple[int, Collector]] = []


def collector(place: int) -> Callable[[Collector], Collector]:
    """Register a collector; its checks stand in the order of the places."""

    def register(verb: Collector) -> Collector:
        _collectors.append((place, verb))
        return verb

    return register


@lru_cache(1)
def collectors() -> tuple[Collector, ...]:
    """Every registered collector, found once per process."""
    autodiscover_modules("health")
    return tuple(verb for _place, verb in sorted(_collectors, key=lambda entry: entry[0]))


def checks_for(listings: Sequence[Listing]) -> Found:
    """Listing id -> its checks, for all of them at once."""
    found: Found = {one.pk: [] for one in listings}
    if found:
        for verb in collectors():
            for pk, checks in verb(listings).items():
                found[pk] += checks
    return found


def health_of(listings: Sequence[Listing]) -> dict[int, Health]:
    """Listing id -> its health."""
    return {pk: Health(checks) for pk, checks in checks_for(listings).items()}


@collector(10)
def sharing(listings: Sequence[Listing]) -> Found:
    return {one.pk: [sharing_check(one)] for one in listings}


def sharing_check(listing: Listing) -> Check:
    """Whether leads can come at all: shared in Partner Center, and the listing is out."""
    off = pgettext("listing health", "Off")
    if not listing.lead_sharing:
        why = _("No lead comes in until it is connected there.")
        return Check(SHARING, OFF, _("Lead sharing is off in Partner Center"), why, sign=off, story=why)
    if listing.state in (Listing.State.DRAFT, Listing.State.WITHDRAWN):
        why = _("Nobody can ask about it while it is not in the marketplace.")
        return Check(SHARING, OFF, str(listing.get_state_display()), why, sign=off, story=why)
    return Check(SHARING, OK, _("Lead sharing is on in Partner Center"), str(listing.get_state_display()))


@collector(90)
def secrets(listings: Sequence[Listing]) -> Found:
    """Every listing has a secret lead URL, and not too old a one. One query."""
    urls: dict[int, list[LeadUrl]] = {one.pk: [] for one in listings}
    for url in LeadUrl.objects.working().filter(listing__in=listings).order_by("-created_at"):
        urls[url.listing_id].append(url)
    return {one.pk: [secret_check(one, urls[one.pk])] for one in listings}


def secret_check(listing: Listing, working: list[LeadUrl]) -> Check:
    current = next((url for url in working if url.ends_at is None), None)
    if current is None:
        return Check("secret", BAD, _("No secret lead URL"), _("The marketplace has nowhere to post to."), sign=_("No lead URL"))
    age = timezone.now() - current.created_at
    days = ngettext("Secret is %(count)d day old", "Secret is %(count)d days old", age.days) % {"count": age.days}
    title = days if age.days else _("Secret was made today")
    old = next((url for url in working if url.ends_at), None)
    limit = _("Policy: at most %(count)d days") % {"count": OLDEST_SECRET.days}
    why = _("The old one works until %(day)s") % {"day": short(timezone.localtime(old.ends_at).date())} if old and old.ends_at else limit
    if age > OLDEST_SECRET:
        return Check("secret", WARN, title, why, verb=_("Rotate"), url=page("listings:rotate", listing.slug))
    return Check("secret", OK, title, why)
