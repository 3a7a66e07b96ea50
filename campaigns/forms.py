"""What a person enters about campaigns: texts, senders, addresses that must not be written to."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import words
from campaigns.models import Sender, StageText, Suppression
from leads.normal import email_key


class TextForm(forms.ModelForm):
    """An e-mail stage's text in one language. Emptied, the language falls back to English; English itself can't be emptied."""

    class Meta:
        model = StageText
        fields = ("subject", "body")
        widgets = {"body": forms.Textarea(attrs={"rows": 14})}
        labels = {"body": gettext_lazy("Message")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = self.instance.language == "en"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in ("subject", "body"):
            self.check_placeholders(name, given.get(name) or "")
        if bool(given.get("subject")) != bool(given.get("body")) and not self.errors:
            raise forms.ValidationError(_("A mail needs both a subject and a message."))
        return given

    def check_placeholders(self, name: str, text: str) -> None:
        """Only the closed list is filled in; anything else in braces would be sent as it stands."""
        unknown = words.unknown_placeholders(text)
        rest = words.PLACEHOLDER.sub("", text)
        if unknown:
            message = _("Nothing is known for %(names)s. What can be filled in stands below the message.")
            self.add_error(name, message % {"names": ", ".join("{{ " + one + " }}" for one in unknown)})
        elif "{{" in rest or "}}" in rest or "{%" in rest:
            self.add_error(name, _("Something in double braces can't be read and would be sent as it stands."))

    def keep(self) -> bool:
        """Save the text, or drop it when emptied; returns whether there is one now."""
        if self.cleaned_data["body"]:
            self.save()
            return True
        if self.instance.pk:
            self.instance.delete()
        return False


class SenderForm(forms.ModelForm):
    """An address to write from, to be verified by whoever reads it."""

    class Meta:
        model = Sender
        fields = ("address", "name")
        help_texts = {"name": gettext_lazy("Shown beside the address; empty means the publisher's name.")}
        widgets = {"address": forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"})}

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class SuppressionForm(forms.Form):
    """An address that no campaign writes to again."""

    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=320, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[(one.value, one.label) for one in (Suppression.Reason.BY_HAND, Suppression.Reason.OBJECTED, Suppression.Reason.BOUNCED)],
    )

    def clean_address(self) -> str:
        """The address as campaigns know it."""
        key = email_key(self.cleaned_data["address"])
        if not key:
            raise forms.ValidationError(_("This is not an e-mail address."))
        return key
