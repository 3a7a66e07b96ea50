"""A row of the table: what was measured, beside its reference, against its floor and aim; and the list of what can be measured."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.engines import Engines


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: the sizes that the rows take."""

    name: str
    rounds: int
    seconds: float
    submissions: int
    leads: int
    many_leads: int
    due: int
    few_due: int
    few_enrolled: int

    @property
    def is_full(self) -> bool:
        return self.name == "full"


SCALES = {
    "small": Scale("small", 3, 3.0, 10_000, 100_000, 500_000, 50_000, 5_000, 50_000),
    "full": Scale("full", 3, 8.0, 100_000, 1_000_000, 5_000_000, 100_000, 10_000, 100_000),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement may use."""

    scale: Scale
    engines: Engines


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `ratio` is ours to the reference; without a reference `ours` itself meets the floor or not."""

    work: str
    ours: float
    reference: float | None
    unit: str
    floor: float
    aim: float
    more_is_better: bool = True
    holds: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.reference is None else self.ours / self.reference

    @property
    def ok(self) -> bool:
        """Whether the floor is met, whichever way it points, and whatever else had to hold."""
        figure = self.ours if self.ratio is None else self.ratio
        return self.holds and (figure >= self.floor if self.more_is_better else figure <= self.floor)

    def as_json(self) -> dict[str, Any]:
        kept = {name: value for name, value in asdict(self).items() if name not in ("more_is_better", "holds", "note")}
        return {**kept, "ratio": self.ratio, "ok": self.ok}


Measure = Callable[[Bench], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A function that yields rows, and what these are called."""

    names: tuple[str, ...]
    measure: Measure


MEASURES: list[Measured] = []


def measures(*names: str) -> Callable[[Measure], Measure]:
    """Put a function on the list; they run in the order of the list."""

    def add(measure: Measure) -> Measure:
        MEASURES.append(Measured(names, measure))
        return measure

    return add


def seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def median_seconds(act: Callable[[], Any], times: int) -> float:
    return statistics.median(seconds(act) for _ in range(times))


def say(sentence: str) -> None:
    print(sentence, flush=True)


HEADS = ("work", "ours", "reference", "unit", "ratio", "floor", "aim", "ok")


def table(rows: list[Row]) -> str:
    """The rows as text, figures to the right."""
    lines = [HEADS, *(cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    left = (0, 3, 7)

    def written(line: tuple[str, ...]) -> str:
        cells = (cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths, strict=True)))
        return "  ".join(cells).rstrip()

    return "\n".join(map(written, lines))


def cells(row: Row) -> tuple[str, ...]:
    sign = ">=" if row.more_is_better else "<="
    ratio = "" if row.ratio is None else figure(row.ratio)
    reference = "" if row.reference is None else figure(row.reference)
    verdict = ("ok" if row.ok else "MISSED") + (f" ({row.note})" if row.note else "")
    return row.work, figure(row.ours), reference, row.unit, ratio, f"{sign} {figure(row.floor)}", f"{sign} {figure(row.aim)}", verdict


def figure(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
