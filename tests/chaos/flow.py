"""What the campaigns do while the faults come: every kind of stage, in seconds instead of days."""

import json
from typing import Any

from accounts.models import User
from bench.cast import SECRET
from campaigns.build import draft_of
from campaigns.models import Campaign
from campaigns.publish import publish
from campaigns.written import write
from delivery.models import Destination


def mail(name: str) -> dict[str, Any]:
    return {"kind": "email", "name": name, "texts": {"en": {"subject": name, "body": "Hello {{ contact.first_name|default:there }}"}}}


HOOK = "{hook}"  # the id of the destination, known once it is there
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
    {"kind": "notify", "name": "Tell marketing", "options": {"to": "marketing"}},
    {"kind": "webhook", "name": "Tell the hook", "options": {"destination": HOOK}},
    mail("Last"),
    {"kind": "hand_over", "name": "To sales"},
    {"kind": "exit", "name": "End"},
]  # fmt: skip


def run(hook: str) -> None:
    """Publish these stages in every campaign; the webhook tells a destination of its own."""
    User.objects.filter(username="marketing").update(email="marketing@larkfield.example")
    made = Destination(name="Hook", kind="https", config={"url": hook})
    made.keep_secret(SECRET)
    made.save()
    by, stages = User.objects.get(username="marketing"), json.loads(json.dumps(FLOW).replace(HOOK, str(made.uid)))
    for campaign in Campaign.objects.all():
        write(draft_of(campaign), stages)
        publish(campaign, by)
