"""Pages of the figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import allow
from accounts.roles import OFFICE
from insights.asked import LABELS, Asked
from insights.exports import offers_csv
from insights.offers import offers
from insights.overview import overview as look
from leads.models import Lead
from listings.links import page
from listings.models import Listing, Storefront


@allow(*OFFICE)
def overview(request: HttpRequest) -> HttpResponse:
    """How the offers perform; before the first lead, how to begin."""
    asked = Asked.of(request.GET)
    seen = look(asked)
    if not seen.total.leads and not Lead.objects.exists():
        return render(request, "insights/first_run.html", {"connect_url": page("listings:list"), "import_url": page("leads:imports")})
    context = {"seen": seen, "asked": asked, "periods": LABELS.items(), "storefronts": Storefront.objects.all()}
    return render(request, "insights/overview.html", context)


@allow(*OFFICE)
def export(request: HttpRequest) -> HttpResponse:
    """The offers table as a file."""
    asked = Asked.of(request.GET)
    listings = [one for one in Listing.objects.for_display() if asked.storefront in ("", one.storefront.slug)]
    name = f"offers-{asked.period.first}-{asked.period.last_day}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(offers_csv(offers(asked.period, listings).lines), content_type="text/csv; charset=utf-8", headers=headers)
