"""What the campaigns do while the faults come: every kind of stage, in seconds instead of days."""

from typing import Any

from accounts.models import User
from campaigns.build import draft_of
from campaigns.models import Campaign
from campaigns.publish import publish
from campaigns.written import write


def mail(name: str) -> dict[str, Any]:
    return {"kind": "email", "name": name, "texts": {"en": {"subject": name, "body": "Hello {{ contact.first_name|default:there }}"}}}


FLOW = [
    {"kind": "wait", "name": "A second", "holds_for": "PT1S"},
    {"kind": "set", "name": "Tag", "options": {"tag": "walked"}},
    mail("First"),
    {
        "kind": "split", "name": "Test",
        "arms": [
            {"name": "A", "share": 1, "stages": [{"kind": "task", "name": "Call A", "options": {"days": 1}}]},
            {"name": "B", "share": 2, "stages": [{"kind": "set", "name": "Bonus", "options": {"bonus": 3}}, mail("B")]},
        ],
    },
    {"kind": "wait", "name": "Back, or two seconds", "holds_for": "PT2S", "options": {"until": {"field": "interactions", "op": "at_least", "value": 2}}},
    {
        "kind": "branch", "name": "Often",
        "arms": [{"name": "Twice", "when": {"field": "interactions", "op": "at_least", "value": 2}, "stages": [mail("Again")]}],
        "otherwise": [{"kind": "wait", "name": "One more second", "holds_for": "PT1S"}],
    },
    {"kind": "task", "name": "Call", "options": {"days": 1}},
    mail("Last"),
    {"kind": "exit", "name": "End"},
]  # fmt: skip


def run() -> None:
    """Publish these stages in every campaign."""
    by = User.objects.get(username="marketing")
    for campaign in Campaign.objects.all():
        write(draft_of(campaign), FLOW)
        publish(campaign, by)
