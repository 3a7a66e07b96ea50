"""One run: faults while leads are posted, then everything is started again, drained and judged. Bounded in time; stops all it started."""

import os
import random
import sys
import time
from dataclasses import dataclass

from bench.engines import stop_on_signals
from portal.engines.data import CannotStart
from tests.chaos.faults import Faults
from tests.chaos.marketplace import Marketplace, letters
from tests.chaos.verdict import TIME_PASSES, Verdict, judge, waiting
from tests.chaos.world import TOP, World, crew


@dataclass(frozen=True, slots=True)
class Scale:
    """How many leads and faults, the seconds that both are spread over, and how long draining may take."""

    leads: int
    faults: int
    seconds: float
    patience: float


SCALES = {"tiny": Scale(300, 11, 18, 150), "small": Scale(2_000, 60, 150, 180), "full": Scale(20_000, 600, 1_500, 600)}
QUIET = 3.0  # seconds without anything moving before time is made to pass


def scale() -> Scale:
    wanted = os.environ.get("CHAOS_SCALE", "").strip() or "small"
    if wanted not in SCALES:
        raise CannotStart(f"CHAOS_SCALE is {wanted!r}; it takes {', '.join(SCALES)}.")
    return SCALES[wanted]


def number(name: str, plain: int) -> int:
    given = os.environ.get(name, "").strip()
    if given and not given.isdecimal():
        raise CannotStart(f"{name} is {given!r}; it takes a whole number.")
    return int(given) if given else plain


def run(asked: Scale, seed: int, workers: int, beats: int) -> tuple[Verdict, Faults]:
    chance = random.Random(seed)
    with World(seed, *crew(workers, beats)) as world:
        faults = Faults(world, chance)
        marketplace = Marketplace(world.port, letters(asked.leads, world.paths, chance), asked.seconds)
        marketplace.start()
        cause(faults, asked, marketplace)
        marketplace.wait(asked.seconds + 60)
        world.start_all()
        world.crm.is_well = True
        drain(world, asked.patience)
        return judge(world, marketplace.ledger), faults


def cause(faults: Faults, asked: Scale, marketplace: Marketplace) -> None:
    """The faults, evenly spread among the letters; a machine too slow for all of them gets the ones that fit."""
    began = time.monotonic()
    for nth, kind in enumerate(faults.order(asked.faults)):
        marketplace.release((nth + 1) / asked.faults)
        time.sleep(max(0.0, began + (nth + 0.5) * asked.seconds / asked.faults - time.monotonic()))
        if time.monotonic() > began + 2 * asked.seconds:
            break
        faults.inject(kind)
    marketplace.release(1)


def drain(world: World, patience: float) -> None:
    """Wait until nothing waits. What waits for its time is helped along once the rest stands still."""
    until, since, last = time.monotonic() + patience, time.monotonic(), waiting(world)
    while last and time.monotonic() < until:
        time.sleep(0.5)
        now = waiting(world)
        if now != last:
            since, last = time.monotonic(), now
        elif time.monotonic() - since > QUIET:
            since = time.monotonic()
            for statement in TIME_PASSES:
                world.sql(statement)


def main() -> int:
    os.chdir(TOP)
    stop_on_signals()
    began = time.monotonic()
    try:
        asked, seed = scale(), number("CHAOS_SEED", random.randrange(10**6))
        workers, beats = max(1, number("CHAOS_WORKERS", 2)), number("CHAOS_BEATS", 2)
        verdict, faults = run(asked, seed, workers, beats)
    except CannotStart as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 130
    for sentence in verdict.wrong:
        print(f"WRONG: {sentence}")
    kinds = " ".join(f"{kind}:{count}" for kind, count in sorted(faults.seen.items()))
    print(
        f"{verdict.figures} | F={sum(faults.seen.values())} {kinds} | seed={seed} workers={workers} beats={beats} | wall={time.monotonic() - began:.0f} s",
        flush=True,
    )
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
