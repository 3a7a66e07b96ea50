"""Campaigns in the browser: the list, one campaign as a flow, its texts and messages, and the two verbs, publish and pause."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.newest import newest
from accounts.roles import OFFICE
from campaigns import publish as verbs
from campaigns import words
from campaigns.figures import flow_of, message_counts, rows
from campaigns.forms import TextForm
from campaigns.inspector import Inspector
from campaigns.models import Campaign, Enrollment, Message, Sender, Stage, StageText
from campaigns.send import letter
from campaigns.settle import settle
from leads.models import Lead
from leads.wording import in_words
from listings.models import Publisher


def campaign_of(slug: str) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("storefront", "published_by"), slug=slug)


@allow(*OFFICE)
def campaigns(request: HttpRequest) -> HttpResponse:
    """Every campaign with what it does and for how many."""
    found = rows()
    return render(request, "campaigns/list.html", {"rows": found, "sender": Sender.verified(), "uncertain": sum(row.uncertain for row in found)})


@allow(*OFFICE)
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One campaign, read downwards; the stage of `?stage=` is open beside it, in the language of `?language=`."""
    campaign = campaign_of(slug)
    return render(request, "campaigns/detail.html", shown(campaign, Inspector.of(campaign, request.GET)))


def shown(campaign: Campaign, inspector: Inspector) -> dict[str, Any]:
    flow, counts = flow_of(campaign), message_counts(campaign)
    return {
        "campaign": campaign,
        "flow": flow,
        "inspector": inspector,
        "entry": in_words(campaign.entry),
        "goal": in_words(campaign.goal) if campaign.goal else "",
        "message_counts": [(state, label, counts.get(state, 0)) for state, label in Message.State.choices],
    }


@allow(*OFFICE)
@require_POST
def text(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """Keep what an e-mail stage says in one language."""
    campaign = campaign_of(slug)
    stage = get_object_or_404(campaign.stages.filter(kind=Stage.Kind.EMAIL), pk=pk)
    if language not in dict(words.languages()):
        raise Http404
    current = StageText.objects.filter(stage=stage, language=language).first() or StageText(stage=stage, language=language)
    form = TextForm(request.POST, instance=current)
    if not form.is_valid():
        return render(request, "campaigns/detail.html", shown(campaign, Inspector.for_text(stage, language, form)), status=422)
    there = form.keep()
    record(request, Kind.CHANGED, f"campaign {slug}: text of “{stage.name}” in {language}")
    messages.success(request, said(campaign, there))
    return redirect(f"{reverse('campaigns:detail', args=[slug])}?stage={pk}&language={language}")


def said(campaign: Campaign, there: bool) -> str:
    """What a saved text means: of a published campaign it is at work at once."""
    if not there:
        return _("Text removed; English is sent instead")
    return _("Text saved; every mail from now on says it") if campaign.state == Campaign.State.PUBLISHED else _("Text saved")


@allow(*OFFICE)
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, with what it would mean; then let the campaign run, or say why not."""
    campaign, refusal = campaign_of(slug), ""
    if campaign.state == Campaign.State.PUBLISHED:
        return redirect("campaigns:detail", slug)
    if request.method == "POST":
        try:
            waiting = verbs.publish(campaign, who(request))
        except ValidationError as error:
            refusal = " ".join(error.messages)
        else:
            record(request, Kind.CHANGED, f"campaign {slug} published")
            messages.success(request, _("Published; %(n)d people are on their way") % {"n": waiting})
            return redirect("campaigns:detail", slug)
    context = {"campaign": campaign, "flow": flow_of(campaign), "refusal": refusal, "sender": Sender.verified(), "missing": missing(campaign)}
    return render(request, "campaigns/publish.html", context, status=422 if refusal else 200)


def missing(campaign: Campaign) -> list[tuple[str, list[str]]]:
    """E-mail stages that lack a language, with the names of those they lack."""
    stages = campaign.stages.filter(kind=Stage.Kind.EMAIL).prefetch_related("texts")
    lacking = [(stage.name, words.missing_languages(stage)) for stage in stages]
    return [(name, languages) for name, languages in lacking if languages]


@allow(*OFFICE)
@require_POST
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = campaign_of(slug)
    verbs.pause(campaign)
    record(request, Kind.CHANGED, f"campaign {slug} paused")
    messages.success(request, _("Paused; nobody moves and nothing is sent"))
    return redirect("campaigns:detail", slug)


@allow(*OFFICE)
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """The campaign's messages, newest first, by state; the uncertain ones wait for a person."""
    campaign, state = campaign_of(slug), request.GET.get("state", "")
    stages = list(campaign.stages.values_list("pk", flat=True))
    found = Message.objects.filter(stage__in=stages).select_related("stage", "enrollment__lead__contact__company")
    page = newest(found.filter(state=state) if state else found, request.GET)
    counts = message_counts(campaign)
    choices = [(value, label, counts.get(value, 0)) for value, label in Message.State.choices]
    context = {"campaign": campaign, "state": state, "page": page, "choices": choices, "total": sum(counts.values())}
    return render(request, "campaigns/messages.html", context)


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


@allow(*OFFICE)
@require_POST
def decide(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """A person says what became of an uncertain message. It is never sent again either way."""
    message = get_object_or_404(Message, pk=pk, stage__campaign__slug=slug)
    went_out = request.POST.get("went_out") == "1"
    if settle(message, went_out, who(request)):
        record(request, Kind.CHANGED, f"message {pk} marked as {'sent' if went_out else 'not sent'}")
        messages.success(request, _("Marked as sent") if went_out else _("Marked as not sent"))
    else:
        messages.warning(request, _("This message is no longer uncertain; somebody decided already."))
    return redirect(f"{reverse('campaigns:messages', args=[slug])}?state=uncertain")


@allow(*OFFICE)
def preview(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """The mail as one real person would get it; reading it is written down."""
    stage = get_object_or_404(Stage.objects.select_related("campaign__storefront"), campaign__slug=slug, pk=pk, kind=Stage.Kind.EMAIL)
    written = get_object_or_404(StageText, stage=stage, language=language)
    lead = somebody(stage.campaign, request.GET.get("lead", ""))
    mail = letter(written, lead, Publisher.current().name, words.absolute("/unsubscribe/…")) if lead else None
    if lead:
        record(request, Kind.PERSONAL_DATA_READ, f"lead {lead.pk}, mail preview")
    texts = [(code, name) for code, name in words.languages() if any(one.language == code for one in stage.texts.all())]
    context = {"stage": stage, "campaign": stage.campaign, "language": language, "lead": lead, "mail": mail, "languages": texts}
    return render(request, "campaigns/preview.html", context | {"sender": Sender.verified(), "others": others(stage.campaign, lead)})


def somebody(campaign: Campaign, asked: str) -> Lead | None:
    """The lead asked for, if it is in the campaign; else the one who entered last and has an address."""
    enrolled = Enrollment.objects.filter(campaign=campaign).exclude(lead__contact__email="")
    if asked:
        enrolled = enrolled.filter(lead=uuid_of(asked))
    lead = enrolled.order_by("-id").values_list("lead", flat=True).first()
    return Lead.objects.for_list().filter(pk=lead).first() if lead else None


def others(campaign: Campaign, lead: Lead | None) -> list[Lead]:
    """A few more people to try the text with."""
    enrolled = Enrollment.objects.filter(campaign=campaign).exclude(lead__contact__email="")
    latest = enrolled.order_by("-id").values_list("lead", flat=True)[:8]
    return list(Lead.objects.for_list().filter(pk__in=list(latest))) if lead else []
