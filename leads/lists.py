"""Which leads a list shows: the filters of its address, the same for pages, API and exports."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, CharField, Func, QuerySet, Value
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.ids import first_id
from leads.models import Contact, Import, Interaction, Lead, LeadQuerySet, SubmissionQuerySet
from leads.normal import fold
from listings.models import Listing, Publisher

PLAIN = {"status": "status", "cluster": "cluster"}
OF_LISTING = {"listing": "slug", "storefront": "storefront__slug"}
CLOCKS = ("overdue", "today", "running", "waiting", "answered")
REACHED = {"qualified": "qualified_at", "opportunity": "opportunity_at", "won": "won_at"}
MAX_QUERY, FEW = 200, 2_000
Rows = TypeVar("Rows", bound="QuerySet[Any]")


def chosen(leads: LeadQuerySet, asked: Mapping[str, str]) -> LeadQuerySet:
    """Those of the leads that the filters ask for; an unreadable value finds nothing rather than everything."""
    asked = {name: value.replace("\x00", "\ufffd") for name, value in asked.items()}
    for name, path in PLAIN.items():
        if values := [value for value in asked.get(name, "").split(",") if value]:
            leads = leads.filter(**{f"{path}__in": values})
    if score := asked.get("score_min"):
        leads = leads.filter(score__gte=int(score)) if re.fullmatch(r"[0-9]{1,4}", score) else leads.none()
    if owner := asked.get("owner"):
        leads = (
            leads.unroutable() if owner == "unroutable" else leads.filter(owner=None) if owner == "nobody" else leads.filter(owner__username=owner)
        )
    if text := asked.get("q", "")[:MAX_QUERY].strip():
        leads = searched(leads, text)
    leads = received(leads, asked.get("from", ""), asked.get("to", ""))
    if days := asked.get("days"):
        leads = lately(leads, days)
    if tag := asked.get("tag"):
        # Said so that the index serves, which holds the tagged ones only.
        leads = leads.filter(tags__contains=[tag[:MAX_QUERY]]).exclude(tags=[])
    if reached := asked.get("reached"):
        leads = leads.filter(**{f"{REACHED[reached]}__isnull": False}) if reached in REACHED else leads.none()
    if country := asked.get("country"):
        leads = leads.filter(contact__country=country)
    return by_clock(of_import(of_campaign(of_listings(leads, asked), asked), asked.get("brought")), asked.get("clock"))


def of_import(leads: LeadQuerySet, pk: str | None) -> LeadQuerySet:
    """Leads that the rows of an imported file made, or came back by."""
    if not pk:
        return leads
    try:
        found = Import.objects.only("first_id", "last_id", "listing_id").get(pk=pk)
    except (Import.DoesNotExist, ValidationError):
        return leads.none()
    return leads.filter(pk__in=Interaction.objects.filter(pk__in=found.submissions().values("pk")).values("lead"))


def of_listings(leads: LeadQuerySet, asked: Mapping[str, str]) -> LeadQuerySet:
    """Leads of certain listings or storefronts. They are asked for as plain ids, of which the planner knows how many leads each has."""
    for name, path in OF_LISTING.items():
        if values := [value for value in asked.get(name, "").split(",") if value]:
            leads = leads.filter(listing__in=list(Listing.objects.filter(**{f"{path}__in": values}).values_list("pk", flat=True)))
    return leads


def of_campaign(leads: LeadQuerySet, asked: Mapping[str, str]) -> LeadQuerySet:
    """Leads that are or were in a campaign: `slug`, or `slug:status` for those whose way there is `active`, `reached` and so on; and that stand at a
    `stage`. Campaigns know leads, and not the other way round: they are asked through their relation."""
    slug, _, status = asked.get("campaign", "").partition(":")
    there: dict[str, Any] = {"campaign__slug": slug, "stage__key": asked.get("stage", "")}
    there["status__in"] = ("active", "held") if status == "running" else (status,) if status else ()
    wanted = {name: value for name, value in there.items() if value}
    if not wanted:
        return leads
    try:
        found = enrolled().filter(**wanted).values_list("lead", flat=True)
        # Of few the leads are looked up; of many the list is walked in its order, where they soon turn up.
        few = list(found[: FEW + 1])
    except ValidationError:
        return leads.none()
    return leads.filter(pk__in=few if len(few) <= FEW else found)


def enrolled() -> QuerySet[Any]:
    """All enrollments."""
    model: Any = Lead._meta.get_field("enrollments").related_model
    return model.objects.all()  # type: ignore[no-any-return]


def by_clock(leads: LeadQuerySet, state: str | None) -> LeadQuerySet:
    """`overdue`, `running` or `answered`, as the clock sign shows it; `waiting` is the first two together, `today` what is running and ends today where
    the reader is."""
    now = timezone.now()
    if state == "overdue":
        return leads.overdue(now)
    if state == "today":
        return leads.open().filter(respond_by__gte=now, respond_by__lt=tonight(), first_response_at=None)
    if state == "running":
        return leads.open().filter(respond_by__gte=now, first_response_at=None)
    if state == "waiting":
        return leads.open().filter(respond_by__isnull=False, first_response_at=None)
    if state == "answered":
        return leads.filter(first_response_at__isnull=False)
    return leads.none() if state else leads


def tonight() -> datetime:
    """When the reader's day ends."""
    return timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=1), time()))


