"""The archive: everything that was received, by the lead URLs and by what people brought, and what became of each."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import allow, who
from accounts.roles import OFFICE
from leads import keyset
from leads.filters import PlainSelect, without
from leads.lists import archived
from leads.models import Disposition, Submission
from listings.models import Listing

PLAIN = {"class": "input input-sm input-auto"}
DAY = {**PLAIN, "type": "date"}


class ArchiveForm(forms.Form):
    """Which of it. Sent by GET; an address that says more than the form can is answered with nothing rather than with everything."""

    disposition = forms.ChoiceField(label=gettext_lazy("What became of it"), required=False, widget=PlainSelect(PLAIN))
    storefront = forms.ChoiceField(label=gettext_lazy("Storefront"), required=False, widget=PlainSelect(PLAIN))
    listing = forms.ChoiceField(label=gettext_lazy("Listing"), required=False, widget=PlainSelect(PLAIN))

    def __init__(self, asked: Mapping[str, str], listings: list[Listing]) -> None:
        super().__init__(asked)
        for name, label in (("from", pgettext_lazy("period", "From")), ("to", pgettext_lazy("period", "to"))):
            self.fields[name] = forms.DateField(label=label, required=False, widget=forms.DateInput(DAY, format="%Y-%m-%d"))
        self.offer("disposition", gettext("Whatever became of it"), dict(Disposition.choices))
        self.offer("storefront", gettext("All storefronts"), {one.storefront.slug: one.storefront.name for one in listings})
        self.offer("listing", gettext("All listings"), {one.slug: one.title for one in listings})

    def offer(self, name: str, every: str, choices: Mapping[str, Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", every), *choices.items()]


@allow(*OFFICE)
@require_GET
def archive(request: HttpRequest) -> HttpResponse:
    """What was received, newest first: all of it, or what the address asks for."""
    listings = list(Listing.objects.for_display())
    asked = {name: value for name, value in request.GET.dict().items() if value}
    form = ArchiveForm(asked, listings)
    seen = Submission.objects.visible_to(who(request))
    found = archived(seen, {name: str(said or "") for name, said in form.cleaned_data.items()}) if form.is_valid() else seen.none()
    total = keyset.count(found)
    page = keyset.turn(found.select_related("listing", "listing__storefront").defer("body", "repair"), "pk", asked, total=total)
    chosen = {name: value for name, value in asked.items() if name in form.fields}
    context = {"page": page, "total": total, "form": form, "is_filtered": bool(chosen), "clear_url": without({})}
    return render(request, "leads/archive.html", context)
