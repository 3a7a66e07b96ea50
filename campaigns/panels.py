"""Beside a lead: the campaigns it is in, stage by stage, and whether its person may be written to."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from campaigns.clock import zone_of
from campaigns.flow import Flow
from campaigns.models import Campaign, Enrollment, Stage, Suppression
from leads.models import Lead
from leads.panels import Context, Data, panel
from leads.wording import in_words

Status = Enrollment.Status


@panel("campaigns", 30, "rail", "campaigns/_enrollments.html")
def enrollments(context: Context) -> Data | None:
    """Each enrollment with the stages passed, the one it stands at, and the ones to come."""
    lead = context.lead
    if lead is None:
        return None
    found = (
        Enrollment.objects.filter(lead=lead)
        .select_related("campaign", "stage__version", "lead__contact")
        .prefetch_related("stage__version__stages")
        .order_by("-entered_at")
    )
    told = [tell(one) for one in found]
    unwanted = bool(lead.contact.email) and Suppression.holds(lead.contact.email)
    addable = addable_to(lead, found) if context.user.sees_all else []
    more = {"unwanted": unwanted, "may_open": context.user.sees_all, "addable": addable, "lead": lead}
    return {"enrollments": told, **more} if told or unwanted or addable else None


@panel("into_campaign", 10, "bulk", "campaigns/_bulk.html")
def into_campaign(context: Context) -> Data | None:
    """The campaigns that ticked leads may be put into."""
    found = list(Campaign.objects.taking()) if context.user.sees_all else []
    return {"campaigns": found} if found else None


def addable_to(lead: Lead, enrollments: Iterable[Enrollment]) -> list[Campaign]:
    """The campaigns of the storefront that a person may put the lead into."""
    inside = {one.campaign_id for one in enrollments if one.ended_at is None}
    return list(Campaign.objects.taking().filter(storefront=lead.listing.storefront_id).exclude(pk__in=inside)) if lead.is_open else []


def tell(enrollment: Enrollment) -> dict[str, Any]:
    """An enrollment in words: done, now and next of its stages, and what it waits for."""
    stages = walk_of(enrollment)
    number = next((place for place, (stage, _state) in enumerate(stages, 1) if stage.pk == enrollment.stage_id), 1)
    return {
        "enrollment": enrollment, "campaign": enrollment.campaign, "stages": stages, "number": number, "total": len(stages),
        "why": why(enrollment), "over": enrollment.ended_at is not None,
    }  # fmt: skip


def walk_of(enrollment: Enrollment) -> list[tuple[Stage, str]]:
    """The stages of its version as they are read, each `done`, `now` or `next`; of a branch only the arm that it went into, or may yet go into."""
    flow = Flow.of(enrollment.stage.version.stages.all())
    there = flow.steps[enrollment.stage_id].stage
    order = {pk: place for place, pk in enumerate(flow.steps)}
    return [(step.stage, state_of(order[step.stage.pk] - order[there.pk], enrollment)) for step in flow.around(there)]


def state_of(distance: int, enrollment: Enrollment) -> str:
    """`done`, `now` or `next`. Where somebody left, nothing is done or now."""
    if distance:
        return "done" if distance < 0 else "next"
    return "now" if enrollment.ended_at is None else "next" if enrollment.status == Status.EXITED else "done"


def why(enrollment: Enrollment) -> str:
    """Why it does not move, if it does not."""
    if enrollment.status == Status.HELD:
        return _("Held while a seller is on it")
    if enrollment.status == Status.EXITED:
        words = {
            "lead_closed": _("Left: the lead was closed"),
            "by_hand": _("Taken out by a person"),
            "campaign_over": _("Left: the campaign was ended"),
            "exit": _("Left: no longer meant"),
        }
        return words.get(enrollment.reason) or _("Left the campaign")
    if enrollment.status == Status.REACHED:
        return _("Reached the goal")
    if enrollment.status == Status.ENDED:
        return _("Went through to the end")
    state = enrollment.campaign.state
    if state == "published":
        return waits_for(enrollment)
    return _("Waits: the campaign is paused") if state == "paused" else _("Waits until the campaign is published")


def waits_for(enrollment: Enrollment) -> str:
    """What an enrollment that moves by itself stands here for; until when stands beside it."""
    stage = enrollment.stage
    if stage.options.get("until"):
        return _("Waits until: %(condition)s") % {"condition": in_words(stage.options["until"])}
    if "minute" in stage.options:
        return _("Waits for the hour asked for in %(zone)s, taken from their country") % {"zone": zone_of(enrollment.lead.contact.country)}
    return _("Waits for the goal") if stage.kind == Stage.Kind.GOAL else ""
