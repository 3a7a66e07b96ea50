"""Forms of destinations. What is particular to a kind comes from its folder: `ConfigForm` in delivery/connectors/<folder>/forms.py."""

from importlib import import_module
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from delivery.contract import connectors
from delivery.models import Destination
from listings.models import Listing


class ConfigForm(forms.Form):
    """What a connector asks for. Its fields are its settings by name; `sealed_field` names the one that is sealed: never shown, and kept when left empty."""

    sealed_field = "secret"
    makes_secrets = False  # whether new_secret makes one that the other side would take

    def __init__(self, data: Any = None, *, destination: Destination, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={**destination.config, **(initial or {})})
        self.destination = destination
        if destination.sealed_secret and self.sealed_field in self.fields:
            self.fields[self.sealed_field].required = False
            self.fields[self.sealed_field].help_text = _("One is set and stays as long as this is empty. It is never shown again.")

    def clean(self) -> dict[str, Any]:
        """Let the connector itself judge the settings; what it says of one of them stands beside that field, unless the field has said so itself."""
        given = super().clean() or {}
        config = {name: value for name, value in given.items() if value not in (None, "")}
        if self.sealed_field not in config and self.destination.sealed_secret:
            config[self.sealed_field] = self.destination.secret
        try:
            self.kept = connectors()[self.destination.kind].clean(config)
        except ValidationError as error:
            for name, sentences in getattr(error, "error_dict", {NON_FIELD_ERRORS: error}).items():
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, sentences)
        return given

    @staticmethod
    def new_secret() -> str:
        """A fresh secret, to be copied to the other side."""
        raise NotImplementedError


class DestinationForm(forms.ModelForm):
    """What every destination has: a name, and the listings whose leads it is told about."""

    listings = forms.ModelMultipleChoiceField(
        Listing.objects.for_display(),
        label=_("Listings"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leads of these listings go here, from their next change on."),
    )

    class Meta:
        model = Destination
        fields = ("name", "listings")


def config_form(kind: str) -> type[ConfigForm]:
    """The form of a kind of destination."""
    folder = type(connectors()[kind]).__module__.rpartition(".")[0]
    return import_module(f"{folder}.forms").ConfigForm


KEPT = ("name", "config", "sealed_secret")


def keep(form: DestinationForm, config: ConfigForm) -> Destination:
    """Save both valid forms as one destination."""
    destination: Destination = form.save(commit=False)
    destination.config, secret = config.kept
    destination.keep_secret(secret)
    with transaction.atomic():
        destination.save(update_fields=KEPT if destination.pk else None)  # not its state, which a call may have changed meanwhile
        form.save_m2m()
    return destination
