"""Pages about oneself, and for admins about people and teams."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import people as verbs
from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.forms import PersonForm, PreferencesForm, TeamForm
from accounts.models import Team, User
from accounts.roles import ADMIN, LABELS, ROLES


@allow(*ROLES)
def preferences(request: HttpRequest) -> HttpResponse:
    """One's own name, language and time zone."""
    form = PreferencesForm(request.POST or None, instance=User.objects.get(pk=who(request).pk))
    if request.method == "POST" and form.is_valid():
        user = form.save()
        with translation.override(user.language or translation.get_language()):
            messages.success(request, _("Saved"))
        return with_language(redirect("accounts:preferences"), user.language)
    return render(request, "accounts/preferences.html", {"form": form}, status=422 if form.errors else 200)


def with_language(response: Any, language: str) -> HttpResponse:
    """The same cookie that the language menu sets, which goes before all else."""
    if language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE, path="/", samesite="Lax")
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


@allow(ADMIN)
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who may sign in, and the teams."""
    found = User.objects.prefetch_related("groups", "teams").order_by("-is_active", "username")
    teams = Team.objects.select_related("leader").prefetch_related("members")
    return render(request, "accounts/people.html", {"people": [described(user) for user in found], "teams": teams})


def described(user: User) -> dict[str, Any]:
    """A person with roles and teams in words, from what is loaded already."""
    names = {group.name for group in user.groups.all()}
    return {
        "person": user,
        "roles": ", ".join(str(LABELS[role]) for role in ROLES if role in names),
        "teams": ", ".join(team.name for team in user.teams.all()),
        "waits": not user.has_usable_password(),
    }


@allow(ADMIN)
def person(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Invite somebody, or change what they are called and may do."""
    user = get_object_or_404(User, pk=pk) if pk else User()
    form = PersonForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        try:
            kept(request, form, new=pk is None)
        except ValidationError as error:
            form.add_error("roles", error)
        else:
            return redirect("accounts:people")
    return render(request, "accounts/person.html", {"form": form, "person": user if pk else None}, status=422 if form.errors else 200)


def kept(request: HttpRequest, form: PersonForm, new: bool) -> None:
    """Save the form's person with their roles, and tell; a new one gets mail with a link to set the password."""
    user, roles = form.save(commit=False), form.cleaned_data["roles"]
    if new:
        verbs.invite(user, roles)
    else:
        verbs.give_roles(user, roles, told=("first_name", "last_name", "email"))
    record(request, Kind.CHANGED, f"user {user.username}: {', '.join(sorted(roles))}")
    if new:
        tell_mailed(request, user)
    else:
        messages.success(request, _("%(name)s saved") % {"name": user.full_name})


def tell_mailed(request: HttpRequest, user: User) -> None:
    if verbs.mail_password_link(request, user):
        messages.success(request, _("%(name)s gets mail with a link to set a password") % {"name": user.full_name})
    else:
        messages.error(
            request, _("The mail server did not take the mail with the link. %(name)s is kept; send it again later.") % {"name": user.full_name}
        )


@allow(ADMIN)
@require_POST
def send_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail somebody a link to set (or reset) their password."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    tell_mailed(request, user)
    record(request, Kind.CHANGED, f"user {user.username}: password link sent")
    return redirect("accounts:person", pk)


@allow(ADMIN)
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again, or out."""
    user, active = get_object_or_404(User, pk=pk), request.POST.get("active") == "1"
    try:
        verbs.switch(user, active, who(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("accounts:person", pk)
    record(request, Kind.CHANGED, f"user {user.username} {'reactivated' if active else 'deactivated'}")
    done = _("%(name)s may sign in again") if active else _("%(name)s can no longer sign in; sessions and tokens are void")
    messages.success(request, done % {"name": user.full_name})
    return redirect("accounts:people")


@allow(ADMIN)
def team(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a team."""
    one = get_object_or_404(Team, pk=pk) if pk else None
    form = TeamForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        record(request, Kind.CHANGED, f"team {saved.name}")
        messages.success(request, _("Team %(name)s saved") % {"name": saved.name})
        return redirect("accounts:people")
    return render(request, "accounts/team.html", {"form": form, "team": one}, status=422 if form.errors else 200)


@allow(ADMIN)
@require_POST
def dissolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a team; its members and their leads stay."""
    one = get_object_or_404(Team, pk=pk)
    one.delete()
    record(request, Kind.CHANGED, f"team {one.name} removed")
    messages.success(request, _("Team %(name)s removed; its members stay") % {"name": one.name})
    return redirect("accounts:people")
