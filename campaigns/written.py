"""A version as data: nested stages that can be read, kept in a file, and written back into a draft. The API and the gallery speak it.

A stage is {kind, name, holds_for?, options?, texts?, key?, then?}; a branch has {arms: [{name, when, stages}], otherwise: [stages]} instead of options.
`holds_for` is an ISO 8601 duration, `texts` {language: {subject, body}}, `then` the key of the stage to go on with. A key that is kept keeps the stage
the same over versions: what it did for a person it does not do again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string
from django.utils.translation import gettext as _

from campaigns import words
from campaigns.build import building
from campaigns.flow import FORKS, Flow, Step
from campaigns.kinds import LONGEST, MOST_BONUS, MOST_STAGES
from campaigns.letterhead import UNSUBSCRIBE, html_of
from campaigns.models import Enrollment, Stage, StageText, Version
from campaigns.splits import MEASURES
from leads.conditions import can_be_kept, check
from leads.dialects import texts
from leads.tags import written

Kind = Stage.Kind
Data = dict[str, Any]
DEEPEST = 6


def as_data(version: Version) -> list[Data]:
    """The stages of a version, nested as they are read."""
    return [told(step) for step in Flow.of(version.stages.select_related("then").prefetch_related("texts")).top]


def told(step: Step) -> Data:
    stage = step.stage
    data: Data = {"key": str(stage.key), "kind": stage.kind, "name": stage.name}
    if stage.holds_for:
        data["holds_for"] = duration_iso_string(stage.holds_for)
    if stage.kind in WAYS:
        data |= WAYS[stage.kind](step)
    elif stage.options:
        data["options"] = stage.options
    if stage.kind == Kind.EMAIL:
        data["texts"] = {
            text.language: {"subject": text.subject, "body": text.body} | ({"mjml": text.mjml} if text.mjml else {}) for text in stage.texts.all()
        }
    if stage.then:
        data["then"] = str(stage.then.key)
    return data


def told_branch(step: Step) -> Data:
    *asked, others = step.arms
    return {
        "arms": [{"name": arm.name, "when": arm.when, "stages": [told(one) for one in arm.steps]} for arm in asked],
        "otherwise": [told(one) for one in others.steps],
    }


def told_split(step: Step) -> Data:
    options = {name: value for name, value in step.stage.options.items() if name != "arms"}
    shares = step.stage.options.get("arms", [])
    arms = [{"name": arm.name, "share": shares[arm.number].get("share", 1), "stages": [told(one) for one in arm.steps]} for arm in step.arms]
    return {"arms": arms} | ({"options": options} if options else {})


WAYS: dict[str, Callable[[Step], Data]] = {Kind.BRANCH: told_branch, Kind.SPLIT: told_split}


@dataclass(slots=True)
class Reading:
    """What was read so far: stages in the order they are made, their wanted keys, texts and jumps."""

    version: Version
    stages: list[Stage] = field(default_factory=list)
    keys: dict[int, UUID] = field(default_factory=dict)
    jumps: dict[int, str] = field(default_factory=dict)
    texts: list[StageText] = field(default_factory=list)

    def add(self, stages: Any, parent: Stage | None, arm: int, at: str, depth: int = 0) -> None:
        """Take in the stages of one arm; `at` says where in the data they stand."""
        if not isinstance(stages, list):
            raise wrong(at, _("a list of stages is expected"))
        if depth > DEEPEST:
            raise wrong(at, _("branches stand too deep in each other"))
        for position, data in enumerate(stages):
            self.add_one(data, parent, arm, position, f"{at}[{position}]", depth)

    def add_one(self, data: Any, parent: Stage | None, arm: int, position: int, at: str, depth: int) -> None:
        check_stage(data, at, len(self.stages))
        kind, name = data["kind"], data["name"]
        stage = Stage(version=self.version, kind=kind, name=" ".join(name.split()), parent=parent, arm=arm, position=position)
        stage.holds_for = duration(data.get("holds_for"), f"{at}.holds_for")
        stage.options = options_of(kind, data.get("options") or {}, f"{at}.options")
        if kind in FORKS:
            stage.options["arms"] = list(self.arms(data, at))
        place = len(self.stages)
        self.stages.append(stage)
        if data.get("key"):
            self.keys[place] = key(data["key"], f"{at}.key")
        if data.get("then"):
            self.jumps[place] = str(data["then"])
        self.texts += texts_of(stage, data.get("texts") or {}, f"{at}.texts")
        if kind in FORKS:
            for number, one in enumerate(data.get("arms") or []):
                self.add(one.get("stages") or [], stage, number, f"{at}.arms[{number}].stages", depth + 1)
            if kind == Kind.SPLIT and data.get("otherwise"):
                raise wrong(f"{at}.otherwise", _("at a split everybody takes one of its ways"))
            self.add(data.get("otherwise") or [], stage, len(stage.options["arms"]), f"{at}.otherwise", depth + 1)

    def arms(self, data: Data, at: str) -> Iterator[Data]:
        if not isinstance(data.get("arms") or [], list):
            raise wrong(f"{at}.arms", _("a list of ways is expected"))
        for number, arm in enumerate(data.get("arms") or []):
            if not isinstance(arm, dict) or not isinstance(arm.get("name"), str):
                raise wrong(f"{at}.arms[{number}]", _("a way is an object with a name, a condition and stages"))
            place = f"{at}.arms[{number}]"
            if data["kind"] == Kind.SPLIT:
                yield {"name": arm["name"][:60], "share": whole(1, 100)(arm.get("share", 1), f"{place}.share")}
            else:
                yield {"name": arm["name"][:60], "when": condition(arm.get("when"), f"{place}.when")}

    def keep(self) -> None:
        """Make the stages those of the version. Old ones go once nobody stands at them; only then their keys are free."""
        old = list(self.version.stages.all())
        kept = {stage.key for stage in old}
        splits = Stage.objects.filter(version__campaign=self.version.campaign_id, kind=Stage.Kind.SPLIT)
        ways = {stage.key: len(stage.options.get("arms", [])) for stage in splits}
        for stage in self.stages:
            stage.save()
        StageText.objects.bulk_create(self.texts)
        people = Enrollment.objects.filter(stage__in=old)
        if self.stages:
            people.update(stage=self.stages[0])
        elif people.exists():
            raise ValidationError(_("People wait at it; add another stage first."))
        Stage.objects.filter(pk__in=[stage.pk for stage in old]).delete()
        before = kept | set(Stage.objects.filter(version__campaign=self.version.campaign_id).values_list("key", flat=True))
        for place, stage in enumerate(self.stages):
            # A key from elsewhere, as a file may bring, would tie two campaigns' mails together.
            # A split with fewer ways than it had is another test (build.remove_arm).
            wished = self.keys.get(place)
            if wished and wished in before and len(stage.options.get("arms", [])) >= ways.get(wished, 0):
                stage.key = wished
        said = {str(self.keys[place]): stage for place, stage in enumerate(self.stages) if place in self.keys}
        for place, wanted in self.jumps.items():
            if wanted not in said:
                raise wrong("then", _("no stage has the key %(key)s") % {"key": wanted[:60]})
            self.stages[place].then = said[wanted]
        Stage.objects.bulk_update(self.stages, ["key", "then"])


def write(version: Version, stages: Any) -> list[Stage]:
    """Put these stages in the place of a draft's; returns them. Raises ValidationError that says where in the data it is wrong; then nothing changes.

    Locks the campaign, as all building does.
    """
    if any(not can_be_kept(one) for one in texts(stages)):
        raise wrong("stages", _("a text holds what can’t be kept, such as NUL"))
    with building(version):
        reading = Reading(version)
        reading.add(stages, None, 0, "stages")
        said = list(reading.keys.values())
        if len(set(said)) < len(said):
            raise wrong("stages", _("two stages have the same key"))
        reading.keep()
    return reading.stages


def check_stage(data: Any, at: str, so_far: int) -> None:
    """Whether it is a stage at all, and there is room for it."""
    if not isinstance(data, dict) or data.get("kind") not in Kind.values:
        raise wrong(at, _("a stage is an object with a kind, one of %(kinds)s") % {"kinds": ", ".join(Kind.values)})
    if unknown := set(data) - {"kind", "name", "holds_for", "options", "texts", "key", "then", "arms", "otherwise"}:
        raise wrong(at, _("unknown: %(names)s") % {"names": ", ".join(sorted(unknown))})
    if so_far >= MOST_STAGES:
        raise wrong(at, _("A campaign may have %(n)d stages.") % {"n": MOST_STAGES})
    name = data.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        raise wrong(f"{at}.name", _("a name of 1 to 100 characters is expected"))


def wrong(at: str, what: str) -> ValidationError:
    return ValidationError(f"{at}: {what}")


def key(said: Any, at: str) -> UUID:
    try:
        return UUID(str(said))
    except ValueError:
        raise wrong(at, _("a UUID is expected")) from None


def duration(said: Any, at: str) -> timedelta:
    if said in (None, ""):
        return timedelta()
    try:
        found = parse_duration(said) if isinstance(said, str) and len(said) < 40 else None
    except OverflowError:
        found = None
    if found is None or not timedelta() <= found <= LONGEST:
        raise wrong(at, _("a duration of up to two years is expected, such as P3D or PT2H"))
    return found


def condition(said: Any, at: str) -> Data:
    try:
        check(said if said is not None else {})
    except ValidationError as error:
        raise wrong(at, " ".join(error.messages)) from None
    return said or {}


def texts_of(stage: Stage, said: Any, at: str) -> Iterator[StageText]:
    """The texts of a mail. Raises ValidationError for a language that is none of ours, or a placeholder that nothing fills."""
    if said and stage.kind != Kind.EMAIL:
        raise wrong(at, _("only mails have texts"))
    if not isinstance(said, dict) or set(said) - set(dict(words.languages())):
        raise wrong(at, _("texts go by language, of %(codes)s") % {"codes": ", ".join(dict(words.languages()))})
    for language, text in said.items():
        subject, body = (text.get("subject"), text.get("body")) if isinstance(text, dict) else (None, None)
        if not (isinstance(subject, str) and isinstance(body, str) and subject.strip() and body.strip() and len(subject) <= 200):
            raise wrong(f"{at}.{language}", _("a subject of up to 200 characters and a body are expected"))
        if unknown := words.unknown_placeholders(subject + body):
            raise wrong(f"{at}.{language}", _("nothing is known for %(names)s") % {"names": ", ".join(unknown)})
        yield StageText(stage=stage, language=language, subject=" ".join(subject.split()), body=body, **look(text, language, f"{at}.{language}.mjml"))


def look(said: Data, language: str, at: str) -> dict[str, str]:
    """The MJML of a text, if it has any, and the HTML that comes of it."""
    mjml = text(said["mjml"], at, 100_000) if said.get("mjml") else ""
    if mjml and (not UNSUBSCRIBE.search(mjml) or words.unknown_placeholders(UNSUBSCRIBE.sub("", mjml))):
        raise wrong(at, _("{{ unsubscribe }} must be in it, and nothing else that is unknown"))
    try:
        return {"mjml": mjml, "html": html_of(said["body"], mjml, language)}
    except ValidationError as error:
        raise wrong(at, " ".join(error.messages)) from None


def options_of(kind: str, said: Any, at: str) -> Data:
    """The options of a stage, as far as the kind knows them and they are of the right type."""
    if not isinstance(said, dict):
        raise wrong(at, _("an object is expected"))
    known = KNOWN.get(kind, {})
    if unknown := set(said) - set(known):
        raise wrong(at, _("unknown: %(names)s") % {"names": ", ".join(sorted(unknown))})
    if kind == Stage.Kind.SET and len(set(said) - {"off"}) > 1:
        raise wrong(at, _("a stage sets one thing"))
    return {name: known[name](value, f"{at}.{name}") for name, value in said.items()}


def whole(least: int, most: int) -> Any:
    def read(said: Any, at: str) -> int:
        if type(said) is not int or not least <= said <= most:
            raise wrong(at, _("a whole number from %(least)d to %(most)d is expected") % {"least": least, "most": most})
        return said

    return read


def weekdays(said: Any, at: str) -> list[int]:
    if not isinstance(said, list) or not all(type(day) is int and 1 <= day <= 7 for day in said):
        raise wrong(at, _("a list of days of the week is expected, 1 for Monday to 7 for Sunday"))
    return sorted(set(said))


def text(said: Any, at: str, most: int = 150) -> str:
    if not isinstance(said, str) or len(said) > most:
        raise wrong(at, _("a text is expected"))
    return said


def tag(said: Any, at: str) -> str:
    return written(text(said, at))


def flag(said: Any, at: str) -> bool:
    if not isinstance(said, bool):
        raise wrong(at, _("true or false is expected"))
    return said


def measure(said: Any, at: str) -> str:
    if said not in MEASURES:
        raise wrong(at, _("one of %(names)s is expected") % {"names": ", ".join(MEASURES)})
    return str(said)


KNOWN: dict[str, Data] = {
    Kind.WAIT: {"minute": whole(0, 24 * 60 - 1), "weekdays": weekdays, "until": condition},
    Kind.TASK: {"days": whole(0, 365)},
    Kind.SPLIT: {"measure": measure, "auto": flag, "least": whole(10, 1_000_000)},
    Kind.NOTIFY: {"to": text},
    Kind.WEBHOOK: {"destination": text},
    Kind.SET: {"status": text, "tag": tag, "off": flag, "bonus": whole(-MOST_BONUS, MOST_BONUS), "owner": text},
}
