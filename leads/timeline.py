"""The timeline of a lead, a page at a time: all of it, or what they, we or the system did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, CharField, Count, Q, Value, When
from django.utils.translation import pgettext

from leads import keyset, story
from leads.models import Activity, Lead

THEIRS = Q(kind__in=story.THEIRS)
OURS = ~THEIRS & (Q(actor__isnull=False) | Q(kind__in=story.OURS))
SIDES = {"theirs": THEIRS, "ours": OURS, "system": ~THEIRS & ~OURS}
TOGETHER = timedelta(seconds=120)
LINES = 50


@dataclass(slots=True)
class Entry:
    """One line, in words, with what the system made of it right then."""

    activity: Activity
    headline: str
    aside: str
    text: str
    side: str
    followed: list[str]

    @property
    def result(self) -> str:
        return " ".join(f"{line}." for line in self.followed)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    chosen: str
    tabs: list[Tab]
    entries: list[Entry]
    page: keyset.Page[Activity]


def tabs(lead: Lead) -> list[Tab]:
    """All, theirs, ours and the system's, each with its count."""
    sides = Case(*(When(q, then=Value(name)) for name, q in SIDES.items()), output_field=CharField())
    counts = dict(lead.activities.order_by().values_list(sides).annotate(n=Count("pk")))
    labels = {"theirs": pgettext("timeline", "Theirs"), "ours": pgettext("timeline", "Ours"), "system": pgettext("timeline", "System")}
    return [Tab("all", pgettext("timeline", "All"), sum(counts.values())), *(Tab(name, label, counts.get(name, 0)) for name, label in labels.items())]


def timeline(lead: Lead, asked: Mapping[str, str]) -> Timeline:
    """The newest entries of the chosen side, or the ones before a mark."""
    side = asked.get("side", "")
    marks = {name: value for name, value in asked.items() if name in ("side", *keyset.MARKS)}
    rows = lead.activities.filter(SIDES.get(side, Q())).select_related("actor")
    page = keyset.turn(rows, "at", marks, size=LINES)
    return Timeline(side if side in SIDES else "all", tabs(lead), entries(page.rows, fold=side not in SIDES), page)


def entries(activities: list[Activity], fold: bool) -> list[Entry]:
    """Activities as entries, newest first. Folded, what the system did right after an act of the buyer becomes the second line of that act."""
    told: list[Entry] = []
    waiting: list[Activity] = []
    for activity in activities:
        side = story.side(activity)
        if fold and side == "system":
            waiting.append(activity)
            continue
        near = [one for one in waiting if fold and activity.kind == "acted" and one.at - activity.at < TOGETHER and not story.tell(one)[1]]
        told += [entry(one) for one in waiting if one not in near]
        told.append(entry(activity, [story.sentence(one) for one in reversed(near)]))
        waiting = []
    return told + [entry(one) for one in waiting]


def entry(activity: Activity, followed: list[str] | None = None) -> Entry:
    headline, text = story.tell(activity)
    aside = ""
    if activity.kind == "acted":
        headline, aside = story.action_words(activity.data.get("action", "")), said_by(activity.data)
    return Entry(activity, headline, aside, text, story.side(activity), followed or [])


def said_by(data: dict[str, str]) -> str:
    """The source and action as the storefront wrote them: AppSource-PLT."""
    return "-".join(filter(None, (data.get("source"), data.get("action"))))
