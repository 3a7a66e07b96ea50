"""Campaigns in the browser: the list, one campaign as a flow, its messages, and its life: publish, pause, go on, end."""

import re
from html import unescape
from typing import Any
from uuid import UUID

from csp.decorators import csp
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, listed, record
from accounts.newest import newest
from accounts.roles import OFFICE
from campaigns import publish as verbs
from campaigns import words
from campaigns.changes import changes
from campaigns.dryrun import would_enter
from campaigns.figures import figures_of, message_counts, rows, stages_of
from campaigns.found import campaign_of, latest, somebody, version_of
from campaigns.inspector import STAGE_WORDS, Inspector
from campaigns.kinds import faults
from campaigns.models import Campaign, Enrollment, Message, Sender, Stage, StageText, Version
from campaigns.send import letter
from campaigns.settle import settle
from leads import keyset
from leads.wording import in_words
from listings.models import Publisher

# A mail brings its own styles; it runs nothing and loads nothing.
MAIL_POLICY = {"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "img-src": ["data:"], "frame-ancestors": ["'self'"], "sandbox": True}


@allow(*OFFICE)
def campaigns(request: HttpRequest) -> HttpResponse:
    """Every campaign with what it does and for how many."""
    found = rows()
    return render(request, "campaigns/list.html", {"rows": found, "sender": bool(Sender.served()), "uncertain": sum(row.uncertain for row in found)})


@allow(*OFFICE)
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One campaign, read downwards: its draft if there is one, else what runs, or the version of `?version=`; the stage of `?stage=` is open beside it,
    in the language of `?language=`."""
    campaign = campaign_of(slug)
    version = version_of(campaign, request.GET.get("version", ""))
    return render(request, "campaigns/detail.html", shown(campaign, version, Inspector.of(version, request.GET)))


def shown(campaign: Campaign, version: Version, inspector: Inspector) -> dict[str, Any]:
    """What the page of a campaign needs. A draft shows the figures of what runs, and what still keeps it from being published."""
    figures = figures_of(version, campaign.current if version.is_draft else None)
    counts = message_counts(campaign)
    wrong = faults(figures.flow) if version.is_draft else []
    versions = list(campaign.versions.all())[::-1]
    before = next((one for one in versions if one.number < version.number), None)
    return {
        "campaign": campaign,
        "version": version,
        "versions": versions[:20],
        "before": before,
        "changes": changes(before, version) if before and not inspector.stage else [],
        "editable": version.is_draft,
        "flow": figures,
        "faults": wrong,
        "faulty": {stage.pk for stage, _fault in wrong if stage},
        "inspector": inspector,
        "kinds": [(kind.value, kind.label, STAGE_WORDS[kind]()) for kind in Stage.Kind],
        "entry": in_words(campaign.entry),
        "goal": in_words(campaign.goal) if campaign.goal else "",
        "exit": in_words(campaign.exit) if campaign.exit else "",
        "message_counts": [(state, label, counts.get(state, 0)) for state, label in Message.State.choices],
    }


@allow(*OFFICE)
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, with what it would mean; then let the campaign run, or say why not."""
    campaign, refusals = campaign_of(slug), None
    if campaign.state == Campaign.State.PUBLISHED and not campaign.draft:
        return redirect("campaigns:detail", slug)
    version = campaign.draft or campaign.version
    if request.method == "POST":
        try:
            waiting = verbs.publish(campaign, who(request))
        except ValidationError as error:
            refusals = error.messages
        else:
            record(request, Kind.CHANGED, f"campaign {slug} published")
            said = (
                _("Published; %(n)d people are on their way") % {"n": waiting}
                if waiting
                else _("Published; who should be in it enters within moments")
            )
            messages.success(request, said)
            return redirect("campaigns:detail", slug)
    figures = figures_of(campaign.current or version)
    context = {
        "campaign": campaign, "version": version, "flow": figures,
        "refusals": verbs.refusals_of(version) if refusals is None else refusals, "refused": refusals is not None, "sender": campaign.writes_from, "missing": missing(version),
        "sends": version.stages.filter(kind=Stage.Kind.EMAIL).exists(),
        "is_new_version": bool(campaign.current and version.is_draft),
        "entering": None if campaign.current else keyset.count(would_enter(campaign)),
    }  # fmt: skip
    return render(request, "campaigns/publish.html", context, status=200 if refusals is None else 422)


def missing(version: Version) -> list[tuple[str, list[str]]]:
    """E-mail stages that lack a language, with the names of those they lack."""
    stages = version.stages.filter(kind=Stage.Kind.EMAIL).prefetch_related("texts")
    lacking = [(stage.name, words.missing_languages(stage)) for stage in stages]
    return [(name, languages) for name, languages in lacking if languages]


@allow(*OFFICE)
@require_POST
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = campaign_of(slug)
    if verbs.pause(campaign):
        record(request, Kind.CHANGED, f"campaign {slug} paused")
        messages.success(request, _("Paused; nobody moves and nothing is sent"))
    return redirect("campaigns:detail", slug)


@allow(*OFFICE)
@require_POST
def resume(request: HttpRequest, slug: str) -> HttpResponse:
    """Let a paused campaign run again as it was; with a draft, or before it ever ran, it is published instead, with a look at what that means."""
    campaign = campaign_of(slug)
    if campaign.state != Campaign.State.PAUSED or campaign.draft or campaign.current is None:
        return redirect("campaigns:publish", slug)
    try:
        waiting = verbs.publish(campaign, who(request))
    except ValidationError:
        return redirect("campaigns:publish", slug)
    record(request, Kind.CHANGED, f"campaign {slug} resumed")
    messages.success(request, _("Goes on; %(n)d people are on their way") % {"n": waiting})
    return redirect("campaigns:detail", slug)


@allow(*OFFICE)
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, with what it would mean; then close the campaign for good."""
    campaign = campaign_of(slug)
    if campaign.state in (Campaign.State.ENDED, Campaign.State.DRAFT):
        return redirect("campaigns:detail", slug)
    if request.method == "POST":
        gone = verbs.end(campaign)
        record(request, Kind.CHANGED, f"campaign {slug} ended")
        messages.success(request, _("Ended; %(n)d people left it") % {"n": gone})
        return redirect("campaigns:detail", slug)
    return render(request, "campaigns/end.html", {"campaign": campaign, "inside": Enrollment.objects.filter(campaign=campaign).running().count()})


@allow(*OFFICE)
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """The campaign's messages, newest first, by state; the uncertain ones wait for a person."""
    campaign, state = campaign_of(slug), request.GET.get("state", "")
    found = Message.objects.filter(stage__in=stages_of(campaign)).select_related("stage", "enrollment__lead__contact__company")
    page = newest(found.filter(state=state) if state else found, request.GET)
    listed(request, f"messages of {slug}", len(page.rows))
    counts = message_counts(campaign)
    choices = [(value, label, counts.get(value, 0)) for value, label in Message.State.choices]
    context = {"campaign": campaign, "state": state, "page": page, "choices": choices, "total": sum(counts.values())}
    return render(request, "campaigns/messages.html", context)


@allow(*OFFICE)
@require_POST
def decide(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """A person says what became of an uncertain message. It is never sent again either way."""
    message = get_object_or_404(Message, pk=pk, stage__version__campaign__slug=slug)
    went_out = request.POST.get("went_out") == "1"
    if settle(message, went_out, who(request)):
        record(request, Kind.CHANGED, f"message {pk} marked as {'sent' if went_out else 'not sent'}")
        messages.success(request, _("Marked as sent") if went_out else _("Marked as not sent"))
    else:
        messages.warning(request, _("This message is no longer uncertain; somebody decided already."))
    return redirect(f"{reverse('campaigns:messages', args=[slug])}?state=uncertain")


@allow(*OFFICE)
def preview(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """The mail as one real person would get it; reading it is written down. `?as=` text, phone or dark shows it so."""
    stage, written = text_of(slug, pk, language)
    campaign = stage.version.campaign
    lead = somebody(campaign, request.GET.get("lead", ""))
    mail = letter(written, lead, Publisher.current().name, words.absolute("/unsubscribe/…")) if lead else None
    if lead:
        record(request, Kind.PERSONAL_DATA_READ, f"lead {lead.pk}, mail preview")
    texts = [(code, name) for code, name in words.languages() if any(one.language == code for one in stage.texts.all())]
    look = request.GET.get("as", "")
    context = {"stage": stage, "campaign": campaign, "language": language, "lead": lead, "mail": mail, "languages": texts}
    context |= {"look": look if look in dict(LOOKS) else "", "looks": LOOKS, "links": links(mail[2]) if mail else []}
    return render(request, "campaigns/preview.html", context | {"sender": campaign.writes_from, "others": latest(campaign, 8) if lead else []})


LOOKS = (
    ("", pgettext_lazy("how a mail is shown", "Desktop")), ("phone", pgettext_lazy("how a mail is shown", "Phone")),
    ("dark", pgettext_lazy("how a mail is shown", "Dark")), ("text", pgettext_lazy("how a mail is shown", "Text only")),
)  # fmt: skip


def text_of(slug: str, pk: int, language: str) -> tuple[Stage, StageText]:
    """A mail stage of the campaign, of any version, and its text in a language."""
    stages = Stage.objects.select_related("version__campaign__storefront")
    stage = get_object_or_404(stages, version__campaign__slug=slug, pk=pk, kind=Stage.Kind.EMAIL)
    return stage, get_object_or_404(StageText, stage=stage, language=language)


def links(html: str) -> list[str]:
    """Where the mail leads, each address once; what is not a whole address of the web is a link that leads nowhere."""
    return [unescape(one) for one in dict.fromkeys(re.findall(r'<a [^>]*href="([^"]*)"', html))]


@allow(*OFFICE)
@xframe_options_sameorigin
@csp(MAIL_POLICY)  # type: ignore[arg-type]
def preview_html(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """The HTML of the mail by itself, for the frame of the preview: shown and never run, and it may load nothing."""
    stage, written = text_of(slug, pk, language)
    lead = somebody(stage.version.campaign, request.GET.get("lead", ""))
    if lead is None:
        raise Http404
    html = letter(written, lead, Publisher.current().name, words.absolute("/unsubscribe/…"))[2]
    # The frame has the scheme of the reader's own screen, whatever look was chosen.
    return HttpResponse(html.replace("(prefers-color-scheme: dark)", "all" if request.GET.get("as") == "dark" else "not all"))
