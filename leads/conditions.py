"""One language for rules: a small validated condition tree over named fields of a lead, compiled to a Q.

Scoring rules and the conditions of campaigns use it, so each is previewable and set-wise. A tree is
{"all": [...]}, {"any": [...]}, {"not": {...}} or a leaf {"field": ..., "op": ..., "value": ...}; {} holds for every lead. Fields come from
each app's `segments.py`, found by that name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.expressions import BaseExpression, Combinable
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

MAX_DEPTH, MAX_LEAVES, MAX_LIST = 5, 50, 500
OPERATORS = {
    "text": ("is", "is_not", "in", "contains", "empty"),
    "choice": ("is", "is_not", "in", "empty"),
    "number": ("is", "is_not", "at_least", "at_most", "empty"),
    "list": ("has", "empty"),
    "flag": ("is",),
    "days": ("at_least", "at_most", "empty"),
}
LOOKUPS = {"is": "exact", "in": "in", "contains": "icontains", "at_least": "gte", "at_most": "lte", "has": "contains"}
VALUES: dict[str, type | tuple[type, ...]] = {"text": str, "choice": str, "number": int, "list": str, "flag": bool, "days": int}


@dataclass(frozen=True)
class Field:
    """A named fact about a lead: its type decides the operators, its source is a column path or an expression over Lead."""

    name: str
    label: Any
    type: str
    source: str | BaseExpression | Combinable

    @property
    def annotation(self) -> str:
        return f"f_{self.name}"


_fields: dict[str, Field] = {}


def field(name: str, label: Any, type: str, source: str | BaseExpression | Combinable) -> Field:
    """Declare a field; called at import of an app's `segments.py`."""
    _fields[name] = Field(name, label, type, source)
    return _fields[name]


@lru_cache(1)
def fields() -> dict[str, Field]:
    """Every declared field by name."""
    autodiscover_modules("segments")
    return dict(sorted(_fields.items()))


def leaves(tree: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """The leaves of a tree. Raises ValidationError when it is not one."""
    if depth > MAX_DEPTH:
        raise ValidationError(_("A condition may be %(n)d levels deep."), params={"n": MAX_DEPTH})
    if not isinstance(tree, dict):
        raise ValidationError(_("A condition is an object."))
    if not tree:
        return
    branch = next((key for key in ("all", "any") if key in tree), None)
    if branch:
        if len(tree) > 1 or not isinstance(tree[branch], list):
            raise ValidationError(_("“%(branch)s” takes a list of conditions and stands alone."), params={"branch": branch})
        for part in tree[branch]:
            yield from leaves(part, depth + 1)
    elif "not" in tree:
        yield from leaves(tree["not"], depth + 1)
    else:
        yield tree


def check(tree: dict[str, Any]) -> None:
    """Raise ValidationError unless the tree is within its limits and every leaf names a field, one of its operators, and a value of its type."""
    found = list(leaves(tree))
    if len(found) > MAX_LEAVES:
        raise ValidationError(_("A condition may have %(n)d parts."), params={"n": MAX_LEAVES})
    for leaf in found:
        check_leaf(leaf)


def check_leaf(leaf: dict[str, Any]) -> None:
    known = fields().get(str(leaf.get("field")))
    if known is None:
        raise ValidationError(_("“%(name)s” is no field of a lead."), params={"name": leaf.get("field")})
    operator, value = leaf.get("op"), leaf.get("value")
    if operator not in OPERATORS[known.type]:
        raise ValidationError(_("“%(name)s” can't be compared by “%(op)s”."), params={"name": known.name, "op": operator})
    values = value if operator == "in" else [value]
    kind = bool if operator == "empty" else VALUES[known.type]
    if not isinstance(values, list) or len(values) > MAX_LIST or not all(type(one) is kind and can_be_kept(one) for one in values):
        raise ValidationError(_("“%(name)s” can't be compared with that value."), params={"name": known.name})


def can_be_kept(value: Any) -> bool:
    """Whether PostgreSQL can hold it: no text with NUL or half a character, no number beyond any count."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= one <= "\udfff" for one in value)
    return not isinstance(value, int) or abs(value) < 2**31


def annotated(leads: QuerySet[Any], *trees: dict[str, Any]) -> QuerySet[Any]:
    """The leads with every computed field that these trees speak of."""
    names = {leaf["field"] for tree in trees for leaf in leaves(tree)}
    computed = [fields()[name] for name in sorted(names) if not isinstance(fields()[name].source, str)]
    return leads.annotate(**{one.annotation: one.source for one in computed})


def to_q(tree: dict[str, Any]) -> Q:
    """The tree as a Q over `annotated` leads."""
    if not tree:
        return Q(pk__isnull=False)
    if "all" in tree:
        q = Q(pk__isnull=False)
        for part in tree["all"]:
            q &= to_q(part)
        return q
    if "any" in tree:
        q = Q(pk__in=[])
        for part in tree["any"]:
            q |= to_q(part)
        return q
    return ~to_q(tree["not"]) if "not" in tree else leaf_q(tree)


def leaf_q(leaf: dict[str, Any]) -> Q:
    known, operator, value = fields()[leaf["field"]], leaf["op"], leaf["value"]
    path = known.source if isinstance(known.source, str) else known.annotation
    if operator == "empty":
        blank = Q(**{f"{path}__isnull": True})
        if known.type in ("text", "choice"):
            blank |= Q(**{path: ""})
        elif known.type == "list":
            blank |= Q(**{path: []})
        return blank if value else ~blank
    if operator == "is_not":
        return ~Q(**{path: value})
    return Q(**{f"{path}__{LOOKUPS[operator]}": [value] if operator == "has" else value})


def matching(leads: QuerySet[Any], tree: dict[str, Any]) -> QuerySet[Any]:
    """Those of the leads that the condition holds for."""
    return annotated(leads, tree).filter(to_q(tree))


def as_sql(rows: QuerySet[Any, Any]) -> tuple[str, list[Any]]:
    """A query as a part of a larger statement, with its parameters. One that Django knows to find nothing is written out all the same."""
    sql, parameters = rows.query.get_compiler(rows.db, elide_empty=False).as_sql()
    return sql, list(parameters)
