"""What can be said about a stage in the builder, by its kind."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from campaigns.effects import destinations
from campaigns.kinds import LONGEST, MOST_BONUS, SETTABLE
from campaigns.models import Stage
from campaigns.splits import LEAST, MEASURES
from leads.condition_form import ConditionForm, read_condition
from leads.models import Status
from leads.tags import LONGEST as LONGEST_TAG
from leads.tags import written

Kind = Stage.Kind
UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
DAYS = [(str(number + 1), name) for number, name in WEEKDAYS.items()]
MODES = (
    ("time", gettext_lazy("for a time")), ("hour", gettext_lazy("for a time, then until an hour of their day")),
    ("until", gettext_lazy("until something holds, but no longer than a time")),
)  # fmt: skip


SETS = (
    ("status", gettext_lazy("the status")), ("tag", gettext_lazy("a tag")), ("bonus", gettext_lazy("a bonus to the score")),
    ("owner", gettext_lazy("the owner")),
)  # fmt: skip
COMPARED = (
    ("clicked", gettext_lazy("who opened a link")), ("goal", gettext_lazy("who reached the goal")),
    ("opportunity", gettext_lazy("who became an opportunity")),
)  # fmt: skip
BEGINS_WITH: dict[str, Any] = {"status": Status.NURTURING.value, "tag": "", "bonus": 5, "owner": ""}


class StageForm(forms.ModelForm):
    """The name of a stage; kinds add what they ask for."""

    then = forms.ModelChoiceField(Stage.objects.none(), label=gettext_lazy("Go on with"), required=False, empty_label=gettext_lazy("the next stage"))

    class Meta:
        model = Stage
        fields = ("name", "then")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        others = Stage.objects.filter(version=self.instance.version_id).exclude(pk=self.instance.pk)
        if self.instance.kind == Kind.EXIT or not others:
            del self.fields["then"]
        else:
            then = self.fields["then"]
            assert isinstance(then, forms.ModelChoiceField)
            then.queryset = others
        self.order_fields([*(name for name in self.fields if name != "then"), "then"])

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def keep(self) -> None:
        """Save what can be said here and nothing else: its place is the builder's."""
        self.instance.save(update_fields=["name", "then", "holds_for", "options"])


class TimedForm(StageForm):
    """A stage where one stands for a while."""

    amount = forms.IntegerField(label=gettext_lazy("Time"), min_value=0, max_value=100_000)
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=(("minutes", gettext_lazy("minutes")), ("hours", gettext_lazy("hours")), ("days", pgettext_lazy("unit", "days"))),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        minutes = int(self.instance.holds_for.total_seconds()) // 60
        unit = next(name for name in ("days", "hours", "minutes") if minutes % UNITS[name] == 0)
        self.fields["amount"].initial, self.fields["unit"].initial = minutes // UNITS[unit], unit

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "amount" in given and "unit" in given:
            self.instance.holds_for = timedelta(minutes=given["amount"] * UNITS[given["unit"]])
            if self.instance.holds_for > LONGEST:
                self.add_error("amount", _("It waits longer than two years."))
        return given


class WaitForm(TimedForm):
    """A wait for a time; then, if so chosen, until an hour of the person's day; or until a condition holds."""

    mode = forms.ChoiceField(label=gettext_lazy("Wait"), choices=MODES)
    at = forms.TimeField(
        label=gettext_lazy("Hour"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("In the main time zone of their country, which is an assumption; without a country, in yours."),
    )  # fmt: skip
    weekdays = forms.MultipleChoiceField(label=gettext_lazy("On"), choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple)
    field_order = ("name", "mode", "amount", "unit", "at", "weekdays")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.instance.options
        minute = options.get("minute", 9 * 60)
        self.fields["mode"].initial = self.way
        self.fields["at"].initial = f"{minute // 60:02}:{minute % 60:02}"
        self.fields["weekdays"].initial = [str(day) for day in options.get("weekdays", range(1, 6))]
        if self.way != "hour":
            del self.fields["at"], self.fields["weekdays"]

    @property
    def way(self) -> str:
        return "until" if "until" in self.instance.options else "hour" if "minute" in self.instance.options else "time"

    @property
    def conditions(self) -> list[tuple[str, ConditionForm]]:
        return [("", ConditionForm.of(self.instance.options["until"], "until"))] if self.way == "until" else []

    def clean(self) -> dict[str, Any]:
        given, was = super().clean(), self.way
        mode, at = given.get("mode"), given.get("at")
        if mode == "hour":
            days = [int(day) for day in given.get("weekdays") or ([] if was == "hour" else range(1, 6))]
            if not days:
                self.add_error("weekdays", _("Choose a day at least."))
            self.instance.options = {"minute": at.hour * 60 + at.minute if at else 9 * 60, "weekdays": days}
        elif mode == "until":
            before = self.instance.options.get("until", {})
            self.instance.options = {"until": read_condition(self.data, "until", before)}
        else:
            self.instance.options = {}
        return given


class TaskForm(StageForm):
    days = forms.IntegerField(label=gettext_lazy("Due after days"), min_value=0, max_value=365)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].initial = self.instance.options.get("days", 1)

    def clean_days(self) -> int:
        self.instance.options = {"days": self.cleaned_data["days"]}
        return int(self.cleaned_data["days"])


