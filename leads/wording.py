"""A condition in words, as a person reads it: “score at least 30; country is CZ or SK”."""

from functools import lru_cache
from typing import Any

import phonenumbers
from babel import Locale
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from leads import normal
from leads.conditions import Field, fields
from leads.models import Cluster, Contact, Status
from leads.story import action_words
from listings.models import ListingKind, Storefront

CHOICES: dict[str, Any] = {"status": Status, "cluster": Cluster, "email_kind": Contact.EmailKind, "listing_kind": ListingKind}
ACTIONS = ("last_action", "actions")


@lru_cache(16)
def territories(language: str) -> dict[str, str]:
    return dict(Locale.parse(language.replace("-", "_"), sep="_").territories)


def country_name(code: str) -> str:
    """The name of a country in the reader's language; what is no code stays as it is."""
    return territories(get_language() or "en").get(code, code)


def country_choices() -> tuple[tuple[str, str], ...]:
    """Every country with its name, as the reader's language sorts them."""
    return _country_choices(get_language() or "en")


@lru_cache(16)
def _country_choices(language: str) -> tuple[tuple[str, str], ...]:
    names = territories(language)
    return tuple(sorted(((code, names.get(code, code)) for code in normal.country_codes()), key=lambda pair: normal.fold(pair[1])))


@lru_cache(10_000)
def phone_number(phone: str) -> str:
    """A phone number with the gaps that its country writes; what is no E.164 stays as it came."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL) if phone.startswith("+") else phone
    except phonenumbers.NumberParseException:
        return phone


def in_words(tree: dict[str, Any], inside: bool = False) -> str:
    """The whole condition; one that asks nothing holds for every lead."""
    if not tree:
        return _("every lead")
    if "not" in tree:
        return _("not (%(condition)s)") % {"condition": in_words(tree["not"])}
    branch = next((key for key in ("all", "any") if key in tree), None)
    if branch is None:
        return leaf_in_words(tree)
    joint = pgettext("between conditions", " and ") if branch == "all" else pgettext("between conditions", " or ")
    said = joint.join(in_words(part, inside=True) for part in tree[branch])
    return f"({said})" if inside and len(tree[branch]) > 1 else said


def leaf_in_words(leaf: dict[str, Any]) -> str:
    """One comparison; a field that is gone keeps its name."""
    known = fields().get(leaf["field"])
    label = str(known.label) if known else str(leaf["field"])
    if known and known.type == "flag":
        return label if leaf["value"] else _("not %(condition)s") % {"condition": label}
    if leaf["op"] == "empty":
        return (_("no %(field)s") if leaf["value"] else _("%(field)s given")) % {"field": label}
    values = leaf["value"] if isinstance(leaf["value"], list) else [leaf["value"]]
    said = pgettext("between conditions", " or ").join(value_in_words(known, value) for value in values)
    return COMPARED[leaf["op"]]() % {"field": label, "value": said}


COMPARED = {
    "is": lambda: _("%(field)s: %(value)s"),
    "in": lambda: _("%(field)s: %(value)s"),
    "is_not": lambda: _("%(field)s other than %(value)s"),
    "contains": lambda: _("%(field)s contains “%(value)s”"),
    "at_least": lambda: _("%(field)s at least %(value)s"),
    "at_most": lambda: _("%(field)s at most %(value)s"),
    "has": lambda: _("%(field)s: %(value)s among them"),
}


def value_in_words(known: Field | None, value: Any) -> str:
    """A value as the pages call it."""
    name = known.name if known else ""
    if name in CHOICES and value in CHOICES[name].values:
        return str(CHOICES[name](value).label)
    if name in ACTIONS:
        return action_words(value)
    if name == "country":
        return country_name(str(value))
    if name == "storefront":
        return Storefront.objects.filter(slug=value).values_list("name", flat=True).first() or str(value)
    return str(value)
