"""Before it counts: the dry run of a version, and what moving those in flight would mean."""

from email.utils import formataddr
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.models import User
from accounts.roles import OFFICE
from campaigns import words
from campaigns.dryrun import DAYS, MOST, DryRun, dry_run, of_last_quarter, would_enter
from campaigns.figures import figures_of
from campaigns.found import campaign_of, latest, somebody, uuid_of, version_of
from campaigns.inflight import landings, move_in_flight
from campaigns.models import Campaign, Enrollment, StageText, Version
from campaigns.send import letter
from leads.filters import asked_in
from leads.lists import chosen
from leads.models import Lead
from listings.models import Publisher


@allow(*OFFICE)
def dry(request: HttpRequest, slug: str) -> HttpResponse:
    """The way of one lead or of a list of them (`?lead=` is the address of its page), of those who would enter now, or (`?who=inside`) of those who are in
    it, as if they came today, or (`?who=past`) what it would have done to the leads of the last quarter. Writes nothing."""
    campaign = campaign_of(slug)
    version = version_of(campaign, request.GET.get("version", ""))
    asked, whom = request.GET.get("lead", "").strip(), request.GET.get("who", "")
    try:
        ran = tried(version, who(request), asked, whom)
    except Http404:
        ran = dry_run(version, Lead.objects.none())  # the page says that there is no such lead, beside what was typed
    if ran.total and asked:
        record(request, Kind.PERSONAL_DATA_READ, f"{described(asked)}, dry run of {slug}")
    figures = figures_of(version)
    reached = ran.at
    context = {
        "campaign": campaign, "version": version, "ran": ran, "asked": asked, "whom": whom, "days": DAYS, "most": MOST,
        "stages": [(one.stage, reached[one.stage.pk]) for one in figures.standings], "path": ran.paths[0] if asked and ran.total == 1 else None,
        "others": latest(campaign, 8),
    }  # fmt: skip
    return render(request, "campaigns/dry_run.html", context)


def tried(version: Version, user: User, asked: str, whom: str) -> DryRun:
    """The dry run of those whom an address or one of the words `inside` and `past` means; else of those who would enter now. Raises Http404 for an
    address that means nobody."""
    campaign = version.campaign
    if asked:
        return dry_run(version, meant_by(asked, user))
    if whom == "inside":
        return dry_run(version, Lead.objects.visible_to(user).filter(pk__in=latest_inside(campaign)))
    return dry_run(version, of_last_quarter(campaign), past=True) if whom == "past" else dry_run(version, would_enter(campaign))


def meant_by(address: str, user: User) -> QuerySet[Lead]:
    """The leads that an address stands for: one by its page or its id, or those of a list with the filters that it shows."""
    seen, meant = Lead.objects.visible_to(user), read(address)
    return seen.filter(pk=meant) if isinstance(meant, UUID) else chosen(seen, meant)


def read(address: str) -> UUID | dict[str, str]:
    """The one lead, or the filters of the list, that an address names. Raises Http404 for anything else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise Http404 from None
    last = parts.path.rstrip("/").rpartition("/")[2]
    return asked_in(QueryDict(parts.query)) if last == "leads" else uuid_of(last)


def described(address: str) -> str:
    """For the audit: the lead, or by what a list was filtered. What was searched for may be somebody's address, and stays out of it."""
    meant = read(address)
    return f"lead {meant}" if isinstance(meant, UUID) else f"leads by {', '.join(sorted(meant)) or 'nothing'}"


def latest_inside(campaign: Campaign) -> list[UUID]:
    """The leads that entered last."""
    return list(Enrollment.objects.filter(campaign=campaign).order_by("-id").values_list("lead", flat=True)[:MOST])


@allow(*OFFICE)
@require_POST
def send_test(request: HttpRequest, slug: str, pk: int, language: str) -> HttpResponse:
    """One mail, as the person of the preview would get it, to whoever asks. It is no message of the campaign, and its way out unsubscribes nobody."""
    written = get_object_or_404(
        StageText.objects.select_related("stage__version__campaign"), stage=pk, language=language, stage__version__campaign__slug=slug
    )
    user, back = who(request), redirect("campaigns:preview", slug, pk, language)
    campaign = written.stage.version.campaign
    lead, sender = somebody(campaign, request.POST.get("lead", "")), campaign.writes_from
    if not (user.email and lead and sender):
        missing = (
            _("You have no e-mail address here.")
            if not user.email
            else _("No sender address is verified.")
            if not sender
            else _("Nobody is in the campaign yet.")
        )
        messages.error(request, missing)
        return back
    publisher = Publisher.current().name
    subject, body, html = letter(written, lead, publisher, words.absolute("/unsubscribe/…"))
    mail = EmailMultiAlternatives(
        _("Test: %(subject)s") % {"subject": subject}, body, formataddr((sender.name or publisher, sender.address)), [user.email]
    )
    mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    except OSError as error:
        messages.error(request, _("The mail server did not take it: %(error)s") % {"error": error})
        return back
    record(request, Kind.PERSONAL_DATA_READ, f"lead {lead.pk}, test mail of {slug}")
    messages.success(request, _("Test sent to %(address)s") % {"address": user.email})
    return back


@allow(*OFFICE)
def in_flight(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is on an earlier version, where each would land in the one that runs, and what that skips or repeats; then move them."""
    campaign = campaign_of(slug)
    if request.method == "POST":
        try:
            moved = move_in_flight(campaign)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            record(request, Kind.CHANGED, f"campaign {slug}: {moved} in flight moved")
            messages.success(request, _("Moved: %(n)d people go on with the version that runs") % {"n": moved})
        return redirect("campaigns:detail", slug)
    found = landings(campaign)
    context = {"campaign": campaign, "landings": found, "people": sum(one.people for one in found)}
    return render(request, "campaigns/in_flight.html", context)
