"""Strategies and demand activities in the browser: what is meant, what is done for it, what it brought and cost."""

import io

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow
from accounts.audit import Kind, listed, record
from accounts.roles import OFFICE
from campaigns.attribute import attribute_anew
from campaigns.found import campaign_of
from campaigns.go import target
from campaigns.models import Cost, DemandActivity, Strategy, Target, Touch
from campaigns.models.plan import MOST_TARGETS
from campaigns.plan_forms import ActivityForm, CostForm, StrategyForm, TargetForm
from campaigns.returns import plan_of, plans_of, returns
from campaigns.words import absolute


@allow(*OFFICE)
def activities(request: HttpRequest) -> HttpResponse:
    """Every demand activity with what it brought and cost."""
    found = returns(DemandActivity.objects.select_related("listing__storefront", "strategy"))
    return render(request, "campaigns/activities.html", {"returns": found})


@allow(*OFFICE)
def activity_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make an activity or change one; what came in its time is attributed anew."""
    instance = get_object_or_404(DemandActivity, pk=pk) if pk else None
    form = ActivityForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        activity = form.save()
        n = attribute_anew(activity)
        record(request, Kind.CHANGED, f"demand activity {activity.code}")
        messages.success(request, _("Saved; %(n)d acts were attributed anew") % {"n": n})
        return redirect(activity)
    return render(request, "campaigns/activity_form.html", {"form": form, "activity": instance}, status=422 if form.errors else 200)


@allow(*OFFICE)
def activity(request: HttpRequest, pk: int) -> HttpResponse:
    """One activity: its tracked link, its figures, its costs, and who came last."""
    found = get_object_or_404(DemandActivity.objects.select_related("listing__storefront", "strategy"), pk=pk)
    form = cost_form(request, Cost(activity=found), f"demand activity {found.code}")
    if form.is_valid():
        return redirect(found)
    latest = list(Touch.objects.filter(activity=found).select_related("lead__contact__company", "lead__listing").order_by("-at")[:20])
    listed(request, f"demand activity {found.code}", len(latest))
    context = {
        "activity": found, "one": returns([found])[0], "costs": found.costs.all(), "form": form, "touches": latest,
        "link": absolute(reverse("campaigns:go", args=[found.code])), "target": target(found),
    }  # fmt: skip
    return render(request, "campaigns/activity.html", context, status=422 if form.errors else 200)


@allow(*OFFICE)
def qr_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The tracked link as a picture, for print; as a file to keep with `?download=1`."""
    found = get_object_or_404(DemandActivity, pk=pk)
    drawn = io.BytesIO()
    segno.make(absolute(reverse("campaigns:go", args=[found.code])), error="m").save(drawn, kind="svg", scale=8, border=4, light="white")
    response = HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
    if request.GET.get("download"):
        response["Content-Disposition"] = f'attachment; filename="{found.code}.svg"'
    return response


def cost_form(request: HttpRequest, cost: Cost, of: str) -> CostForm:
    """The form for one more cost; a good one that was sent is kept."""
    form = CostForm(request.POST or None, instance=cost)
    if form.is_valid():
        form.save()
        record(request, Kind.CHANGED, f"cost of {of}")
        messages.success(request, _("Cost added"))
    return form


@allow(*OFFICE)
@require_POST
def remove_cost(request: HttpRequest, pk: int) -> HttpResponse:
    cost = get_object_or_404(Cost.objects.select_related("activity", "campaign"), pk=pk)
    back = redirect(cost.activity) if cost.activity else redirect("campaigns:costs", cost.campaign.slug if cost.campaign else "")
    cost.delete()
    record(request, Kind.CHANGED, f"cost {pk} removed")
    messages.success(request, _("Cost removed"))
    return back


@allow(*OFFICE)
def costs(request: HttpRequest, slug: str) -> HttpResponse:
    """What a campaign cost."""
    campaign = campaign_of(slug)
    form = cost_form(request, Cost(campaign=campaign), f"campaign {slug}")
    if form.is_valid():
        return redirect("campaigns:costs", slug)
    found = list(campaign.costs.all())
    context = {"campaign": campaign, "costs": found, "form": form, "spent": sum(cost.amount for cost in found)}
    return render(request, "campaigns/costs.html", context, status=422 if form.errors else 200)


@allow(*OFFICE)
def strategies(request: HttpRequest) -> HttpResponse:
    """Every strategy with how far it is."""
    return render(request, "campaigns/strategies.html", {"plans": plans_of(list(Strategy.objects.all()[:50]))})


@allow(*OFFICE)
def strategy_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    instance = get_object_or_404(Strategy, pk=pk) if pk else None
    form = StrategyForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        kept = form.save()
        record(request, Kind.CHANGED, f"strategy {kept.name}")
        messages.success(request, _("Strategy saved"))
        return redirect(kept)
    return render(request, "campaigns/strategy_form.html", {"form": form, "strategy": instance}, status=422 if form.errors else 200)


@allow(*OFFICE)
def strategy(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan against actual, and what each campaign and activity contributes; targets are added here."""
    found = get_object_or_404(Strategy, pk=pk)
    form = TargetForm(request.POST or None)
    if request.method == "POST" and found.targets.count() >= MOST_TARGETS:
        form.add_error(None, _("A strategy may have %(n)d targets.") % {"n": MOST_TARGETS})
    if request.method == "POST" and form.is_valid():
        form.instance.strategy = found
        form.save()
        record(request, Kind.CHANGED, f"target of strategy {found.name}")
        messages.success(request, _("Target added"))
        return redirect(found)
    context = {"strategy": found, "plan": plan_of(found), "form": form}
    return render(request, "campaigns/strategy.html", context, status=422 if form.errors else 200)


@allow(*OFFICE)
@require_POST
def remove_target(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Target.objects.select_related("strategy"), pk=pk)
    found.delete()
    record(request, Kind.CHANGED, f"target of strategy {found.strategy.name} removed")
    messages.success(request, _("Target removed"))
    return redirect(found.strategy)
