"""Forms of the record and of the pages around it."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from leads import normal, saved
from leads.models import Contact, Task
from leads.wording import country_choices


class ValueForm(forms.Form):
    """What a lead is expected to be worth."""

    value = forms.DecimalField(label=gettext_lazy("Expected value"), min_value=0, max_digits=12, decimal_places=2, required=False)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("Note"), max_length=5000, widget=forms.Textarea({"rows": 4, "autofocus": True}))


class CallForm(forms.Form):
    """How a call went. The button pressed says whether it reached them."""

    reached = forms.TypedChoiceField(choices=(("1", ""), ("0", "")), coerce=lambda value: value != "0", required=False)
    note = forms.CharField(label=gettext_lazy("What was said"), max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))


class WroteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("What about"), max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))


FURTHEST = timedelta(days=3650)


def tomorrow() -> datetime:
    """Tomorrow at nine, the user's time."""
    return timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=1), time(9)))


class TaskForm(forms.ModelForm):
    class Meta:
        model = Task
        fields = ("title", "due_at")
        widgets = {"title": forms.TextInput({"autofocus": True}), "due_at": forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_at"].initial = tomorrow

    def clean_due_at(self) -> datetime:
        """Not before today, and in years that somebody lives to see: the ends of the calendar can't be shown in every time zone."""
        due: datetime = self.cleaned_data["due_at"]
        if abs(due - timezone.now()) > FURTHEST:
            raise forms.ValidationError(_("That day is too far away."))
        if timezone.localdate(due) < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return due


def an_address(text: str) -> str:
    """The address as an identity; refused when it is none."""
    key = normal.email_key(text)
    if text and not key:
        raise forms.ValidationError(_("This is not an e-mail address."))
    return key


def a_country(code: str) -> str:
    """The code of a country of the list, or nothing."""
    if code and code not in normal.country_codes():
        raise forms.ValidationError(_("Choose a country of the list."))
    return code


def reachable(form: forms.Form | forms.ModelForm, cleaned: dict[str, Any]) -> dict[str, Any]:
    """The same with the phone number in its international form; refused when there is no way to reach the person."""
    cleaned["phone"] = normal.phone_of(cleaned.get("phone", ""), cleaned.get("country", ""))
    if not cleaned.get("email") and not normal.phone_key(cleaned["phone"]) and not form.errors:
        raise forms.ValidationError(_("Without e-mail and phone nobody can reach this person."))
    return cleaned


class ContactForm(forms.ModelForm):
    """What a person can correct. The e-mail address is who the contact is: it can be added, not changed."""

    class Meta:
        model = Contact
        fields = ("first_name", "last_name", "title", "company_said", "email", "phone", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].widget = forms.Select(choices=[("", "–"), *country_choices()])
        for field in self.fields.values():
            field.show_hidden_initial = True  # what somebody else corrected meanwhile stays
        for name, kind in (("phone", "tel"), ("email", "email")):
            self.fields[name].widget.input_type = kind
        if self.instance.email:
            self.fields["email"].disabled = True
            self.fields["email"].help_text = _("Who the contact is; a new address of theirs comes as a lead of its own.")

    @property
    def corrections(self) -> dict[str, Any]:
        """What differs from what was shown; all of it when nobody says what that was."""
        was_shown = any(name.startswith("initial-") for name in self.data)
        return {name: value for name, value in self.cleaned_data.items() if not was_shown or name in self.changed_data}

    def clean_email(self) -> str:
        return self.instance.email or an_address(self.cleaned_data["email"])

    def clean_country(self) -> str:
        return a_country(self.cleaned_data["country"])

    def clean(self) -> dict[str, Any]:
        return reachable(self, super().clean() or self.cleaned_data)


class SaveForm(forms.Form):
    """A name for the filters, and whether others are to see it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=saved.LONGEST_NAME)
    is_shared = forms.BooleanField(label=gettext_lazy("Show it to marketing and admins as well"), required=False)

    def __init__(self, data: QueryDict | None = None, *, user: User) -> None:
        super().__init__(data, auto_id="view_%s")
        if not user.sees_all:
            del self.fields["is_shared"]


def checked(request: HttpRequest, form: forms.Form | forms.ModelForm) -> dict[str, Any] | None:
    """What the form says; a form that says nothing usable leaves its complaint on the page."""
    if form.is_valid():
        return form.cleaned_data
    messages.warning(request, " ".join(f"{form.fields[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()))
    return None
