"""Pages of the listings: how they are doing, their secret lead URL, and the playbooks of the storefronts."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.access import allow, recently_proven, who
from accounts.audit import Kind, record
from accounts.roles import ADMIN, OFFICE, ROLES
from listings.contents import contents, lines, subject
from listings.forms import ListingForm, NewListingForm, PlaybookForm
from listings.models import LeadUrl, Listing, Storefront


@allow(*ROLES)
def index(request: HttpRequest) -> HttpResponse:
    """Every listing. Field sales see which there are; how they do is marketing's."""
    listings = list(Listing.objects.visible_to(who(request)).for_display())
    if not who(request).sees_all:
        return render(request, "listings/titles.html", {"listings": listings})
    return render(request, "listings/index.html", {"lines": lines(listings)})


@allow(*ROLES)
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One listing: its health for marketing, its secret's history for admins, its title for field sales."""
    listing = get_object_or_404(Listing.objects.visible_to(who(request)).for_display(), slug=slug)
    if not who(request).sees_all:
        return render(request, "listings/title.html", {"listing": listing})
    return render(request, "listings/detail.html", contents(listing, request))


@allow(ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """A new listing gets its secret lead URL at once."""
    form = NewListingForm(request.POST or None)
    if not form.is_valid():
        return render(request, "listings/form.html", {"form": form}, status=422 if form.errors else 200)
    with transaction.atomic():
        listing = form.save()
        LeadUrl.make(listing)
        record(request, Kind.CHANGED, f"listing {listing.slug} added")
    messages.success(request, _("Added. Now connect it in Partner Center."))
    return redirect(listing)


@allow(ADMIN)
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    listing = get_object_or_404(Listing, slug=slug)
    form = ListingForm(request.POST or None, instance=listing)
    if not form.is_valid():
        return render(
            request, "listings/form.html", {"form": form, "listing": Listing.objects.get(pk=listing.pk)}, status=422 if form.errors else 200
        )
    form.save()
    if form.changed_data:
        record(request, Kind.CHANGED, f"listing {slug}: {', '.join(form.changed_data)}")
    messages.success(request, _("Saved."))
    return redirect(listing)


@allow(ADMIN)
def secret(request: HttpRequest, slug: str) -> HttpResponse:
    """Show… is a POST, so that no link, history or preview shows a secret; its address by itself leads back."""
    listing = get_object_or_404(Listing, slug=slug)
    return show_secret(request, listing) if request.method == "POST" else redirect(listing)


@never_cache
@recently_proven
def show_secret(request: HttpRequest, listing: Listing) -> HttpResponse:
    """The secret lead URL in full: after the password, written down, on a page that nothing keeps."""
    url = get_object_or_404(listing.lead_urls, ends_at=None)
    record(request, Kind.SECRET_SHOWN, subject(listing))
    address = f"{settings.PORTAL_URL}{url.path}" if settings.PORTAL_URL else request.build_absolute_uri(url.path)
    return render(request, "listings/secret.html", {"listing": listing, "address": address})


@allow(ADMIN)
def rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, then give the listing a new secret. The form carries which one is replaced, so that a second click replaces nothing."""
    listing = get_object_or_404(Listing, slug=slug)
    current = listing.current_lead_url()
    if request.method != "POST":
        return render(request, "listings/rotate.html", {"listing": listing, "current": current})
    with transaction.atomic():
        Listing.objects.select_for_update().get(pk=listing.pk)
        if str(getattr(listing.current_lead_url(), "pk", "")) != request.POST.get("replaces", ""):
            messages.warning(request, _("Somebody has rotated it already; nothing was changed."))
            return redirect(listing)
        listing.rotate_lead_url()
        record(request, Kind.SECRET_ROTATED, subject(listing))
    messages.success(request, _("Rotated. Paste the new secret into Partner Center within 7 days."))
    return redirect(listing)


@allow(*OFFICE)
def playbooks(request: HttpRequest) -> HttpResponse:
    return render(request, "listings/playbooks.html", {"storefronts": Storefront.objects.all()})


@allow(ADMIN)
def playbook(request: HttpRequest, slug: str) -> HttpResponse:
    storefront = get_object_or_404(Storefront, slug=slug)
    form = PlaybookForm(request.POST or None, instance=storefront)
    if not form.is_valid():
        return render(request, "listings/playbook_form.html", {"form": form, "storefront": storefront}, status=422 if form.errors else 200)
    form.save()
    if form.changed_data:
        record(request, Kind.CHANGED, f"playbook {slug}: {', '.join(form.changed_data)}")
    messages.success(request, _("Saved. New leads follow it from now on."))
    return redirect("listings:playbooks")
