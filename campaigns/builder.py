"""Building a campaign in the browser: begin or drop a draft; add, change, move, copy and remove its stages; begin a campaign, say who enters it.

Each is a plain form that leads back to the flow; with script only the flow and what stands beside it are exchanged.
"""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from campaigns import build, by_hand, words
from campaigns.flow import FORKS, ways_of
from campaigns.forms import CampaignForm, ConditionsForm, TextForm
from campaigns.found import campaign_of
from campaigns.gallery import templates
from campaigns.inspector import Inspector
from campaigns.models import Campaign, Enrollment, Stage, StageText, Version
from campaigns.pages import shown
from campaigns.splits import LEAST, set_winner
from campaigns.stage_form import form_of
from leads.models import Lead
from leads.picked import picked


def at(campaign: Campaign, stage: Stage | None = None, **more: str) -> HttpResponse:
    """Back to the flow, with a stage open beside it."""
    asked = ({"stage": str(stage.pk)} if stage else {}) | more
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return redirect(reverse("campaigns:detail", args=[campaign.slug]) + (f"?{query}#inspector" if query else ""))


def refused(request: HttpRequest, campaign: Campaign, error: ValidationError, stage: Stage | None = None) -> HttpResponse:
    messages.error(request, " ".join(error.messages))
    return at(campaign, stage)


def draft_or_404(campaign: Campaign) -> Version:
    draft = campaign.draft
    if draft is None:
        raise Http404
    return draft


def stage_of(slug: str, pk: int) -> Stage:
    """A stage of the campaign's draft."""
    stages = Stage.objects.select_related("version__campaign__storefront", "parent")
    return get_object_or_404(stages, pk=pk, version__campaign__slug=slug, version__published_at=None)


@allow(*OFFICE)
@require_POST
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin a draft from what runs, and open the stage that was open."""
    campaign = campaign_of(slug)
    made = build.draft_of(campaign)
    record(request, Kind.CHANGED, f"campaign {slug}: draft {made.number}")
    asked = request.POST.get("stage", "")
    was = Stage.objects.filter(pk=asked, version__campaign=campaign).first() if asked.isdecimal() and len(asked) < 18 else None
    return at(campaign, made.stages.filter(key=was.key).first() if was else None)


@allow(*OFFICE)
@require_POST
def drop(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = campaign_of(slug)
    if build.drop(campaign):
        record(request, Kind.CHANGED, f"campaign {slug}: draft dropped")
        messages.success(request, _("Draft dropped; what runs is unchanged"))
    return at(campaign)


@allow(*OFFICE)
@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """A stage of a kind at a place, `parent.arm.position` (parent 0: in no branch)."""
    campaign = campaign_of(slug)
    version, kind = draft_or_404(campaign), request.POST.get("kind", "")
    if kind not in NAMES:
        raise Http404
    try:
        stage = build.add(version, kind, NAMES[kind](), place_of(version, request.POST.get("place", "")), options=BEGINS.get(kind, dict)())
    except ValidationError as error:
        return refused(request, campaign, error)
    return at(campaign, stage)


NAMES: dict[str, Any] = {
    Stage.Kind.WAIT: lambda: pgettext("new stage", "Wait"), Stage.Kind.EMAIL: lambda: pgettext("new stage", "New mail"),
    Stage.Kind.BRANCH: lambda: pgettext("new stage", "Question"), Stage.Kind.SPLIT: lambda: pgettext("new stage", "Which is better"),
    Stage.Kind.TASK: lambda: pgettext("new stage", "Call them"),
    Stage.Kind.HAND_OVER: lambda: pgettext("new stage", "To sales"), Stage.Kind.SET: lambda: pgettext("new stage", "Set something"),
    Stage.Kind.NOTIFY: lambda: pgettext("new stage", "Tell a colleague"),
    Stage.Kind.WEBHOOK: lambda: pgettext("new stage", "Tell another system"),
    Stage.Kind.GOAL: lambda: pgettext("new stage", "Wait for the goal"), Stage.Kind.EXIT: lambda: pgettext("new stage", "End"),
}  # fmt: skip
BEGINS: dict[str, Any] = {
    Stage.Kind.BRANCH: lambda: {"arms": [{"name": pgettext("way out of a branch", "Yes"), "when": {}}]},
    Stage.Kind.SPLIT: lambda: {"arms": [{"name": "A", "share": 50}, {"name": "B", "share": 50}], "measure": "clicked", "auto": False, "least": LEAST},
    Stage.Kind.SET: lambda: {"status": "nurturing"},
    Stage.Kind.TASK: lambda: {"days": 1},
}


def place_of(version: Version, said: str) -> tuple[Stage | None, int, int]:
    """(branch or none, arm, position) of a place as the page writes it."""
    parts = said.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 18 for part in parts):
        raise Http404
    parent, arm, position = map(int, parts)
    branch = get_object_or_404(version.stages.filter(kind__in=FORKS), pk=parent) if parent else None
    ways = len(ways_of(branch)) if branch else 1
    if arm >= ways:
        raise Http404
    return branch, arm, position


@allow(*OFFICE)
@require_POST
def change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keep what is said about a stage; a branch's ways are added and removed here too."""
    stage = stage_of(slug, pk)
    campaign = stage.version.campaign
    form = form_of(stage, request.POST)
    if not form.is_valid():
        return render(request, "campaigns/detail.html", shown(campaign, stage.version, Inspector(stage, stage_form=form)), status=422)
    try:
        with build.building(stage.version):
            stage = build.as_it_is(stage)
            form = form_of(stage, request.POST)  # once more, on what others have left of it meanwhile
            if not form.is_valid():
                raise ValidationError([said for of_field in form.errors.values() for said in of_field])
            form.keep()
            way = request.POST.get("way", "")
            if way == "add":
                build.add_arm(stage, pgettext("way out of a branch", "Way %(n)d") % {"n": len(stage.options.get("arms", [])) + 1})
            elif way.isdecimal() and len(way) < 4:
                build.remove_arm(stage, int(way))
    except ValidationError as error:
        return refused(request, campaign, error, stage)
    return at(campaign, stage)


