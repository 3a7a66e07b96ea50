"""A new lead by hand: somebody who called, or whom one met."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.roles import OFFICE
from leads.dialects import MAX_TEXT
from leads.entry import enter
from leads.filters import PlainSelect
from leads.forms import a_country, an_address, reachable
from leads.models import Disposition, Submission
from leads.story import action_words
from leads.wording import country_choices
from listings.models import Listing

ACTIONS = ("", "PLT", "INS", "StartTestDrive", "Create")


class EntryForm(forms.Form):
    """What is known of the buyer; an address or a number is enough."""

    listing = forms.ModelChoiceField(Listing.objects.none(), label=gettext_lazy("Listing"), empty_label=None)
    actionCode = forms.ChoiceField(label=gettext_lazy("What they did"), required=False)
    firstName = forms.CharField(label=gettext_lazy("First name"), max_length=150, required=False)
    lastName = forms.CharField(label=gettext_lazy("Last name"), max_length=150, required=False)
    email = forms.CharField(label=gettext_lazy("E-mail"), max_length=254, required=False, widget=forms.EmailInput)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=60, required=False, widget=forms.TextInput({"type": "tel"}))
    company = forms.CharField(label=gettext_lazy("Company"), max_length=255, required=False)
    title = forms.CharField(label=gettext_lazy("Job title"), max_length=200, required=False)
    country = forms.CharField(label=gettext_lazy("Country"), max_length=2, required=False, widget=PlainSelect)
    description = forms.CharField(label=gettext_lazy("What they want"), max_length=MAX_TEXT, required=False, widget=forms.Textarea({"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place, action = self.fields["listing"], self.fields["actionCode"]
        assert isinstance(place, forms.ModelChoiceField)
        assert isinstance(action, forms.ChoiceField)
        place.queryset = Listing.objects.for_display()
        action.choices = [(code, action_words(code) if code else "–") for code in ACTIONS]
        self.fields["country"].widget.choices = [("", "–"), *country_choices()]  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        return an_address(self.cleaned_data["email"])

    def clean_country(self) -> str:
        return a_country(self.cleaned_data["country"])

    def clean(self) -> dict[str, Any]:
        return reachable(self, super().clean() or self.cleaned_data)


@allow(*OFFICE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form; sent, the record of the lead that it made, or added to."""
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        place = said.pop("listing")
        record(request, Kind.CHANGED, f"lead entered by hand for {place.slug}")
        return tell(request, enter(place, said, who(request)))
    return render(request, "leads/new.html", {"form": form}, status=422 if form.errors else 200)


def tell(request: HttpRequest, made: Submission) -> HttpResponse:
    """What became of it, and the page that shows it."""
    if made.disposition == Disposition.PENDING:
        messages.success(request, _("Taken up; a worker is on it"))
        return redirect("leads:list")
    if made.disposition == Disposition.REDELIVERY:
        messages.success(request, _("This was here already"))
    elif made.disposition == Disposition.LEAD:
        messages.success(request, _("Lead added"))
    else:
        messages.warning(request, _("Understood: %(what)s") % {"what": made.get_disposition_display()})
    return redirect("leads:detail", made.lead_id) if made.lead_id else redirect("leads:submission", made.pk)
