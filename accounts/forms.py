"""What people enter about themselves, and admins about people, teams and tokens."""

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from accounts.models import Team, User
from accounts.roles import LABELS, ROLES, SALES, scopes_of

SCOPES = {
    "read": pgettext_lazy("scope", "Read"),
    "write": pgettext_lazy("scope", "Change"),
    "admin": pgettext_lazy("scope", "Administer, with lead URLs and destinations"),
}


def zones(empty: Any) -> list[tuple[str, Any]]:
    """Every time zone with a place in its name, after what leaving it empty means."""
    return [("", empty), *((name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC")]


class PreferencesForm(forms.ModelForm):
    """A person's own name, language and time zone."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "language", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages: Any = self.fields["language"]
        languages.choices = [("", _("As the browser asks")), *User._meta.get_field("language").flatchoices]
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), required=False, choices=zones(_("UTC")))


class PersonForm(forms.ModelForm):
    """Somebody who signs in: name, address and roles. The password is theirs to set."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"), choices=[(role, LABELS[role]) for role in ROLES], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")
        help_texts = {"username": gettext_lazy("What they sign in with, beside their e-mail address.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = not self.instance.is_demo
        if self.instance.pk:
            self.fields["username"].disabled = True
            self.initial["roles"] = [role for role in ROLES if role in self.instance.role_names]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip()
        if email and User.objects.exclude(pk=self.instance.pk).filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Somebody else has this address."))
        return email


class TeamForm(forms.ModelForm):
    """Sellers and who leads them."""

    class Meta:
        model = Team
        fields = ("name", "leader", "members")
        widgets = {"members": forms.CheckboxSelectMultiple}
        help_texts = {"leader": gettext_lazy("Sees the leads of all members.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("leader", "members"):
            field: Any = self.fields[name]
            field.queryset = User.objects.filter(is_active=True, groups__in=Group.objects.filter(name=SALES)).order_by("username")
            field.label_from_instance = lambda user: user.full_name
        leader: Any = self.fields["leader"]
        leader.empty_label = _("Nobody")


class TokenForm(forms.Form):
    """A key to the API: what for, what it may, how long."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What it is for, so that you know it again."))
    scopes = forms.MultipleChoiceField(label=gettext_lazy("It may"), widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Expires after"),
        coerce=int,
        initial=90,
        choices=[(days, ngettext_lazy("%(n)d day", "%(n)d days", days) % {"n": days}) for days in (7, 30, 90, 365)],
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope, SCOPES[scope]) for scope in scopes_of(user.role_names)]
        scopes.initial = ["read"]

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
