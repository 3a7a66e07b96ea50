"""Forms of the listings and the playbooks."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings.models import Listing, ListingKind, Storefront

TAKEN = ("new",)  # short names that are addresses already


class ListingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A listing as Partner Center knows it. Which kinds a storefront carries is Listing.clean's to say."""

    class Meta:
        model = Listing
        fields = ("title", "storefront", "kind", "publisher_id", "offer_id", "call_to_action", "state", "lead_sharing")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["storefront"].empty_label = _("Choose…")  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("Choose…")), *ListingKind.choices]  # type: ignore[attr-defined]


class NewListingForm(ListingForm):
    """The short name is made of the title unless given; it stays, because addresses and the API use it."""

    slug = forms.SlugField(
        label=gettext_lazy("Short name"), max_length=80, required=False, help_text=gettext_lazy("Used in addresses and in the API; stays as it is.")
    )

    class Meta(ListingForm.Meta):
        fields = ("title", "slug", *ListingForm.Meta.fields[1:])  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["lead_sharing"] = False  # it has no lead URL yet that Partner Center could be told

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        slug = cleaned.get("slug") or slugify(cleaned.get("title", ""))[:80]
        if not slug and "slug" not in self.errors:
            self.add_error("slug", _("The title gives no short name; write one in Latin letters."))
        elif slug in TAKEN:
            self.add_error("slug", _("This short name is an address of the portal already."))
        cleaned["slug"] = slug
        return cleaned


class PlaybookForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a storefront is worked: audience, campaign, kinds of listing, follow-up systems, when a lead gets an owner, and its clock."""

    listing_kinds = forms.MultipleChoiceField(label=gettext_lazy("Listings"), choices=ListingKind.choices, widget=forms.CheckboxSelectMultiple)
    follow_up_systems = forms.MultipleChoiceField(
        label=gettext_lazy("Follow-up systems"), choices=Storefront.FollowUp.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Storefront
        fields = ("audience", "campaign_kind", "listing_kinds", "follow_up_systems", "owner_when", "respond_within_hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("audience", "campaign_kind", "owner_when"):  # a playbook always has one; there is nothing to leave open
            field: Any = self.fields[name]
            field.choices = [choice for choice in field.choices if choice[0]]

    def clean_listing_kinds(self) -> list[str]:
        """A kind that listings have can't be taken away from under them."""
        kinds = self.cleaned_data["listing_kinds"]
        left = self.instance.listings.exclude(kind__in=kinds).order_by("title").first()
        if left:
            raise ValidationError(_("%(listing)s is of the kind %(kind)s.") % {"listing": left.title, "kind": left.get_kind_display()})
        return kinds
