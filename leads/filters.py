"""The filters of a list of leads as a person sees them: a form, and a chip for each that is chosen. leads.lists does the choosing."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from babel import dates
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User, UserQuerySet
from leads import keyset
from leads.lists import chosen, enrolled, is_day
from leads.models import Cluster, Import, LeadQuerySet, Status
from leads.normal import country_codes
from leads.wording import country_choices, country_name
from listings.days import locale
from listings.models import Listing, today

NAMES = (
    "q",
    "status",
    "storefront",
    "listing",
    "owner",
    "cluster",
    "score_min",
    "clock",
    "days",
    "from",
    "to",
    "reached",
    "tag",
    "country",
    "campaign",
    "stage",
    "brought",
)
SORTS = {"received": "received_at", "score": "score"}  # what the address says, and the column
CLOCKS = (
    ("overdue", pgettext_lazy("response clock", "Overdue")),
    ("today", pgettext_lazy("response clock", "Due today")),
    ("running", pgettext_lazy("response clock", "Running")),
    ("waiting", pgettext_lazy("response clock", "No response yet")),
    ("answered", pgettext_lazy("response clock", "Answered")),
)
LASTS = (("7", gettext_lazy("7 days")), ("30", gettext_lazy("30 days")), ("91", pgettext_lazy("period", "Quarter")))
REACHED = (
    ("qualified", pgettext_lazy("ever reached", "Qualified")),
    ("opportunity", pgettext_lazy("ever reached", "Opportunity")),
    ("won", pgettext_lazy("ever reached", "Won")),
)
ANY = [("", gettext_lazy("Any"))]
SELECTED, CHECKED = mark_safe(" selected"), mark_safe(" checked")


def sorted_by(asked: Mapping[str, str]) -> tuple[str, str]:
    """How the address wants the list sorted, always downwards: (its word, the column)."""
    word = asked["sort"] if asked.get("sort") in SORTS else "received"
    return word, SORTS[word]


@dataclass(frozen=True)
class Chip:
    """One chosen filter: what it is about, what was chosen, and the address of the list without it."""

    names: tuple[str, ...]
    label: str
    value: str
    url: str

    def __str__(self) -> str:
        return f"{self.label} {self.value}"


def asked_in(query: QueryDict) -> dict[str, str]:
    """What an address asks for, one way to write it: several values of a filter joined by commas, empty ones left out."""
    asked = {name: ",".join(value for value in query.getlist(name) if value) for name in (*NAMES, "sort", *keyset.MARKS)}
    return {name: value for name, value in asked.items() if value}


def without(asked: Mapping[str, str], *names: str) -> str:
    """The address of the same list without these filters, on its first page."""
    kept = {name: value for name, value in asked.items() if name not in (*names, *keyset.MARKS)}
    return "?" + urlencode(kept)


def canonical(query: str) -> str:
    """The filters and the order that an address asks for, written the one way they are written."""
    return without(asked_in(QueryDict(query.removeprefix("?")))).removeprefix("?")


def owners(user: User) -> UserQuerySet:
    """Whose leads a list of this user may hold: every seller's, or one's own and those of the teams one leads."""
    if user.sees_all:
        return User.objects.sellers()
    return User.objects.filter(Q(pk=user.pk) | Q(teams__leader=user)).distinct().order_by("username")


def options(choices: Iterable[Any], picked: Collection[str]) -> SafeString:
    """The options of a select, in one go; the same ones are drawn once."""
    return _drawn(tuple((key, SELECTED if str(key) in picked else "", str(label)) for key, label in choices))


@lru_cache(500)
def _drawn(rows: tuple[tuple[Any, str, str], ...]) -> SafeString:
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


class PlainSelect(forms.Select):
    """A select drawn in one go. Django renders a template per option, which a team of 200 makes the better part of a page."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        picked = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        drawn = options(self.choices, picked)
        return format_html("<select{}>{}</select>", flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})), drawn)


