"""Where field sales lands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import allow, who
from accounts.audit import listed
from accounts.roles import ROLES
from leads import panels
from leads.day import day_of
from leads.forms import CallForm, TaskForm
from listings.days import weekday


@allow(*ROLES)
@require_GET
def my_day(request: HttpRequest) -> HttpResponse:
    """What waits for this user: the one thing to do now, then the rest by time."""
    user = who(request)
    day = day_of(user)
    listed(request, "my day", len(day.items))
    context = {
        "day": day,
        "today": weekday(timezone.localdate()),
        "parts": panels.parts("day", panels.Context(request, user)),
        "call_form": CallForm(),
        "task_form": TaskForm(),
    }
    return render(request, "leads/my_day.html", context)
