"""What stands beside a campaign's flow: one stage, opened; for a mail its text in one language with the form that changes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.remembered import remembered
from campaigns.forms import TextForm
from campaigns.models import Campaign, Message, Stage, StageText
from campaigns.words import languages, placeholders_help


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

    @classmethod
    def of(cls, campaign: Campaign, asked: Mapping[str, str]) -> "Inspector":
        """The stage and language that an address asks for."""
        number = asked.get("stage", "")
        stage = campaign.stages.filter(pk=number).first() if number.isdecimal() and len(number) < 18 else None
        if stage is None or stage.kind != Stage.Kind.EMAIL:
            return cls(stage)
        language = asked.get("language", "") if asked.get("language", "") in dict(languages()) else "en"
        current = stage.texts.filter(language=language).first() or StageText(stage=stage, language=language)
        return cls.for_text(stage, language, TextForm(instance=current))

    @classmethod
    def for_text(cls, stage: Stage, language: str, form: TextForm) -> "Inspector":
        there = set(stage.texts.values_list("language", flat=True))
        tabs = [Tab(code, name, code in there, code == language) for code, name in languages()]
        sent = Message.objects.filter(stage=stage, state=Message.State.SENT)
        return cls(stage, language, form, tabs, remembered(f"campaigns sent by {stage.pk}", sent.count))