class PlainChecks(forms.CheckboxSelectMultiple):
    """The same for boxes to tick."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        picked, first = {str(one) for one in value or ()}, (attrs or {}).get("id", f"id_{name}")
        rows = ((first, at, first, at, name, key, CHECKED if str(key) in picked else "", label) for at, (key, label) in enumerate(self.choices))
        boxes = format_html_join("", '<div><label for="{}_{}"><input type="checkbox" id="{}_{}" name="{}" value="{}"{}> {}</label></div>', rows)
        return format_html('<div id="{}">{}</div>', first, boxes)


def campaign_words(value: str) -> str:
    """The campaign's name with where its people stand."""
    slug, _colon, status = value.partition(":")
    found = known("campaign").filter(slug=slug).values_list("name", flat=True)[:1]
    name = _(found[0]) if found else slug
    return _("%(campaign)s: %(state)s") % {"campaign": name, "state": str(STANDINGS.get(status, status))} if status else name


def known(what: str) -> QuerySet[Any]:
    """All campaigns, or all their stages: what enrollments point at."""
    model: Any = enrolled().model._meta.get_field(what).related_model
    return model.objects.all()  # type: ignore[no-any-return]


def stage_words(value: str) -> str:
    try:
        found = known("stage").filter(key=value).values_list("name", flat=True)[:1]
        return _(found[0]) if found else value
    except ValidationError:
        return value


def import_words(value: str) -> str:
    """The name of the imported file."""
    try:
        return Import.objects.only("file_name").get(pk=value).file_name
    except (Import.DoesNotExist, ValidationError):
        return value


STANDINGS = {
    "running": pgettext_lazy("enrollment", "On the way"), "active": pgettext_lazy("enrollment", "Active"), "held": pgettext_lazy("enrollment", "Held"),
    "reached": pgettext_lazy("enrollment", "Goal reached"), "exited": pgettext_lazy("enrollment", "Left"), "ended": pgettext_lazy("enrollment", "Ended"),
}  # fmt: skip
NAMED_ELSEWHERE: dict[str, Callable[[str], str]] = {
    "campaign": campaign_words,
    "stage": stage_words,
    "brought": import_words,
    "country": country_name,
}


class FilterForm(forms.Form):
    """Every filter of a list of leads. It is sent by GET, and what it says is read back by `leads.lists.chosen`."""

    status = forms.MultipleChoiceField(label=gettext_lazy("Status"), choices=Status, required=False, widget=PlainChecks)
    listing = forms.MultipleChoiceField(label=gettext_lazy("Listing"), required=False, widget=PlainChecks)
    cluster = forms.MultipleChoiceField(label=gettext_lazy("Cluster"), choices=Cluster, required=False, widget=PlainChecks)
    storefront = forms.ChoiceField(label=gettext_lazy("Storefront"), required=False, widget=PlainSelect)
    owner = forms.ChoiceField(label=gettext_lazy("Owner"), required=False, widget=PlainSelect)
    score_min = forms.IntegerField(label=gettext_lazy("Score from"), required=False, min_value=0, max_value=1000)
    clock = forms.ChoiceField(label=gettext_lazy("Respond by"), choices=[*ANY, *CLOCKS], required=False, widget=PlainSelect)
    reached = forms.ChoiceField(label=gettext_lazy("Ever reached"), choices=[*ANY, *REACHED], required=False, widget=PlainSelect)
    days = forms.ChoiceField(label=gettext_lazy("Received in the last"), choices=[*ANY, *LASTS], required=False, widget=PlainSelect)
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=40)
    country = forms.CharField(label=gettext_lazy("Country"), required=False, widget=PlainSelect)
    campaign = forms.CharField(widget=forms.HiddenInput, label=gettext_lazy("Campaign"), required=False)
    stage = forms.CharField(widget=forms.HiddenInput, label=gettext_lazy("Stage"), required=False)
    brought = forms.CharField(widget=forms.HiddenInput, label=gettext_lazy("Import"), required=False)

    def __init__(self, asked: Mapping[str, str], user: User) -> None:
        several = {name: asked[name].split(",") for name in ("status", "cluster", "listing") if name in asked}
        super().__init__(initial={**asked, **several})
        for name, label in (("from", _("Received from")), ("to", _("Received until"))):
            self.fields[name] = forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
        listings = list(Listing.objects.visible_to(user).for_display())
        self.offer("listing", [(one.slug, one.title) for one in listings])
        self.offer("storefront", [*ANY, *{one.storefront.slug: one.storefront.name for one in listings}.items()])
        said = asked.get("country", "")
        odd = [] if not said or said in country_codes() else [(said, said)]  # what an address says stays when the form is sent
        self.fields["country"].widget.choices = [*ANY, *odd, *country_choices()]  # type: ignore[attr-defined]
        self.people = people = owners(user).names()
        nobody = [("nobody", _("Nobody yet")), ("unroutable", _("Nobody can take it"))] if user.sees_all else []
        self.offer("owner", [*ANY, *nobody, *people])
        if len(people) < 2 and not user.sees_all:
            del self.fields["owner"]

    def offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def words(self, name: str, value: str) -> str:
        """What was chosen, in words; a value that is no choice speaks for itself."""
        if name in NAMED_ELSEWHERE:
            return NAMED_ELSEWHERE[name](value)
        choices: dict[str, Any] = dict(getattr(self.fields.get(name), "choices", self.people if name == "owner" else ()))
        picked = [str(choices.get(one, one)) for one in value.split(",")]
        return picked[0] if len(picked) == 1 else ", ".join(picked) if len(picked) == 2 else _("any of %(n)d") % {"n": len(picked)}


