"""Which leads a form on a list speaks of: the ticked ones, or all that the list shows. For every app that does something to several at once."""

from django.http import HttpRequest

from accounts.access import who
from accounts.newest import read
from leads import filters, keyset
from leads.lists import chosen
from leads.models import Lead, LeadQuerySet


def picked(request: HttpRequest) -> LeadQuerySet:
    """The ticked leads of those the user sees, or all that the address asks for: of very many the first, as the page shows them."""
    seen = Lead.objects.visible_to(who(request)).for_list()
    if request.POST.get("all"):
        asked = filters.asked_in(request.GET)
        shown = chosen(seen, asked).order_by(f"-{filters.sorted_by(asked)[1]}", "-pk")
        return seen.filter(pk__in=shown.values("pk")[: keyset.FAR])
    return seen.filter(pk__in=[pk for pk in map(read, request.POST.getlist("pick")) if pk])
