"""Parts of the lead record and of My day that come from the apps: each declares its own in a `panels.py`, found by that name.

A panel tells what it knows about the lead in front of the user, as the variable `part` of its template, or nothing when there is nothing to say.
Places: `main` (under the person's words), `rail` (beside the record), `day` (on My day, where there is no lead), `bulk` (what is done to ticked leads).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.utils.module_loading import autodiscover_modules

from accounts.models import User
from leads import tags as tagging
from leads.entry import SOURCE
from leads.models import Lead, Task

Data = dict[str, Any]
MOST = 5


@dataclass(frozen=True, slots=True)
class Context:
    """Who looks, and at which lead."""

    request: HttpRequest
    user: User
    lead: Lead | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of a page, and where it stands."""

    name: str
    order: int
    place: str
    template: str
    function: Callable[[Context], Data | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A panel with what it has to say."""

    name: str
    template: str
    data: Data


_panels: dict[str, Panel] = {}


def panel(name: str, order: int, place: str, template: str) -> Callable[[Callable[[Context], Data | None]], Callable[[Context], Data | None]]:
    """Declare the function as a panel; at import of an app's `panels.py`."""

    def declare(function: Callable[[Context], Data | None]) -> Callable[[Context], Data | None]:
        _panels[name] = Panel(name, order, place, template, function)
        return function

    return declare


@lru_cache(1)
def panels() -> tuple[Panel, ...]:
    """Every declared panel, in the order of the page."""
    autodiscover_modules("panels")
    return tuple(sorted(_panels.values(), key=lambda one: (one.order, one.name)))


def parts(place: str, context: Context) -> list[Part]:
    """What the panels of a place have to say here."""
    told = ((one, one.function(context)) for one in panels() if one.place == place)
    return [Part(one.name, one.template, data) for one, data in told if data is not None]


@panel("tasks", 20, "rail", "leads/_tasks.html")
def tasks(context: Context) -> Data | None:
    """What is still to be done about the lead."""
    found = list(Task.objects.filter(lead=context.lead, done_at=None).order_by("due_at"))
    return {"tasks": found} if found else None


@panel("value", 65, "rail", "leads/_value.html")
def value(context: Context) -> Data:
    """What the lead is expected to be worth."""
    return {"lead": context.lead}


@panel("tags", 70, "rail", "leads/_tags.html")
def tags(context: Context) -> Data:
    """The words that people and campaigns put on the lead, and room for one more."""
    return {"lead": context.lead, "most": tagging.LONGEST}


@panel("other_leads", 60, "rail", "leads/_other_leads.html")
def other_leads(context: Context) -> Data | None:
    """What else the same person is interested in, and who else of their company is, as far as the user sees them."""
    lead = context.lead
    assert lead is not None
    seen = Lead.objects.visible_to(context.user).select_related("contact", "listing", "owner").order_by("-received_at", "-pk")
    theirs = list(seen.filter(contact=lead.contact_id).exclude(pk=lead.pk)[:MOST])
    company = lead.contact.company_id
    others = list(seen.filter(contact__company=company).exclude(contact=lead.contact_id)[:MOST]) if company else []
    return {"theirs": theirs, "others": others} if theirs or others else None


@panel("consent", 80, "rail", "leads/_consent.html")
def consent(context: Context) -> Data:
    """How the person's details came here, and what they asked others."""
    lead = context.lead
    assert lead is not None
    first = lead.interactions.order_by("received_at").first()
    return {"lead": lead, "first": first, "by_hand": bool(first and first.source == SOURCE)}