def received(rows: Rows, first: str, last: str) -> Rows:
    """Leads, or submissions, received from one day to another, both included, in the publisher's time zone: the days that the figures count by."""
    if not (first or last):
        return rows
    zone = Publisher.current().zone
    try:
        if first:
            rows = rows.filter(received_at__gte=datetime.combine(day_of(first), time.min, zone))
        if last:
            rows = rows.filter(received_at__lt=datetime.combine(day_of(last) + timedelta(days=1), time.min, zone))
    except (ValueError, OverflowError):
        return rows.none()
    return rows


def lately(leads: LeadQuerySet, days: str) -> LeadQuerySet:
    """Received in the last so many days, today included: what a saved view asks for that is to mean the same tomorrow."""
    if not re.fullmatch(r"[0-9]{1,3}", days) or not int(days):
        return leads.none()
    return received(leads, str(Publisher.current().today - timedelta(days=int(days) - 1)), "")


def archived(rows: SubmissionQuerySet, asked: Mapping[str, str]) -> SubmissionQuerySet:
    """Submissions by `disposition`, `listing`, `storefront`, and the days `from` and `to` that they were received on.

    Their ids are no further from their days than a day, so only the months it can be are looked at. The listings are named even when it is all of them,
    so that the index by disposition serves.
    """
    if any(asked.get(name) for name in ("disposition", *OF_LISTING)):
        here = Listing.objects.filter(**{path: asked[name] for name, path in OF_LISTING.items() if asked.get(name)})
        rows = rows.filter(listing__in=list(here.values_list("pk", flat=True)))
    if disposition := asked.get("disposition"):
        rows = rows.filter(disposition=disposition)
    first, last = asked.get("from", ""), asked.get("to", "")
    rows = received(rows, first, last)
    with suppress(ValueError, OverflowError):  # days that no id reaches to
        if first:
            rows = rows.filter(id__gte=first_id(datetime.combine(day_of(first), time.min, UTC) - timedelta(days=2)))
        if last:
            rows = rows.filter(id__lt=first_id(datetime.combine(day_of(last), time.min, UTC) + timedelta(days=3)))
    return rows


def day_of(text: str) -> date:
    """The day written here; ValueError when it is none."""
    if (found := parse_date(text)) is None:
        raise ValueError(text)
    return found


def is_day(text: str) -> bool:
    try:
        day_of(text)
    except ValueError:
        return False
    return True


class Words(Func):
    """A contact's search words as the index holds them."""

    function = "array_to_tsvector"
    output_field = ArrayField(CharField())


def words_of(text: str) -> list[str]:
    """What is looked for: every word by itself, as it was kept (normal.search_words), but an address as a whole."""
    return [word for part in text.split() for word in ([part] if "@" in part.strip("@") else re.findall(r"\w+", part))]


def searched(leads: LeadQuerySet, text: str) -> LeadQuerySet:
    """Leads whose contact has, for every word of the text, a word that begins with it; a phone number is found by its digits."""
    digits = re.sub(r"\(0\)|[\s()+./-]", "", text).lstrip("0")  # a phone is kept without what one dials before it
    words = [digits] if digits.isdigit() and len(digits) >= 4 else words_of(fold(text))
    if not words:
        return leads.none()
    lexemes = " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)
    match = Func(Words("words"), Value(lexemes), template="(%(expressions)s::tsquery)", arg_joiner=" @@ ", output_field=BooleanField())
    found = Contact.objects.filter(match)
    # Of a rare word the contacts are looked up first; of a common one the list is walked in its order, where they soon turn up.
    few = list(found.values_list("pk", flat=True)[: FEW + 1])
    return leads.filter(contact__in=few if len(few) <= FEW else found)
