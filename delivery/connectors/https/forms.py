"""What a person enters for a CRM over HTTPS."""

import base64
import secrets

from django import forms as widgets
from django.utils.translation import gettext_lazy as _

from delivery import forms


class ConfigForm(forms.ConfigForm):
    makes_secrets = True

    url = widgets.CharField(
        label=_("Address"),
        max_length=2_000,
        widget=widgets.URLInput(attrs={"placeholder": "https://crm.example/leads", "spellcheck": "false"}),
        help_text=_("Each change of a lead is one POST of JSON to it."),
    )
    secret = widgets.CharField(
        label=_("Signing secret"),
        max_length=200,
        widget=widgets.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
        help_text=_("Standard Webhooks: base64 of 16 to 128 bytes, with or without whsec_ in front. Give the same one to your CRM."),
    )

    @staticmethod
    def new_secret() -> str:
        """A fresh signing secret of 256 random bits."""
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
