"""What a person enters about strategies, targets, demand activities and costs."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.go import MARKETPLACES
from campaigns.models import Cost, DemandActivity, Strategy, Target
from leads.condition_form import choices_of
from leads.conditions import fields as condition_fields
from listings.models import Listing, Storefront


def days() -> dict[str, Any]:
    return {name: forms.DateInput({"type": "date"}, format="%Y-%m-%d") for name in ("starts", "ends", "day")}


class StrategyForm(forms.ModelForm):
    class Meta:
        model = Strategy
        fields = ("name", "starts", "ends", "currency", "budget")
        widgets = days()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("starts") and given.get("ends") and given["ends"] < given["starts"]:
            self.add_error("ends", _("It ends before it begins."))
        return given


class TargetForm(forms.ModelForm):
    """Of one storefront, listing or country, or of all."""

    storefront = forms.ModelChoiceField(
        Storefront.objects.all(), label=gettext_lazy("Storefront"), required=False, empty_label=gettext_lazy("all storefronts")
    )
    listing = forms.ModelChoiceField(Listing.objects.all(), label=gettext_lazy("Listing"), required=False, empty_label=gettext_lazy("all listings"))

    class Meta:
        model = Target
        fields = ("measure", "amount", "storefront", "listing", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("all countries")), *choices_of(condition_fields()["country"])]
        self.fields["country"] = forms.ChoiceField(label=_("Country"), required=False, choices=choices)


class ActivityForm(forms.ModelForm):
    code = forms.SlugField(
        label=gettext_lazy("Campaign id"), max_length=40, required=False,
        help_text=gettext_lazy("Goes to the marketplace in ocid and utm_campaign; empty, it is made of the name. Small letters, digits and dashes."),
    )  # fmt: skip

    url = forms.URLField(
        label=gettext_lazy("Page on the marketplace"), max_length=500, assume_scheme="https",
        help_text=gettext_lazy("The listing’s address on Azure Marketplace or AppSource; the tracked link leads there."),
    )  # fmt: skip

    class Meta:
        model = DemandActivity
        fields = ("name", "channel", "listing", "url", "code", "starts", "ends", "strategy")
        widgets = days()
        help_texts = {
            "url": gettext_lazy("The listing’s address on Azure Marketplace or AppSource; the tracked link leads there."),
            "ends": gettext_lazy("Empty: until further notice."),
        }
        assume_scheme = "https"

    def clean_url(self) -> str:
        """On the marketplace, over https: the tracked link must not become a way to anywhere else."""
        url = str(self.cleaned_data["url"])
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname not in MARKETPLACES or parts.username or parts.port:
            raise forms.ValidationError(_("This must be an https address on %(hosts)s.") % {"hosts": ", ".join(MARKETPLACES)})
        return url

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("ends") and given.get("starts") and given["ends"] < given["starts"]:
            self.add_error("ends", _("It ends before it begins."))
        code = (given.get("code") or slugify(given.get("name", ""))[:34]).lower() or "demand"
        others = DemandActivity.objects.exclude(pk=self.instance.pk)
        if given.get("code") and others.filter(code=code).exists():
            self.add_error("code", _("Another activity has this id."))
        taken = set(others.filter(code__startswith=code).values_list("code", flat=True))
        given["code"] = next(one for one in (code, *(f"{code}-{n}" for n in range(2, 10_000))) if one not in taken)
        return given


class CostForm(forms.ModelForm):
    class Meta:
        model = Cost
        fields = ("day", "amount", "note")
        widgets = days()
