"""The pipeline: leads by status, the newest of each."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import allow, who
from accounts.audit import listed
from accounts.roles import ROLES
from leads import filters, keyset
from leads.lists import chosen
from leads.models import Lead, Status

COLUMNS = tuple(status for status in Status if status != Status.DISQUALIFIED)
CARDS, MANY = 6, 1_000


@dataclass(frozen=True, slots=True)
class Column:
    status: str
    label: str
    leads: list[Lead]
    count: keyset.Count
    url: str


@allow(*ROLES)
@require_GET
def pipeline(request: HttpRequest) -> HttpResponse:
    """The board of the leads that the user sees and the address asks for."""
    user, asked = who(request), {name: value for name, value in filters.asked_in(request.GET).items() if name != "status"}
    leads = chosen(Lead.objects.visible_to(user), asked)
    form = filters.FilterForm(asked, user)
    del form.fields["status"]
    shown = columns(leads, asked)
    listed(request, "pipeline", sum(len(column.leads) for column in shown))
    context = {
        "columns": shown, "asked": asked, "form": form, "chips": filters.chips(asked, form),
        "clear_url": filters.without({}), "shows_owner": user.sees_all or "owner" in form.fields,
    }  # fmt: skip
    return render(request, "leads/pipeline.html", context)


def columns(leads: QuerySet[Lead], asked: dict[str, str]) -> list[Column]:
    """Each status with its count and newest leads: one query finds the cards of all columns, one loads them, one counts."""
    of_status = [leads.filter(status=status) for status in COLUMNS]
    newest = [rows.order_by("-received_at", "-pk").values("pk")[:CARDS] for rows in of_status]
    cards = list(Lead.objects.for_list().filter(pk__in=newest[0].union(*newest[1:], all=True)).order_by("-received_at", "-pk"))
    return [
        Column(status, str(status.label), [lead for lead in cards if lead.status == status], count, filters.without({**asked, "status": status}))
        for status, count in zip(COLUMNS, keyset.counts(*of_status, bound=MANY), strict=True)
    ]
