"""The record of a lead, and what people do on it."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.roles import ROLES
from leads import bulk, panels, undo, work
from leads.correct import correct
from leads.forms import CallForm, ContactForm, NoteForm, TaskForm, ValueForm, WroteForm, checked, tomorrow
from leads.models import Interaction, Lead, Status, Task
from leads.place import place_of
from leads.tags import MOST as MOST_TAGS
from leads.tags import add_tag, remove_tag, written
from leads.timeline import timeline


def the_lead(request: HttpRequest, pk: uuid.UUID) -> Lead:
    """The lead, if the user may know of it; else an address like any other that does not exist."""
    return get_object_or_404(Lead.objects.visible_to(who(request)).for_list(), pk=pk)


@allow(*ROLES)
@require_GET
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who, what they want, how good and why, whose, what next, by when."""
    return shown(request, the_lead(request, pk))


def shown(request: HttpRequest, lead: Lead, refused: str = "", form: forms.Form | forms.ModelForm | None = None) -> HttpResponse:
    """The record; with a form that was refused it stands open, with what was typed and what is wrong with it."""
    record(request, Kind.PERSONAL_DATA_READ, f"lead {lead.pk}")
    around = panels.Context(request, who(request), lead)
    context: dict[str, Any] = {
        "lead": lead, "contact": lead.contact, "said": words_of(lead), "timeline": timeline(lead, request.GET.dict()),
        "main": panels.parts("main", around), "rail": panels.parts("rail", around), "task_form": TaskForm(), "note_form": NoteForm(),
        "call_form": CallForm(), "wrote_form": WroteForm(), "place": place_of(request, lead),
    }  # fmt: skip
    if form:
        context |= {"open": refused, f"{refused}_form": form}
    return render(request, "leads/detail.html", context, status=422 if form else 200)


def words_of(lead: Lead) -> Interaction | None:
    """Their latest act with words in it, else their latest act."""
    acts = list(lead.interactions.order_by("-received_at")[:50])
    return next((act for act in acts if act.description), acts[0] if acts else None)


def back(request: HttpRequest, lead: Lead) -> HttpResponse:
    """Where the button was pressed: My day, or the record."""
    return redirect("leads:my_day") if request.POST.get("from") == "day" else redirect(lead)


@allow(*ROLES)
@require_POST
def set_status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead, status = the_lead(request, pk), request.POST.get("status", "")
    if status not in Status:
        messages.warning(request, _("There is no such status."))
    elif request.POST.get("was", lead.status) not in (lead.status, status):
        said = {"name": lead.contact.name, "status": lead.get_status_display()}
        messages.warning(request, _("%(name)s is %(status)s by now; nothing was changed") % said)
    elif before := bulk.set_status(Lead.objects.filter(pk=lead.pk), status, by=who(request)):
        text = _("%(name)s is now %(status)s") % {"name": lead.contact.name, "status": Status(status).label}
        messages.success(request, text, extra_tags=undo.offer(request, "leads:undo", status, before))
    return redirect("leads:pipeline") if request.POST.get("from") == "board" else back(request, lead)


@allow(*ROLES)
@require_POST
def note(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead = the_lead(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return shown(request, lead, "note", form)
    said = form.cleaned_data
    work.add_note(lead, who(request), said["note"])
    messages.success(request, _("Note added"))
    return back(request, lead)


@allow(*ROLES)
@require_POST
def call(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead = the_lead(request, pk)
    form = CallForm(request.POST)
    if not form.is_valid():
        return shown(request, lead, "call", form)
    said = form.cleaned_data
    first = lead.first_response_at is None and lead.respond_by is not None
    work.log_call(lead, who(request), said["reached"] is not False, said["note"])
    messages.success(request, _("Call noted, the clock stopped") if first else _("Call noted"))
    if said["reached"] is False and not lead.tasks.filter(done_at=None).exists():
        work.add_task(lead, who(request), gettext_noop("Call again"), tomorrow())
        messages.info(request, _("A task to call again is due tomorrow"))
    return back(request, lead)


@allow(*ROLES)
@require_POST
def wrote(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead = the_lead(request, pk)
    form = WroteForm(request.POST)
    if not form.is_valid():
        return shown(request, lead, "wrote", form)
    said = form.cleaned_data
    first = lead.first_response_at is None and lead.respond_by is not None
    work.respond(lead, who(request), "wrote", note=said["note"])
    messages.success(request, _("Noted that you wrote, the clock stopped") if first else _("Noted that you wrote"))
    return back(request, lead)


@allow(*ROLES)
@require_POST
def add_task(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead = the_lead(request, pk)
    form = TaskForm(request.POST)
    if not form.is_valid():
        return shown(request, lead, "task", form)
    said = form.cleaned_data
    work.add_task(lead, who(request), said["title"], said["due_at"])
    messages.success(request, _("Task added"))
    return back(request, lead)


@allow(*ROLES)
@require_POST
def value(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What the lead is expected to be worth; emptied, nobody can tell."""
    lead = the_lead(request, pk)
    if (said := checked(request, ValueForm(request.POST))) and work.set_value(lead, said["value"], who(request)):
        messages.success(request, _("Value kept"))
    return redirect(lead)


@allow(*ROLES)
@require_POST
def tag(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a tag on the lead, or take the one of `off` off it."""
    lead, off = the_lead(request, pk), request.POST.get("off", "")
    this, tag = Lead.objects.filter(pk=lead.pk), written(request.POST.get("tag", ""))
    if off:
        remove_tag(this, off, by=who(request))
    elif not tag:
        messages.warning(request, _("It does not say which tag."))
    elif not add_tag(this, tag, by=who(request)) and tag not in lead.tags:
        messages.warning(request, _("A lead may have %(n)d tags.") % {"n": MOST_TAGS})
    return redirect(lead)


@allow(*ROLES)
@require_POST
def finish_task(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    seen = Lead.objects.visible_to(who(request))
    task = get_object_or_404(Task.objects.select_related("lead").filter(lead__in=seen), pk=pk)
    work.finish_task(task, who(request))
    messages.success(request, _("Task done: %(title)s") % {"title": task.title})
    return back(request, task.lead)


@allow(*ROLES)
@require_http_methods(["GET", "POST"])
def correct_contact(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    lead = the_lead(request, pk)
    form = ContactForm(request.POST or None, instance=lead.contact)
    if request.method == "POST" and form.is_valid():
        if correct(lead.contact, form.corrections, by=who(request)):
            messages.success(request, _("Contact corrected"))
        return redirect(lead)
    return render(request, "leads/correct.html", {"lead": lead, "form": form}, status=422 if form.errors else 200)
