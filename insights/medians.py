"""Medians of the first response over any period, exact to the minute, without reading every minute of it.

The tallies hold how many leads were answered after so many whole minutes, once by minute and once by coarse steps. The steps say in which of
them a median lies; only the minutes of that step are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from insights.models import STEPS

ALL = 0  # the key of all listings together; no listing has it


@dataclass(slots=True)
class Counts:
    """How many were answered, by value: by step first, then by minute within the steps that the median lies in."""

    by_step: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    by_minute: dict[int, int] = field(default_factory=dict)

    @property
    def ranks(self) -> tuple[int, int]:
        """Which of them, counted from 1, the median is the mean of."""
        total = sum(self.by_step.values())
        return (total + 1) // 2, total // 2 + 1

    def span(self) -> tuple[int, int]:
        """The first and last step that the median rests on."""
        first, last = self.ranks
        return at_rank(self.by_step, first), at_rank(self.by_step, last)

    def median(self) -> float:
        first, last = self.ranks
        lowest, _highest = self.span()
        before = sum(leads for step, leads in self.by_step.items() if step < lowest)
        return (at_rank(self.by_minute, first - before) + at_rank(self.by_minute, last - before)) / 2


def at_rank(counts: dict[int, int], rank: int) -> int:
    """The value of that rank, counted from 1, of values given as value -> how often."""
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    raise ValueError("fewer values than that")


def medians(first: date, last: date, listings: Sequence[int]) -> dict[int, float]:
    """The median minutes of each listing that was answered in these days, and under ALL that of all of them. Two queries."""
    return to_the_minute(first, last, listings, steps(first, last, listings))


def median(first: date, last: date, listings: Sequence[int]) -> float | None:
    """The median of all of them together, if anybody was answered. Two queries."""
    return to_the_minute(first, last, listings, steps(first, last, listings, together=True)).get(ALL)


def to_the_minute(first: date, last: date, listings: Sequence[int], found: dict[int, Counts]) -> dict[int, float]:
    """The medians that lie in these steps."""
    for key, minute, leads in minutes(first, last, listings, found):
        found[key].by_minute[minute] = leads
    return {key: counts.median() for key, counts in found.items()}


def steps(first: date, last: date, listings: Sequence[int], together: bool = False) -> dict[int, Counts]:
    """How many were answered in each step, by listing and under ALL; `together` only that."""
    found: dict[int, Counts] = defaultdict(Counts)
    with connection.cursor() as cursor:
        cursor.execute(TOGETHER if together else EACH, {"first": first, "last": last, "listings": list(listings)})
        for listing, step, leads in cursor:
            found[listing].by_step[step] = leads
            if not together:
                found[ALL].by_step[step] += leads
    return dict(found)


def minutes(first: date, last: date, listings: Sequence[int], found: dict[int, Counts]) -> Iterable[tuple[int, int, int]]:
    """(key, minute, leads) of the steps that the medians lie in."""
    asked = [(key, listing, *bounds(*counts.span())) for key, counts in found.items() for listing in (listings if key == ALL else [key])]
    keys, of, lows, highs = zip(*asked, strict=True) if asked else ((), (), (), ())
    with connection.cursor() as cursor:
        cursor.execute(BY_MINUTE, {"first": first, "last": last, "keys": list(keys), "listings": list(of), "lows": list(lows), "highs": list(highs)})
        return list(cursor)


def bounds(first: int, last: int) -> tuple[int, int]:
    """The lowest and highest minute of these steps."""
    return (STEPS[first - 1] if first else 0), (STEPS[last] - 1 if last < len(STEPS) else 2**31 - 1)


BY_STEP = """
    SELECT {listing}, step, sum(leads)::int FROM insights_responsestep
    WHERE day BETWEEN %(first)s AND %(last)s AND listing_id = ANY(%(listings)s::bigint[]) GROUP BY 1, 2 HAVING sum(leads) > 0
"""
EACH, TOGETHER = BY_STEP.format(listing="listing_id"), BY_STEP.format(listing=ALL)
# One short range of the index per day and listing, whatever else these days hold; of the days asked for only those since anybody was answered.
BY_MINUTE = """
    SELECT a.key, t.minutes, sum(t.leads)::int
    FROM unnest(%(keys)s::bigint[], %(listings)s::bigint[], %(lows)s::int[], %(highs)s::int[]) AS a(key, listing, low, high)
    CROSS JOIN generate_series(greatest(%(first)s::date, (SELECT min(day) FROM insights_responsetally)),
                               least(%(last)s::date, (SELECT max(day) FROM insights_responsetally)), interval '1 day') AS d
    JOIN LATERAL (SELECT minutes, leads FROM insights_responsetally
                  WHERE day = d::date AND listing_id = a.listing AND minutes BETWEEN a.low AND a.high OFFSET 0) AS t ON true
    GROUP BY 1, 2
"""
