"""Pages about mail as such: the local mailbox, and who must not be written to."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.access import allow, who
from accounts.audit import Kind, listed, record
from accounts.roles import OFFICE
from campaigns import mailbox as box
from campaigns.forms import RulesForm, SuppressionForm
from campaigns.models import MailRules, Message, Suppression
from campaigns.rules import per_person

PAGE = 50


@allow(*OFFICE)
def mailbox(request: HttpRequest) -> HttpResponse:
    """What the portal wrote to files, the newest first."""
    number = request.GET.get("page", "0")
    page = min(int(number), 10_000) if number.isdecimal() and len(number) < 6 else 0
    found = box.newest(who(request), page * PAGE, PAGE + 1)
    context = {
        "mails": found[:PAGE],
        "in_use": box.in_use(),
        "newer": page - 1 if page > 1 else 0 if page else None,
        "older": page + 1 if len(found) > PAGE else None,
        "only_campaigns": not who(request).is_portal_admin,
    }
    return render(request, "campaigns/mailbox.html", context)


@allow(*OFFICE)
def mail(request: HttpRequest, key: str) -> HttpResponse:
    """One mail: its headers, and its plain text with links."""
    found = box.one(who(request), key)
    if found is None:
        raise Http404
    record(request, Kind.PERSONAL_DATA_READ, f"mail {key}")
    return render(request, "campaigns/mail.html", {"mail": found})


@allow(*OFFICE)
def rules(request: HttpRequest) -> HttpResponse:
    """How often and when campaigns may write to a person; they hold for what is planned already, too."""
    form = RulesForm(request.POST or None, instance=MailRules.current())
    if request.method == "POST" and form.is_valid():
        form.save()
        record(request, Kind.CHANGED, "mail rules")
        messages.success(request, _("Saved; every mail from now on keeps to it"))
        return redirect("campaigns:rules")
    waiting = Message.objects.filter(state=Message.State.PLANNED, reason__in=("throttled", "quiet", "domain"))
    spread, most = per_person()
    listed(request, "mail rules", len(most))
    context = {
        "form": form,
        "waiting": dict(waiting.values_list("reason").annotate(n=Count("pk")).order_by()),
        "spread": spread,
        "most": most,
    }
    return render(request, "campaigns/rules.html", context, status=422 if form.errors else 200)


@allow(*OFFICE)
def suppressions(request: HttpRequest) -> HttpResponse:
    """How many addresses are never written to, and the form for one more. There is no way to take one off: the hashes name nobody."""
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        Suppression.add(form.cleaned_data["address"], form.cleaned_data["reason"])
        record(request, Kind.CHANGED, "address suppressed")
        messages.success(request, _("No campaign writes to this address again"))
        return redirect("campaigns:suppressions")
    counted = dict(Suppression.objects.values_list("reason").annotate(n=Count("pk")).order_by())
    by_reason = [(label, counted.get(value, 0)) for value, label in Suppression.Reason.choices]
    context = {"form": form, "by_reason": by_reason, "total": sum(counted.values()), "latest": Suppression.objects.order_by("-at")[:10]}
    return render(request, "campaigns/suppressions.html", context, status=422 if form.errors else 200)
