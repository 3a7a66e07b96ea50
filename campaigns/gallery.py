"""Courses to begin a campaign with: files of stages that proved themselves, with texts in every language, for whoever does not want to begin with nothing."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Stage

Data = dict[str, Any]
FILES = Path(__file__).resolve().parent / "courses"


@dataclass(frozen=True, slots=True)
class Template:
    """A course: what it is for, who enters and leaves, and its stages as `campaigns.written` reads them."""

    slug: str
    name: str
    about: str
    kind: str
    storefront: str
    entry: Data
    goal: Data
    exit: Data
    stages: list[Data]

    @property
    def title(self) -> str:
        return _(self.name)

    @property
    def says(self) -> str:
        return _(self.about)

    @property
    def steps(self) -> list[tuple[int, Stage]]:
        """Its stages as they are read, each with how deep it stands in branches."""
        return [(depth, Stage(kind=data["kind"], name=_(data["name"]))) for depth, data in read(self.stages)]

    @property
    def mails(self) -> int:
        return sum(data["kind"] == Stage.Kind.EMAIL for _depth, data in read(self.stages))

    def spoken(self) -> list[Data]:
        """The stages, named in the language of whoever reads now."""
        return [named(data) for data in self.stages]


def read(stages: list[Data], depth: int = 0) -> list[tuple[int, Data]]:
    """Stages one after the other, those of an arm after the branch that leads to them."""
    found = []
    for data in stages:
        found.append((depth, data))
        for arm in data.get("arms", []):
            found += read(arm["stages"], depth + 1)
        found += read(data.get("otherwise", []), depth + 1)
    return found


def named(data: Data) -> Data:
    told = data | {"name": _(data["name"])}
    if "arms" in data:
        told["arms"] = [arm | {"name": _(arm["name"]), "stages": [named(one) for one in arm["stages"]]} for arm in data["arms"]]
    if "otherwise" in data:
        told["otherwise"] = [named(one) for one in data["otherwise"]]
    return told


@lru_cache(1)
def templates() -> dict[str, Template]:
    """All of them by slug, read once."""
    found = [Template(**json.loads(file.read_text("utf-8"))) for file in sorted(FILES.glob("*.json"))]
    return {one.slug: one for one in found}
