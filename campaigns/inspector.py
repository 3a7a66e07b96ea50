"""What stands beside a campaign's flow: one stage, opened; for a mail its text in one language with the form that changes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.remembered import remembered
from campaigns.forms import TextForm
from campaigns.models import Message, Split, Stage, StageText, Version
from campaigns.splits import Outcome, outcomes
from campaigns.stage_form import StageForm, form_of
from campaigns.words import languages, placeholders_help

STAGE_WORDS = {
    Stage.Kind.WAIT: lambda: _("Nothing is sent; the person moves on when the time is over."),
    Stage.Kind.EMAIL: lambda: _("A mail in the person's language, at most once per person and stage."),
    Stage.Kind.BRANCH: lambda: _("Asks about the lead; the first answer that is yes says which way the person goes."),
    Stage.Kind.SPLIT: lambda: _("Sends people one of several ways by chance, to see which does better."),
    Stage.Kind.TASK: lambda: _("A task appears on the lead; the person moves on."),
    Stage.Kind.HAND_OVER: lambda: _("The lead is qualified and gets an owner; nurture is held from then on, demand generation goes on."),
    Stage.Kind.SET: lambda: _("Something about the lead is set: its status, a tag, a bonus to its score, or its owner; the person moves on."),
    Stage.Kind.NOTIFY: lambda: _("A colleague gets a mail about the lead, if they may see it; the person moves on."),
    Stage.Kind.WEBHOOK: lambda: _(
        "Another system is told of the lead, by a signed webhook that is tried again until it is taken; the person moves on."
    ),
    Stage.Kind.GOAL: lambda: _("Whoever reaches the goal, at any stage, leaves the campaign and enters the pipeline; the others are waited for."),
    Stage.Kind.EXIT: lambda: _("The campaign ends for the person; no further mail comes from it."),
}


@dataclass(slots=True)
class Tab:
    """One language of a mail, and whether there is a text in it."""

    code: str
    name: str
    there: bool
    current: bool


@dataclass(slots=True)
class Inspector:
    """An open stage; without one the campaign itself is shown."""

    stage: Stage | None = None
    language: str = ""
    form: TextForm | None = None
    stage_form: StageForm | None = None
    place: str = ""
    tabs: list[Tab] = field(default_factory=list)
    sent: int = 0

    @property
    def language_name(self) -> str:
        return dict(languages()).get(self.language, self.language)

    @property
    def minutes(self) -> float:
        """How long a person stands at the stage before they are due."""
        return self.stage.holds_for.total_seconds() / 60 if self.stage else 0

    @property
    def placeholders(self) -> list[str]:
        return list(placeholders_help())

    @property
    def has_text(self) -> bool:
        return any(tab.there and tab.current for tab in self.tabs)

    @property
    def what(self) -> str:
        """What the kind of the stage means."""
        return str(STAGE_WORDS[Stage.Kind(self.stage.kind)]()) if self.stage else ""

    @property
    def outcomes(self) -> list[Outcome]:
        """What came of each way of a split so far."""
        return outcomes(self.stage) if self.stage and self.stage.kind == Stage.Kind.SPLIT else []

    @property
    def decision(self) -> Split | None:
        """The way of a split that won, if one did."""
        return Split.objects.select_related("decided_by").filter(stage_key=self.stage.key, winner__isnull=False).first() if self.stage else None

    @property
    def last_way(self) -> int:
        """The number of a branch's way for all others."""
        return len(self.stage.options.get("arms", [])) if self.stage else 0

    @classmethod
    def of(cls, version: Version, asked: Mapping[str, str]) -> "Inspector":
        """The stage and language that an address asks for."""
        number = asked.get("stage", "")
        stage = version.stages.filter(pk=number).first() if number.isdecimal() and len(number) < 18 else None
        if stage is None:
            return cls(place=asked.get("add", "") if version.is_draft else "")
        if stage.kind != Stage.Kind.EMAIL:
            return cls(stage, stage_form=form_of(stage))
        language = asked.get("language", "") if asked.get("language", "") in dict(languages()) else "en"
        current = stage.texts.filter(language=language).first() or StageText(stage=stage, language=language)
        return cls.for_text(stage, language, TextForm(instance=current))

    @classmethod
    def for_text(cls, stage: Stage, language: str, form: TextForm) -> "Inspector":
        there = set(stage.texts.values_list("language", flat=True))
        tabs = [Tab(code, name, code in there, code == language) for code, name in languages()]
        sent = Message.objects.filter(stage__key=stage.key, state=Message.State.SENT)
        return cls(stage, language, form, form_of(stage), tabs=tabs, sent=remembered(f"campaigns sent by {stage.key}", sent.count))
