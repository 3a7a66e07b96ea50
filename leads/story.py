"""The timeline in words: each kind of activity as a headline and, where there is more to say, a second line, in the reader's language."""

from collections.abc import Callable
from typing import Any

from babel import numbers
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from leads.models import Activity, Cluster, Contact, Status
from listings.days import locale

Data = dict[str, Any]
Telling = tuple[str, str]
THEIRS = ("acted", "asked_neighbour", "clicked", "mail_complained", "mail_unsubscribed", "mail_opened", "mail_replied")
OURS = ("noted", "called", "wrote", "task_done", "edited", "handled")  # also when whoever did it is gone


def tell(activity: Activity) -> Telling:
    """(headline, second line). A kind that nobody knows any more shows its name."""
    telling = TELLINGS.get(activity.kind)
    return telling(activity.data) if telling else (activity.kind, "")


def sentence(activity: Activity) -> str:
    """Both lines as one."""
    return ". ".join(filter(None, tell(activity)))


def side(activity: Activity) -> str:
    """Whose doing it was: `theirs` (the buyer's), `ours` (a person of the publisher), or `system`."""
    if activity.kind in THEIRS:
        return "theirs"
    return "ours" if activity.actor_id or activity.kind in OURS else "system"


def action_words(action: str) -> str:
    """What a buyer did, by the storefront's action code."""
    words = {
        "INS": _("Get it now"),
        "PLT": _("Contact me"),
        "Create": _("Purchased in the Azure portal"),
        "StartTestDrive": _("Test drive started"),
        "DNC": _("Asked a neighbour"),
    }
    return words.get(action) or (_("Act %(code)s") % {"code": action} if action else _("Act without a code"))


def named(data: Data, what: str) -> str:
    """A name as it was written down; one that was shipped with the portal, in the reader's language."""
    return _(data[what]) if data.get(what) else ""


def by_campaign(data: Data) -> str:
    """The campaign and its stage that did something, where one did."""
    return ": ".join(filter(None, (named(data, "campaign"), named(data, "stage"))))


def label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def acted(data: Data) -> Telling:
    source = "-".join(filter(None, (data.get("source"), data.get("action"))))
    said = _("“%(words)s”") % {"words": data["said"]} if data.get("said") else ""
    act = action_words(data.get("action", ""))
    return (_("%(act)s, %(source)s") % {"act": act, "source": source} if source else act), said


def scored(data: Data) -> Telling:
    cluster = label(Cluster, data.get("cluster", ""))
    if data.get("was") is None:
        return _("Score %(score)d, %(cluster)s") % {"score": data["score"], "cluster": cluster}, ""
    return _("Score %(was)d → %(score)d, %(cluster)s") % {"was": data["was"], "score": data["score"], "cluster": cluster}, ""


def assigned(data: Data) -> Telling:
    """Who got it, and from whom. Older lines don't name the owner."""
    if not data.get("owner"):
        return _("Taken from its owner"), ""
    to, by = data.get("to", ""), named(data, "campaign") if data.get("code") == "by_campaign" else data.get("by", "")
    if data.get("code") == "by_campaign" or data.get("code") == "by_hand":
        said = _("Given to %(to)s by %(name)s") if to else _("Owner set by %(name)s")
        return said % {"to": to, "name": by}, named(data, "stage") if data["code"] == "by_campaign" else ""
    return (_("Given to %(to)s, clock started") % {"to": to} if to else _("Got an owner, clock started")), ""


def status(data: Data) -> Telling:
    return _("Status %(was)s → %(status)s") % {"was": label(Status, data["was"]), "status": label(Status, data["status"])}, by_campaign(data)


def valued(data: Data) -> Telling:
    was, value = (numbers.format_decimal(data[name], locale=locale()) if data.get(name) else "–" for name in ("was", "value"))
    return _("Expected value %(was)s → %(value)s") % {"was": was, "value": value}, ""


def called(data: Data) -> Telling:
    return (_("Called and reached them") if data.get("reached", True) else _("Called, nobody answered")), data.get("note", "")


