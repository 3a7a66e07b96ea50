"""What could not be read: shown, repaired, run again. The archived bytes stay as they came."""

import uuid

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.roles import ADMIN, OFFICE
from leads import door, keyset
from leads.evidence import evidence, repairable, repaired
from leads.intake import discard as put_away
from leads.intake import intake, rerun
from leads.models import ActionCode, Disposition, Submission


class RepairForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Repaired copy"), strip=False, widget=forms.Textarea({"rows": 12, "class": "font-mono min-h-64", "spellcheck": "false"})
    )

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        if len(repaired(text)) > settings.LEAD_MAX_BYTES:
            raise forms.ValidationError(_("Longer than a lead may be."))
        return text


@allow(*OFFICE)
@require_GET
def quarantine(request: HttpRequest) -> HttpResponse:
    """Quarantined submissions with their reasons, newest first, and the action codes that nobody has named."""
    waiting = Submission.objects.visible_to(who(request)).quarantined()
    total = keyset.count(waiting)
    rows = waiting.select_related("listing", "listing__storefront").defer("body", "repair")
    page = keyset.turn(rows, "pk", request.GET.dict(), total=total)
    return render(request, "leads/quarantine.html", {"page": page, "total": total, "codes": ActionCode.objects.filter(known=False)})


def the_submission(request: HttpRequest, pk: uuid.UUID) -> Submission:
    return get_object_or_404(Submission.objects.visible_to(who(request)).select_related("listing", "listing__storefront"), pk=pk)


@allow(*OFFICE)
@require_GET
def submission(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One submission: what came, why it could not be read, and a copy to repair."""
    found = the_submission(request, pk)
    record(request, Kind.PERSONAL_DATA_READ, f"submission {found.pk}")
    is_quarantined = found.disposition == Disposition.QUARANTINED
    is_discarded = Submission.objects.discarded().filter(pk=pk).exists()
    context = {
        "submission": found, "seen": evidence(found.raw, found.content_type), "form": RepairForm(initial={"text": repairable(found)}),
        "is_quarantined": is_quarantined, "is_discarded": is_discarded,
        "can_repair": Submission.objects.repairable().filter(pk=pk).exists(), "sha256": bytes(found.sha256 or b"").hex(),
    }  # fmt: skip
    return render(request, "leads/submission.html", context)


@allow(*OFFICE)
@require_POST
def run_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the submission up once more, as it is or in a repaired copy, and say what became of it."""
    found = the_submission(request, pk)
    form = RepairForm(request.POST)
    if "repair" in request.POST and not form.is_valid():
        messages.warning(request, " ".join(map(str, form.errors["text"])))
        return redirect("leads:submission", pk)
    rerun(found, repaired(form.cleaned_data["text"]) if "repair" in request.POST else None)
    record(request, Kind.CHANGED, f"submission {found.pk} {'repaired' if 'repair' in request.POST else 'run again'}")
    intake(only=found.pk)
    door.nudge()
    found.refresh_from_db()
    return back_with_outcome(request, found)


def back_with_outcome(request: HttpRequest, found: Submission) -> HttpResponse:
    """What became of it, and the page that shows it."""
    if found.disposition == Disposition.QUARANTINED:
        messages.warning(request, _("Still not readable: %(reason)s") % {"reason": found.why})
        return redirect("leads:submission", found.pk)
    if found.disposition == Disposition.PENDING:
        messages.success(request, _("Taken up again; a worker is on it"))
        return redirect("leads:quarantine")
    messages.success(request, _("Understood: %(what)s") % {"what": found.get_disposition_display()})
    return redirect("leads:detail", found.lead_id) if found.lead_id else redirect("leads:quarantine")


@allow(*OFFICE)
@require_POST
def discard(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A person says that this is no lead; the message undoes it by taking it up again."""
    found = the_submission(request, pk)
    if put_away(found, who(request).full_name):
        record(request, Kind.CHANGED, f"submission {found.pk} discarded")
        messages.success(request, _("Discarded; the bytes stay in the archive"), extra_tags="undo:" + reverse("leads:run_again", args=[pk]))
    else:
        messages.warning(request, _("It is no longer in quarantine."))
    return redirect("leads:quarantine")


@allow(ADMIN)
@require_POST
def know_code(request: HttpRequest) -> HttpResponse:
    """An admin knows what this action code means; it is no longer listed."""
    code = request.POST.get("code", "")
    found = get_object_or_404(ActionCode, code=code)
    ActionCode.objects.filter(pk=found.pk).update(known=True)
    record(request, Kind.CHANGED, f"action code {code}")
    messages.success(request, _("%(code)s marked as known") % {"code": code})
    return redirect("leads:quarantine")
