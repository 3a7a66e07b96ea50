"""Saved views: made from the list of leads as it is filtered, removed, and put back."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.roles import ROLES
from leads import filters, saved
from leads.forms import SaveForm, checked
from leads.saved import SavedView


def at(query: str) -> str:
    return f"{reverse('leads:list')}?{query}"


@allow(*ROLES)
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep what the list is filtered by."""
    user, query = who(request), filters.canonical(request.POST.get("query", ""))
    form = SaveForm(request.POST, user=user)
    if not query:
        messages.warning(request, _("Choose a filter first; a view without one is the list itself."))
    elif len(query) > saved.LONGEST_QUERY:
        messages.warning(request, _("That is too long to be kept."))
    elif said := checked(request, form):
        was_there = SavedView.objects.of(user).filter(name=said["name"]).exclude(query=query).exists()
        if saved.keep(user, said["name"], query, bool(said.get("is_shared"))):
            text = _("Saved: %(name)s, in place of what it showed before") if was_there else _("Saved: %(name)s")
            messages.success(request, text % {"name": said["name"]})
        else:
            messages.warning(request, _("You have %(n)d views; remove one first.") % {"n": saved.MOST})
    return redirect(at(query))


@allow(*ROLES)
@require_POST
def remove_view(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove a view of one's own; the message undoes it."""
    view = get_object_or_404(SavedView.objects.of(who(request)), pk=pk)
    saved.remove(view)
    messages.success(request, _("Removed: %(name)s") % {"name": view.name}, extra_tags="undo:" + reverse("leads:put_view_back", args=[pk]))
    return redirect(at(view.query))


@allow(*ROLES)
@require_POST
def put_view_back(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    view = get_object_or_404(SavedView.objects.filter(owner=who(request)), pk=pk)
    if saved.put_back(view):
        messages.success(request, _("Put back: %(name)s") % {"name": view.name})
    else:
        messages.warning(request, _("Another view has that name by now."))
    return redirect(at(view.query))
