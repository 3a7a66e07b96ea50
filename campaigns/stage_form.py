"""What can be said about a stage in the builder, by its kind."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from campaigns.kinds import LONGEST, SETTABLE
from campaigns.models import Stage
from leads.condition_form import ConditionForm, read_condition
from leads.models import Status

Kind = Stage.Kind
UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
DAYS = [(str(number + 1), name) for number, name in WEEKDAYS.items()]
MODES = (
    ("time", gettext_lazy("for a time")), ("hour", gettext_lazy("for a time, then until an hour of their day")),
    ("until", gettext_lazy("until something holds, but no longer than a time")),
)  # fmt: skip


class StageForm(forms.ModelForm):
    """The name of a stage; kinds add what they ask for."""

    class Meta:
        model = Stage
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


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
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=[(one.value, one.label) for one in SETTABLE])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].initial = self.instance.options.get("status", Status.NURTURING)

    def clean_status(self) -> str:
        self.instance.options = {"status": self.cleaned_data["status"]}
        return str(self.cleaned_data["status"])


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


FORMS: dict[str, type[StageForm]] = {
    Kind.WAIT: WaitForm, Kind.GOAL: TimedForm, Kind.TASK: TaskForm, Kind.SET: SetForm, Kind.BRANCH: BranchForm,
}  # fmt: skip


def form_of(stage: Stage, data: Any = None) -> StageForm:
    """The form that fits a stage."""
    return FORMS.get(stage.kind, StageForm)(data, instance=stage)
