"""The list of leads, what is done to several at once, and the export."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import allow, who
from accounts.audit import Kind, listed, record
from accounts.models import User
from accounts.roles import ROLES
from leads import filters, keyset, panels, undo
from leads.bulk import put_back, set_status
from leads.forms import SaveForm
from leads.lists import chosen
from leads.models import Lead, Status
from leads.picked import picked
from leads.saved import seen_by
from leads.spreadsheets import safe

COLUMNS = (
    "id", "received_at", "first_name", "last_name", "email", "phone", "company", "title", "country", "storefront", "listing", "status", "score",
    "cluster", "owner", "respond_by", "first_response_at", "qualified_at", "opportunity_at", "won_at",
)  # fmt: skip
COUNTED = 100_000  # no export is counted further


@allow(*ROLES)
@require_GET
def leads_list(request: HttpRequest) -> HttpResponse:
    """The leads that the user sees and the address asks for, a page at a time."""
    user, asked = who(request), filters.asked_in(request.GET)
    seen = Lead.objects.visible_to(user).for_list()
    leads = chosen(seen, asked)
    form, total = filters.FilterForm(asked, user), keyset.count(leads)
    chips, query = filters.chips(asked, form), filters.without(asked)
    views = sorted((one for one in seen_by(request, user) if f"?{one.query}" == query), key=lambda one: one.owner_id != user.pk)
    sort, column = filters.sorted_by(asked)
    page = keyset.turn(leads, column, asked, total=total)
    listed(request, "leads", len(page.rows))
    context = {
        "asked": asked, "form": form, "chips": chips, "total": total, "sort": sort,
        "page": page, "way_out": None if total.figure else filters.way_out(seen, asked, chips),
        "is_filtered": bool(chips or "q" in asked), "clear_url": filters.without({}), "export_url": reverse("leads:export") + filters.without(asked),
        "sort_urls": {name: filters.without({**asked, "sort": name}) for name in filters.SORTS}, "query": query, "view": next(iter(views), None),
        "save_form": SaveForm(user=user),
        "people": form.people if user.sees_all else [], "bulk": panels.parts("bulk", panels.Context(request, user)),
        "shows_owner": user.sees_all or "owner" in form.fields,
    }  # fmt: skip
    return render(request, "leads/list.html", context)


def back_to_list(request: HttpRequest) -> HttpResponse:
    return redirect(reverse("leads:list") + filters.without(filters.asked_in(request.GET)))


@allow(*ROLES)
@require_POST
def set_status_of_picked(request: HttpRequest) -> HttpResponse:
    """Put the ticked leads into a status; the message undoes it."""
    status = request.POST.get("status", "")
    if status not in Status:
        messages.warning(request, _("Choose a status for the ticked leads."))
        return back_to_list(request)
    before = set_status(picked(request), status, by=who(request))
    text = ngettext("%(n)d lead set to %(status)s", "%(n)d leads set to %(status)s", len(before))
    text %= {"n": len(before), "status": Status(status).label}
    messages.success(request, text, extra_tags=undo.offer(request, "leads:undo", status, before))
    return back_to_list(request)


@allow(*ROLES)
@require_POST
def undo_status(request: HttpRequest, batch: str) -> HttpResponse:
    """Put back what the last change of status in this session changed."""
    kept = undo.taken(request, "leads:undo", batch)
    if kept is None:
        messages.warning(request, _("That can't be undone any more."))
    else:
        done = put_back(Lead.objects.visible_to(who(request)), *kept, by=who(request))
        messages.success(request, ngettext("%(n)d lead put back", "%(n)d leads put back", done) % {"n": done})
    return redirect(str(request.META["HTTP_REFERER"]) if undo.is_ours(request) else "leads:list")


@allow(*ROLES)
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The list of the address as CSV, streamed row by row."""
    asked = filters.asked_in(request.GET)
    return as_csv(request, chosen(Lead.objects.visible_to(who(request)).for_list(), asked), ", ".join(sorted(set(asked) & set(filters.NAMES))))


@allow(*ROLES)
@require_POST
def export_picked(request: HttpRequest) -> StreamingHttpResponse:
    """The ticked leads as CSV."""
    return as_csv(request, picked(request), "ticked")


def as_csv(request: HttpRequest, leads: QuerySet[Lead], what: str) -> StreamingHttpResponse:
    """Stream the leads, newest first. The audit says which filters were set, not what was searched for, and of very many that they were very many."""
    record(request, Kind.EXPORTED, f"leads {what}".strip(), count=keyset.count(leads, bound=COUNTED).figure)
    response = StreamingHttpResponse(lines(map(cells, keyset.every(leads, "received_at"))), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="leads.csv"'
    return response


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def cells(lead: Lead) -> list[Any]:
    contact, owner = lead.contact, lead.owner
    moments = (lead.respond_by, lead.first_response_at, lead.qualified_at, lead.opportunity_at, lead.won_at)
    return [
        str(lead.pk), lead.received_at.isoformat(timespec="seconds"), contact.first_name, contact.last_name, contact.email, contact.phone,
        contact.company_name, contact.title, contact.country, lead.listing.storefront.slug, lead.listing.title, lead.status, lead.score, lead.cluster,
        owner.username if isinstance(owner, User) else "", *(at.isoformat(timespec="seconds") if at else "" for at in moments),
    ]  # fmt: skip
