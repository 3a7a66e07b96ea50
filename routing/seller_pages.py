"""Setup of routing: which sellers take leads, how many at once, and how many they have open."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import allow
from accounts.audit import Kind, record
from accounts.models import User
from accounts.remembered import forget, remembered
from accounts.roles import OFFICE
from leads.models import Lead
from listings.models import Storefront
from routing.models import Seller
from routing.seats import fill_seats

UNOWNED = "routing unowned"
RECENT = 10_000  # leads without owner that the page looks through


class SellerForm(forms.ModelForm):
    """Whether a seller takes leads, and how many open ones at most."""

    class Meta:
        model = Seller
        fields = ("takes_leads", "capacity")


@allow(*OFFICE)
def sellers(request: HttpRequest) -> HttpResponse:
    """Field sales with their load, and the leads that nobody can take."""
    owned = Lead.objects.open().filter(owner__isnull=False).values_list("owner").annotate(n=Count("pk")).order_by()
    loads = remembered("routing loads", lambda: dict(owned))
    found: list[dict[str, Any]] = []
    for user in User.objects.sellers().select_related("seller"):
        seller, load = getattr(user, "seller", None), loads.get(user.pk, 0)
        full = bool(seller and seller.capacity is not None and load >= seller.capacity)
        found.append({"user": user, "seller": seller, "load": load, "full": full})
    newest = Lead.objects.filter(owner=None).order_by("-received_at", "-id").values("pk")[:RECENT]
    context = {
        "sellers": found,
        "unowned": remembered(UNOWNED, Lead.objects.unroutable().filter(pk__in=newest).count),
        "storefronts": Storefront.objects.all(),
    }
    return render(request, "routing/sellers.html", context)


@allow(*OFFICE)
def seller(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one seller; who could not be assigned before is looked at again."""
    user = get_object_or_404(User.objects.sellers(), pk=pk)
    form = SellerForm(request.POST or None, instance=Seller.objects.filter(user=user).first() or Seller(user=user))
    if request.method == "POST" and form.is_valid():
        form.save()
        forget(UNOWNED)
        record(request, Kind.CHANGED, f"routing of {user.username}")
        again = fill_seats()
        messages.success(request, saved(user, again))
        return redirect("routing:sellers")
    return render(request, "routing/seller.html", {"form": form, "person": user}, status=422 if form.errors else 200)


def saved(user: User, again: int) -> str:
    said = _("%(name)s saved") % {"name": user.full_name}
    more = ngettext("%(n)d lead without owner is looked at again", "%(n)d leads without owner are looked at again", again) % {"n": again}
    return f"{said}; {more}" if again else said
