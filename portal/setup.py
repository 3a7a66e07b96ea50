"""Setup: where each setting lives, the publisher itself, how the portal is doing, and what it keeps about people."""

from copy import copy
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import allow, who
from accounts.audit import Kind, record
from accounts.forms import zones
from accounts.roles import ADMIN, OFFICE
from campaigns.models import Suppression
from leads.normal import country_codes
from listings.models import Publisher
from portal import health
from portal.due import WORK, nudge
from portal.setup_words import cards, kept_data, work_in_words


class PublisherForm(forms.ModelForm):
    """The company's name, the zone its days are counted in, and the countries it serves."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), help_text=gettext_lazy("Days of all figures begin and end there."))
    countries_served = SimpleArrayField(
        forms.CharField(max_length=2),
        label=gettext_lazy("Countries served"),
        required=False,
        help_text=gettext_lazy("Two-letter codes with commas between them, such as CZ, SK, AT; empty means all. They count in the score."),
    )

    class Meta:
        model = Publisher
        fields = ("name", "time_zone", "countries_served")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone: Any = self.fields["time_zone"]
        zone.choices = zones("")[1:]

    def clean_name(self) -> str:
        """One line: it stands in the heads of mails."""
        return " ".join(self.cleaned_data["name"].split())

    def clean_countries_served(self) -> list[str]:
        codes = sorted({str(code).strip().upper() for code in self.cleaned_data["countries_served"] if str(code).strip()})
        unknown = [code for code in codes if code not in country_codes()]
        if unknown:
            raise forms.ValidationError(_("No such country: %(codes)s.") % {"codes": ", ".join(unknown)})
        return codes


@allow(*OFFICE)
def index(request: HttpRequest) -> HttpResponse:
    """Every page of the set-up that the user may open."""
    return render(request, "portal/setup.html", {"groups": cards(who(request))})


@allow(ADMIN)
def publisher(request: HttpRequest) -> HttpResponse:
    """Change the publisher; another time zone asks first, since every figure is then counted anew."""
    form = PublisherForm(request.POST or None, instance=copy(Publisher.current()))
    asks = False
    if request.method == "POST" and form.is_valid():
        asks = "time_zone" in form.changed_data and bool(form.instance.pk) and request.POST.get("recount") != "1"
        if not asks:
            keep(form)
            record(request, Kind.CHANGED, f"publisher: {', '.join(form.changed_data) or 'nothing'}")
            messages.success(request, _("Saved; every figure is being counted anew") if "time_zone" in form.changed_data else _("Saved"))
            return redirect("portal:publisher")
    return render(request, "portal/publisher.html", {"form": form, "asks": asks}, status=422 if form.errors else 200)


def keep(form: PublisherForm) -> None:
    """Save, and ask for what rests on it, which the workers do: figures on the time zone are counted anew, scores on the countries."""
    with transaction.atomic():
        for setting, work in (("time_zone", "recount"), ("countries_served", "rescore")):
            if setting in form.changed_data:
                setattr(form.instance, f"{work}_asked_at", timezone.now())
                transaction.on_commit(partial(nudge, work))
        form.save()


@allow(ADMIN)
def system(request: HttpRequest) -> HttpResponse:
    """What an operator's monitoring sees, in words, and all periodic work."""
    facts = health.look()
    work = [(*work_in_words(one.name), one.every.total_seconds(), one.every.total_seconds() / 60, one.due()) for one in WORK]
    return render(request, "portal/system.html", {"facts": facts, "late": facts["oldest_due_seconds"] > health.LATE_AFTER, "work": work})


@allow(*OFFICE)
def privacy(request: HttpRequest) -> HttpResponse:
    """What is stored about people, why, and for how long."""
    context = {"kept": kept_data(), "suppressed": Suppression.objects.count()}
    return render(request, "portal/privacy.html", context)
