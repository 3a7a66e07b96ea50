"""One's own API tokens: made, shown once, revoked; admins see everybody's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.crypto import seal, unseal
from accounts.forms import SCOPES, TokenForm
from accounts.models import ApiToken
from accounts.roles import ROLES

FRESH = "fresh_token"  # between the form and the page that shows it: sealed, and gone once shown


@allow(*ROLES)
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, the form for one more, and right after that the new one's text."""
    user = who(request)
    form = TokenForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        text = ApiToken.issue(user, form.cleaned_data["name"], form.cleaned_data["scopes"], form.lasts)
        record(request, Kind.TOKEN_ISSUED, f"{form.cleaned_data['name']} …{text[-4:]}")
        request.session[FRESH] = seal(text, FRESH).decode()
        return redirect("accounts:tokens")
    everybody = user.is_portal_admin and request.GET.get("all") == "1"
    fresh = request.session.pop(FRESH, None)
    found = ApiToken.objects.select_related("user") if everybody else user.api_tokens.select_related("user")
    context = {"tokens": [(token, state(token), scopes_in_words(token)) for token in found], "form": form, "everybody": everybody}
    return render(
        request, "accounts/tokens.html", context | {"fresh": unseal(fresh.encode(), FRESH) if fresh else ""}, status=422 if form.errors else 200
    )


def state(token: ApiToken) -> str:
    return "revoked" if token.revoked_at else "expired" if token.expires_at <= timezone.now() else "usable"


def scopes_in_words(token: ApiToken) -> str:
    return ", ".join(str(SCOPES.get(scope, scope)) for scope in token.scopes)


@allow(*ROLES)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a token open nothing from now on; one's own, for admins anybody's."""
    user = who(request)
    reach = ApiToken.objects.all() if user.is_portal_admin else user.api_tokens.all()
    token = get_object_or_404(reach, pk=pk)
    if ApiToken.objects.filter(pk=pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(request, Kind.TOKEN_REVOKED, str(token))
    messages.success(request, _("Token %(name)s revoked") % {"name": str(token)})
    return redirect("accounts:tokens")
