"""Score version 1: fit from who they are, intent from what they did. Rules are rows over segments; a new version is made, never this one changed."""

from typing import Any

from django.db import migrations
from django.utils import timezone

ACT, DAYS = "acted", 14


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def last(action: str) -> dict[str, Any]:
    return leaf("last_action", "is", action)


NAMED = ["INS", "PLT", "Create", "StartTestDrive"]
RULES: tuple[tuple[str, str, int, int | None, dict[str, Any], str], ...] = (
    ("fit", "Business e-mail", 12, None, leaf("email_kind", "is", "business"), "domain"),
    ("fit", "Disposable e-mail", -10, None, leaf("email_kind", "is", "disposable"), "domain"),
    ("fit", "Company named", 6, None, leaf("company", "empty", False), "company"),
    ("fit", "Decides alone", 12, None, leaf("seniority", "is", 3), "title"),
    ("fit", "Decides with others", 9, None, leaf("seniority", "is", 2), "title"),
    ("fit", "Recommends", 5, None, leaf("seniority", "is", 1), "title"),
    ("fit", "Country we serve", 6, None, {"all": [leaf("country", "empty", False), leaf("country_served", "is", True)]}, "country"),
    ("fit", "Right audience", 8, None, leaf("right_audience", "is", True), "audience"),
    ("fit", "Can be called", 6, None, leaf("phone", "empty", False), "phone"),
    ("intent", "Purchased in the Azure portal", 26, DAYS, last("Create"), ACT),
    ("intent", "Asked to be contacted", 24, DAYS, last("PLT"), ACT),
    ("intent", "Get it now", 22, DAYS, last("INS"), ACT),
    ("intent", "Test drive", 18, 7, last("StartTestDrive"), ACT),
    ("intent", "Another act", 10, DAYS, {"not": leaf("last_action", "in", NAMED)}, "code"),
    ("intent", "Acted within 2 days", 8, None, leaf("days_since_act", "at_most", 1), ACT),
    ("intent", "Two acts or more", 6, None, leaf("interactions", "at_least", 2), "acts"),
    ("intent", "Four acts or more", 4, None, leaf("interactions", "at_least", 4), "acts"),
    ("intent", "Acted on several days", 5, None, leaf("active_days", "at_least", 2), "days"),
    ("intent", "Says what they need", 6, None, leaf("said_length", "at_least", 20), "said"),
    ("intent", "Says it in detail", 4, None, leaf("said_length", "at_least", 80), "said"),
)


def add_version(apps: Any, schema_editor: Any) -> None:
    version, made = apps.get_model("scoring", "ScoreVersion").objects.get_or_create(number=1, defaults={"published_at": timezone.now()})
    rule = apps.get_model("scoring", "ScoreRule")
    if made:
        rule.objects.bulk_create(
            rule(version=version, position=i, part=part, name=name, points=points, half_life_days=half_life, condition=condition, shows=shows)
            for i, (part, name, points, half_life, condition, shows) in enumerate(RULES)
        )


class Migration(migrations.Migration):
    dependencies = [("scoring", "0001_initial")]
    operations = [migrations.RunPython(add_version, migrations.RunPython.noop)]