@allow(*OFFICE)
@require_POST
def winner(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send everybody one way of a split from now on, or let chance decide again; it holds for every version that has the split."""
    stage = get_object_or_404(Stage.objects.select_related("version__campaign"), pk=pk, version__campaign__slug=slug, kind=Stage.Kind.SPLIT)
    said = request.POST.get("arm", "")
    arm = int(said) if said.isdecimal() and len(said) < 3 and int(said) < len(stage.options.get("arms", [])) else None
    set_winner(stage, arm, who(request))
    record(request, Kind.CHANGED, f"campaign {slug}: “{stage.name}” is {'open' if arm is None else f'won by {arm}'}")
    messages.success(request, _("Chance decides again") if arm is None else _("From now on everybody goes that way"))
    return at(stage.version.campaign, stage, version=str(stage.version.number))


@allow(*OFFICE)
@require_POST
def move(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    stage = stage_of(slug, pk)
    try:
        build.move(stage, -1 if request.POST.get("by") == "up" else 1)
    except ValidationError as error:
        return refused(request, stage.version.campaign, error, stage)
    return at(stage.version.campaign, stage)


@allow(*OFFICE)
@require_POST
def duplicate(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    stage = stage_of(slug, pk)
    try:
        twin = build.duplicate(stage)
    except ValidationError as error:
        return refused(request, stage.version.campaign, error, stage)
    return at(stage.version.campaign, twin)


@allow(*OFFICE)
@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a stage out; a branch goes with all that stands on its ways."""
    stage = stage_of(slug, pk)
    try:
        gone = build.remove(stage)
    except ValidationError as error:
        return refused(request, stage.version.campaign, error, stage)
    messages.success(
        request, _("Removed: %(name)s") % {"name": stage.title} if gone == 1 else _("Removed with all on its ways: %(name)s") % {"name": stage.title}
    )
    return at(stage.version.campaign)


@allow(*OFFICE)
def text(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """Keep what an e-mail stage of the draft says in one language; whoever comes back to this address sees the stage."""
    stage = stage_of(slug, pk)
    if request.method != "POST":
        return at(stage.version.campaign, stage, language=language)
    if stage.kind != Stage.Kind.EMAIL or language not in dict(words.languages()):
        raise Http404
    campaign = stage.version.campaign
    current = StageText.objects.filter(stage=stage, language=language).first() or StageText(stage=stage, language=language)
    form = TextForm(request.POST, instance=current)
    if not form.is_valid():
        return render(request, "campaigns/detail.html", shown(campaign, stage.version, Inspector.for_text(stage, language, form)), status=422)
    with build.building(stage.version):
        there = form.keep()
    record(request, Kind.CHANGED, f"campaign {slug}: text of “{stage.name}” in {language}")
    messages.success(request, _("Text saved") if there else _("Text removed; English is sent instead"))
    return at(campaign, stage, language=language)


@allow(*OFFICE)
def new(request: HttpRequest) -> HttpResponse:
    """Begin a campaign, empty, with the stages of another, or with a course of the gallery (`?template=`)."""
    template = templates().get(request.GET.get("template", ""))
    form = CampaignForm(request.POST or None, template=template)
    if request.method == "POST" and form.is_valid():
        campaign = form.begin()
        record(request, Kind.CHANGED, f"campaign {campaign.slug} begun")
        messages.success(request, _("Begun as a draft; it sends nothing before it is published"))
        return at(campaign)
    return render(
        request, "campaigns/new.html", {"form": form, "template": template, "templates": templates().values()}, status=422 if form.errors else 200
    )


@allow(*OFFICE)
@require_POST
def put_in(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put one lead into a campaign by hand."""
    lead = get_object_or_404(Lead.objects.visible_to(who(request)), pk=pk)
    campaign = get_object_or_404(Campaign.objects.taking(), slug=request.POST.get("campaign", ""))
    if by_hand.enroll_by_hand(campaign, Lead.objects.among([lead.pk]), who(request)):
        record(request, Kind.CHANGED, f"lead {pk} into campaign {campaign.slug}")
        messages.success(request, _("Added to %(campaign)s") % {"campaign": campaign.title})
    else:
        messages.warning(request, _("It can't be added: it is closed, in it already, or of another storefront."))
    return redirect(lead)


@allow(*OFFICE)
@require_POST
def put_in_picked(request: HttpRequest) -> HttpResponse:
    """Put the ticked leads into a campaign; those that can't enter stay as they are, and how many that are is said."""
    back = redirect(reverse("leads:list") + "?" + urlencode(request.GET))
    campaign = Campaign.objects.taking().filter(slug=request.POST.get("campaign", "")).first()
    if campaign is None:
        messages.warning(request, _("Choose a campaign for the ticked leads."))
        return back
    leads = picked(request)
    total = leads.count()
    entered = by_hand.enroll_by_hand(campaign, Lead.objects.filter(pk__in=leads.order_by().values("pk")), who(request))
    record(request, Kind.CHANGED, f"{entered} leads into campaign {campaign.slug}")
    said = ngettext("%(n)d lead added to %(campaign)s", "%(n)d leads added to %(campaign)s", entered) % {"n": entered, "campaign": campaign.title}
    left = total - entered
    if left:
        said += "; " + ngettext("%(n)d can’t be", "%(n)d can’t be", left) % {"n": left}
    messages.add_message(request, messages.SUCCESS if entered else messages.WARNING, said)
    return back


@allow(*OFFICE)
@require_POST
def take_out(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take one lead out of a campaign by hand."""
    enrollment = get_object_or_404(Enrollment.objects.select_related("campaign", "lead"), pk=pk)
    if by_hand.take_out(enrollment, who(request)):
        record(request, Kind.CHANGED, f"lead {enrollment.lead_id} out of campaign {enrollment.campaign.slug}")
        messages.success(request, _("Taken out of %(campaign)s") % {"campaign": enrollment.campaign.title})
    return redirect(enrollment.lead)


@allow(*OFFICE)
def conditions(request: HttpRequest, slug: str) -> HttpResponse:
    """What the campaign is called, who enters it, when its goal is reached, and when one leaves."""
    campaign = campaign_of(slug)
    form = ConditionsForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        form.keep()
        record(request, Kind.CHANGED, f"campaign {slug}: name and conditions")
        if not form.goes_on:
            messages.success(request, _("Saved; leads that fit enter within a day, and at once when something happens on them"))
        return redirect("campaigns:conditions", slug)
    return render(request, "campaigns/conditions.html", {"campaign": campaign, "form": form}, status=422 if form.errors else 200)