class SetForm(StageForm):
    """What to set about the lead: first what, then to which value."""

    what = forms.ChoiceField(label=gettext_lazy("Set"), choices=SETS)
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=[(one.value, one.label) for one in SETTABLE], required=False)
    tag = forms.CharField(label=gettext_lazy("Tag"), max_length=LONGEST_TAG, required=False)
    off = forms.BooleanField(label=gettext_lazy("Take it off instead"), required=False)
    bonus = forms.IntegerField(
        label=gettext_lazy("Points"), min_value=-MOST_BONUS, max_value=MOST_BONUS, required=False,
        help_text=gettext_lazy("They count as intent, within its cap. A lead has one bonus: a later one takes its place, and 0 takes it away."),
    )  # fmt: skip
    owner = forms.ChoiceField(label=gettext_lazy("Owner"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.instance.options
        self.fields["what"].initial = self.way
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(one.username, one.full_name) for one in User.objects.sellers()] if self.way == "owner" else []
        for name, plain in BEGINS_WITH.items():
            self.fields[name].initial = options.get(name, plain)
        self.fields["off"].initial = options.get("off", False)
        for name in ("status", "tag", "bonus", "owner"):
            if name != self.way:
                del self.fields[name]
        if self.way != "tag":
            del self.fields["off"]

    @property
    def way(self) -> str:
        return next((name for name in BEGINS_WITH if name in self.instance.options), "status")

    def clean(self) -> dict[str, Any]:
        given, was = super().clean() or {}, self.way
        what = given.get("what", was)
        value = given.get(what) if what == was else BEGINS_WITH[what]
        if what == "tag":
            value = written(value or "")
            if what == was and not value:
                self.add_error("tag", _("It does not say which tag."))
        if value is None:
            value = BEGINS_WITH[what]
        self.instance.options = {what: value} | ({"off": True} if given.get("off") else {})
        return given


class WebhookForm(StageForm):
    destination = forms.ChoiceField(
        label=gettext_lazy("System"), required=False,
        help_text=gettext_lazy("One of those under Follow-up. It gets the whole lead, signed, and every later change of it."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["destination"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("choose one")), *destinations().items()]
        field.initial = self.instance.options.get("destination", "")

    def clean_destination(self) -> str:
        self.instance.options = {"destination": self.cleaned_data["destination"]}
        return str(self.cleaned_data["destination"])


class NotifyForm(StageForm):
    to = forms.ChoiceField(label=gettext_lazy("Whom"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        people = User.objects.filter(is_active=True).exclude(email="").order_by("username")
        field.choices = [("", _("the owner, else who published the campaign")), *((one.username, one.full_name) for one in people)]
        field.initial = self.instance.options.get("to", "")

    def clean_to(self) -> str:
        self.instance.options = {"to": self.cleaned_data["to"]} if self.cleaned_data["to"] else {}
        return str(self.cleaned_data["to"])


class BranchForm(StageForm):
    """The ways out of a branch: each with its name and its question. A way whose stages stand below it keeps its place among the others."""

    @property
    def conditions(self) -> list[tuple[str, ConditionForm]]:
        arms = self.instance.options.get("arms", [])
        return [(arm["name"], ConditionForm.of(arm["when"], f"arm{number}")) for number, arm in enumerate(arms)]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        arms = self.instance.options.get("arms", [])
        self.instance.options = {"arms": [self.arm(number, arm) for number, arm in enumerate(arms)]}
        return given

    def arm(self, number: int, before: dict[str, Any]) -> dict[str, Any]:
        name = " ".join(self.data.get(f"arm{number}-name", before["name"]).split())[:60]
        return {"name": name or before["name"], "when": read_condition(self.data, f"arm{number}", before["when"])}


class SplitForm(StageForm):
    """The ways of an A/B test with their shares, what they are compared by, and whether the better one wins by itself."""

    measure = forms.ChoiceField(label=gettext_lazy("Compared by"), choices=COMPARED)
    auto = forms.BooleanField(
        label=gettext_lazy("The better way wins by itself"), required=False,
        help_text=gettext_lazy("Once its range lies above those of all others; looked at every hour."),
    )  # fmt: skip
    least = forms.IntegerField(label=gettext_lazy("Not before so many people took each way"), min_value=10, max_value=1_000_000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, plain in (("measure", MEASURES[0]), ("auto", False), ("least", LEAST)):
            self.fields[name].initial = self.instance.options.get(name, plain)

    @property
    def shares(self) -> list[dict[str, Any]]:
        return list(self.instance.options.get("arms", []))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        arms = [self.arm(number, arm) for number, arm in enumerate(self.instance.options.get("arms", []))]
        self.instance.options = {"arms": arms, **{name: given[name] for name in ("measure", "auto", "least") if name in given}}
        return given

    def arm(self, number: int, before: dict[str, Any]) -> dict[str, Any]:
        name, share = " ".join(self.data.get(f"arm{number}-name", before["name"]).split())[:60], self.data.get(f"arm{number}-share", "")
        read = int(share) if share.isdecimal() and len(share) < 4 else before.get("share", 1)
        if not 1 <= read <= 100:
            self.add_error(None, _("A share is a whole number from 1 to 100."))
            read = before.get("share", 1)
        return {"name": name or before["name"], "share": read}


FORMS: dict[str, type[StageForm]] = {
    Kind.WAIT: WaitForm, Kind.GOAL: TimedForm, Kind.TASK: TaskForm, Kind.SET: SetForm, Kind.BRANCH: BranchForm, Kind.SPLIT: SplitForm,
    Kind.WEBHOOK: WebhookForm, Kind.NOTIFY: NotifyForm,
}  # fmt: skip


def form_of(stage: Stage, data: Any = None) -> StageForm:
    """The form that fits a stage."""
    return FORMS.get(stage.kind, StageForm)(data, instance=stage)