def chips(asked: Mapping[str, str], form: FilterForm) -> list[Chip]:
    """The chosen filters, in the order of the form; the two days of a period are one chip."""
    found = []
    if "from" in asked or "to" in asked:
        found.append(Chip(("from", "to"), _("Received"), period(asked.get("from", ""), asked.get("to", "")), without(asked, "from", "to")))
    for name in NAMES:
        if name in asked and name not in ("q", "from", "to"):
            label = _("Score") if name == "score_min" else str(form.base_fields[name].label)
            value = _("%(score)s or more") % {"score": asked[name]} if name == "score_min" else form.words(name, asked[name])
            gone = ("campaign", "stage") if name == "campaign" else (name,)  # a stage without its campaign says little
            found.append(Chip(gone, label, value, without(asked, *gone)))
    return found


def period(start: str, end: str) -> str:
    """1 – 20 Nov; from 1 Nov; until 20 Nov; days of another year with it."""
    days = [date.fromisoformat(text) if is_day(text) else None for text in (start, end)]
    if days[0] and days[1]:
        return dates.format_interval(days[0], days[1], skeleton(days[0], days[1]), locale=locale())
    said = [dates.format_skeleton(skeleton(day), day, locale=locale()) if day else text for day, text in zip(days, (start, end), strict=True)]
    return _("from %(day)s") % {"day": said[0]} if said[0] else _("until %(day)s") % {"day": said[1]}


def skeleton(*days: date) -> str:
    return "MMMd" if {day.year for day in days} == {today().year} else "yMMMd"


@dataclass(frozen=True)
class Way:
    """A way out of an empty list: the filter to drop, and how many leads there are without it."""

    chip: Chip
    count: keyset.Count


def way_out(seen: LeadQuerySet, asked: Mapping[str, str], found: list[Chip]) -> Way | None:
    """The one filter without which most would show, if any is of that kind."""
    if "q" in asked:
        found = [Chip(("q",), _("Search"), asked["q"], without(asked, "q")), *found]
    ways = [Way(chip, keyset.count(chosen(seen, {name: value for name, value in asked.items() if name not in chip.names}))) for chip in found]
    best = max(ways, key=lambda way: way.count.figure, default=None)
    return best if best and best.count.figure else None
