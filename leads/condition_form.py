"""A condition as a form: one line for each comparison, joined by all or any. A line is added by choosing its field; its value then has the widget that
fits. Conditions with more than one level are shown in words and kept as they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from leads.conditions import MAX_LEAVES, MAX_LIST, OPERATORS, Field, can_be_kept, fields
from leads.models import ActionCode
from leads.wording import ACTIONS, CHOICES, action_words, country_choices, in_words
from listings.models import Listing, Storefront

Tree = dict[str, Any]
NUMBER = re.compile(r"-?[0-9]{1,9}")
WORDS = {
    "is": pgettext_lazy("comparison", "is"), "is_not": pgettext_lazy("comparison", "is not"), "in": pgettext_lazy("comparison", "is one of"),
    "contains": pgettext_lazy("comparison", "contains"), "at_least": pgettext_lazy("comparison", "at least"),
    "at_most": pgettext_lazy("comparison", "at most"), "has": pgettext_lazy("comparison", "has"), "empty": pgettext_lazy("comparison", "is missing"),
}  # fmt: skip
YES_NO = (("yes", _("yes")), ("no", _("no")))


@dataclass(slots=True)
class Line:
    """One comparison with what may be chosen in it. Without choices the value is typed."""

    number: int
    field: Field
    op: str
    value: str
    choices: list[tuple[str, str]]

    @property
    def operators(self) -> list[tuple[str, str]]:
        return [(op, str(WORDS[op])) for op in OPERATORS[self.field.type]]

    @property
    def is_number(self) -> bool:
        return self.field.type in ("number", "days") and not self.choices

    @property
    def values(self) -> list[str]:
        return [one.strip() for one in self.value.split(",")]


@dataclass(slots=True)
class ConditionForm:
    """A condition as it is edited; `prefix` keeps several on one page apart."""

    prefix: str
    joint: str
    lines: list[Line]
    words: str
    is_simple: bool = True

    @classmethod
    def of(cls, tree: Tree, prefix: str) -> "ConditionForm":
        joint, parts = parts_of(tree)
        if parts is None:
            return cls(prefix, "all", [], in_words(tree), is_simple=False)
        lines = [line_of(number, leaf) for number, leaf in enumerate(parts)]
        return cls(prefix, joint, lines, in_words(tree))

    @property
    def new_fields(self) -> list[tuple[str, str]]:
        """What can be asked, by its label."""
        return sorted(((name, str(one.label)) for name, one in fields().items()), key=lambda pair: pair[1])

    @property
    def has_room(self) -> bool:
        return len(self.lines) < MAX_LEAVES


def parts_of(tree: Tree) -> tuple[str, list[Tree] | None]:
    """How the parts are joined, and the parts; none when they are more than plain comparisons of known fields."""
    joint = "any" if "any" in tree else "all"
    parts: list[Tree] = [] if not tree else tree.get("all") or tree.get("any") or [tree]
    return joint, parts if all(part.get("field") in fields() for part in parts) else None


def line_of(number: int, leaf: Tree) -> Line:
    known, value = fields()[leaf["field"]], leaf.get("value")
    said = ", ".join(map(str, value)) if isinstance(value, list) else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    choices = [(code, str(name)) for code, name in YES_NO] if leaf["op"] == "empty" or known.type == "flag" else choices_of(known)
    return Line(number, known, leaf["op"], said, choices)


def choices_of(known: Field) -> list[tuple[str, str]]:
    """The values that a field can have, where they are few or have names; an empty list where anything can be typed."""
    if known.name in CHOICES:
        return [(str(code), str(name)) for code, name in CHOICES[known.name].choices]
    if known.name in ACTIONS:
        return [(code, action_words(code)) for code in ActionCode.objects.order_by("code").values_list("code", flat=True)]
    if known.name == "listing":
        return list(Listing.objects.order_by("title").values_list("slug", "title"))
    if known.name == "storefront":
        return list(Storefront.objects.order_by("name").values_list("slug", "name"))
    if known.name == "owner":
        return [(one.username, one.full_name) for one in User.objects.filter(is_active=True).order_by("username")]
    if known.name == "country":
        return list(country_choices())
    return []


def read_condition(posted: Mapping[str, Any], prefix: str, before: Tree) -> Tree:
    """The condition that a form sent. A value that does not fit its field is kept out of it by falling back to what was there before."""
    joint, parts = parts_of(before)
    if parts is None:
        return {} if posted.get(f"{prefix}-clear") else before
    removed = posted.get(f"{prefix}-remove", "")
    read = [read_line(posted, f"{prefix}-{number}", leaf) for number, leaf in enumerate(parts) if str(number) != removed]
    if posted.get(f"{prefix}-new") in fields() and len(read) < MAX_LEAVES:
        read.append(first_leaf(fields()[posted[f"{prefix}-new"]]))
    joint = posted.get(f"{prefix}-joint", joint)
    return {} if not read else read[0] if len(read) == 1 else {"any" if joint == "any" else "all": read}


def read_line(posted: Mapping[str, Any], name: str, before: Tree) -> Tree:
    """One comparison. A new operator whose value does not fit the old one's starts from a value that does."""
    known = fields()[before["field"]]
    op = posted.get(f"{name}-op", before["op"])
    if op not in OPERATORS[known.type]:
        return before
    given = posted.getlist(f"{name}-value") if hasattr(posted, "getlist") else [posted.get(f"{name}-value", "")]
    value = value_of(known, op, [one for one in given if one != ""])
    if value is None:
        value = before["value"] if op == before["op"] else first_leaf(known, op)["value"]
    return {"field": known.name, "op": op, "value": value}


def value_of(known: Field, op: str, given: list[str]) -> Any:
    """What was typed or chosen, as the field's type; none when it is none."""
    if op == "empty" or known.type == "flag":
        return given[0] == "yes" if given and given[0] in ("yes", "no") else None
    if known.type in ("number", "days"):
        numbers = [int(one) for part in given for one in part.split(",") if NUMBER.fullmatch(one.strip())]
        return numbers[0] if numbers else None
    texts = [one.strip() for part in given if can_be_kept(part) for one in (part.split(",") if op == "in" else [part]) if one.strip()]
    return None if not texts else texts[:MAX_LIST] if op == "in" else texts[0][:200]


def first_leaf(known: Field, op: str = "") -> Tree:
    """A comparison to begin with."""
    op = op or OPERATORS[known.type][0]
    choices = choices_of(known)
    plain: Any = {"number": 0, "days": 0, "flag": True}.get(known.type, choices[0][0] if choices else "?")
    return {"field": known.name, "op": op, "value": True if op == "empty" else [plain] if op == "in" else plain}
