"""What a lead's pages say of a person and of a moment on their timeline."""

from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from django import template
from django.utils import timezone
from phonenumbers import timezone as phone_zones

from leads import story
from leads.models import Activity, Contact
from leads.wording import country_name, phone_number

register = template.Library()
ICONS = {
    "acted": "mouse-pointer-click", "asked_neighbour": "hand", "scored": "calculator", "assigned": "user-check", "status": "circle-dot-dashed",
    "called": "phone-outgoing", "noted": "notebook-pen", "wrote": "mail", "mailed": "mail", "edited": "pencil", "enrolled": "workflow",
    "goal_reached": "flag", "no_longer_meant": "log-out", "campaign_ended": "flag-off", "task_made": "list-plus", "task_done": "square-check-big", "delivered": "send",
    "delivery_dead": "send", "handled": "check",
}  # fmt: skip
ACTS = {"PLT": "message-square-quote", "INS": "shopping-bag", "StartTestDrive": "play", "Create": "cloud-upload", "DNC": "hand"}


@register.filter
def country(code: str) -> str:
    """The name of a country in the reader's language."""
    return country_name(code)


@register.filter
def dialled(phone: str) -> str:
    """A phone number as it is read."""
    return phone_number(phone)


@register.filter
def place(contact: Contact) -> str:
    """Company and country of a person, as far as they are known: the second line under a name."""
    return ", ".join(filter(None, (contact.company_name, country(contact.country) or contact.country_said)))


@register.filter
def first_name(contact: Contact) -> str:
    """What to call them on a button."""
    return contact.first_name or contact.name


@register.filter
def action(code: str) -> str:
    return story.action_words(code)


@register.filter
def icon_of(activity: Activity) -> str:
    return ACTS.get(activity.data.get("action", ""), ICONS["acted"]) if activity.kind == "acted" else ICONS.get(activity.kind, "circle")


@register.simple_tag
def local_time(contact: Contact) -> str:
    """What o'clock it is where the person's phone is at home, when that is another hour than here and the number leaves no doubt."""
    offsets = {now.utcoffset(): now for now in (timezone.now().astimezone(ZoneInfo(zone)) for zone in zones(contact.phone))}
    if len(offsets) != 1:
        return ""
    [there] = offsets.values()
    return f"{there:%H:%M}" if there.utcoffset() != timezone.localtime().utcoffset() else ""


@lru_cache(10_000)
def zones(phone: str) -> tuple[str, ...]:
    try:
        found = phone_zones.time_zones_for_number(phonenumbers.parse(phone)) if phone.startswith("+") else ()
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != phone_zones.UNKNOWN_TIMEZONE)