def noted(data: Data) -> Telling:
    return _("Note"), data.get("note", "")


def edited(data: Data) -> Telling:
    """Title: CTO → CEO."""
    labels = {field.name: str(field.verbose_name) for field in Contact._meta.concrete_fields}
    told = [f"{capfirst(labels.get(name, name))}: {was or '–'} → {now or '–'}" for name, was, now in data.get("changes", [])]
    return _("Contact corrected"), "; ".join(told)


def delivery_dead(data: Data) -> Telling:
    return _("%(destination)s did not take it") % {"destination": data.get("destination", "")}, data.get("error", "")


def mailed(data: Data) -> Telling:
    return _("Mail “%(subject)s” sent") % {"subject": data.get("subject", "")}, named(data, "stage")


TELLINGS: dict[str, Callable[[Data], Telling]] = {
    "acted": acted,
    "scored": scored,
    "assigned": assigned,
    "status": status,
    "called": called,
    "noted": noted,
    "delivery_dead": delivery_dead,
    "mailed": mailed,
    "hurried": lambda data: (_("To be answered sooner: a demand campaign asks for it"), ""),
    "valued": valued,
    "tagged": lambda data: (_("Tagged “%(tag)s”") % {"tag": data.get("tag", "")}, by_campaign(data)),
    "untagged": lambda data: (_("Tag “%(tag)s” removed") % {"tag": data.get("tag", "")}, by_campaign(data)),
    "bonus": lambda data: (_("Score bonus %(points)+d") % {"points": data.get("points", 0)}, by_campaign(data)),
    "wrote": lambda data: (_("Wrote to them"), data.get("note", "")),
    "edited": edited,
    "asked_neighbour": lambda data: (_("Asked a neighbour: do not contact about that request"), ""),
    "enrolled": lambda data: (_("Entered %(campaign)s") % {"campaign": named(data, "campaign")}, ""),
    "left_campaign": lambda data: (_("Taken out of %(campaign)s") % {"campaign": named(data, "campaign")}, ""),
    "no_longer_meant": lambda data: (_("Left %(campaign)s: it is no longer meant for this lead") % {"campaign": named(data, "campaign")}, ""),
    "goal_reached": lambda data: (_("Reached the goal of %(campaign)s") % {"campaign": named(data, "campaign")}, ""),
    "handed_to_sales": lambda data: (_("Handed to sales by %(campaign)s") % {"campaign": named(data, "campaign")}, named(data, "stage")),
    "campaign_ended": lambda data: (_("%(campaign)s ended") % {"campaign": named(data, "campaign")}, ""),
    "clicked": lambda data: (_("Opened a link of “%(subject)s”") % {"subject": data.get("subject", "")}, data.get("url", "")),
    "mail_bounced": lambda data: (
        _("Mail “%(subject)s” bounced: the address is written to no more") % {"subject": data.get("subject", "")},
        data.get("reason", ""),
    ),
    "mail_soft_bounced": lambda data: (_("Mail “%(subject)s” bounced for now") % {"subject": data.get("subject", "")}, data.get("reason", "")),
    "mail_complained": lambda data: (_("Called the mail “%(subject)s” spam") % {"subject": data.get("subject", "")}, ""),
    "mail_unsubscribed": lambda data: (_("Unsubscribed by the mail “%(subject)s”") % {"subject": data.get("subject", "")}, ""),
    "mail_opened": lambda data: (_("Opened the mail “%(subject)s”") % {"subject": data.get("subject", "")}, ""),
    "mail_replied": lambda data: (_("Replied to the mail “%(subject)s”") % {"subject": data.get("subject", "")}, data.get("reason", "")),
    "task_made": lambda data: (_("Task: %(title)s") % {"title": named(data, "stage")}, ""),
    "task_done": lambda data: (_("Task done: %(title)s") % {"title": named(data, "stage")}, ""),
    "delivered": lambda data: (_("Delivered to %(destination)s") % {"destination": data.get("destination", "")}, ""),
    "handled": lambda data: (_("%(destination)s: handled by hand") % {"destination": data.get("destination", "")}, data.get("reason", "")),
}
