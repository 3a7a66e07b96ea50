"""Runs the measurements over engines of their own, prints the table and writes bench/results/latest.json. Everything started is stopped at the end."""

import importlib
import json
import os
import sys
import time
from pathlib import Path

from bench.engines import Engines, stop_on_signals
from bench.rows import MEASURES, SCALES, Bench, Measured, Row, Scale, say, table
from portal.engines.data import CannotStart

TOP = Path(__file__).resolve().parent.parent
RESULTS = TOP / "bench" / "results" / "latest.json"
# In this order: the large tables grow from one to the next.
MODULES = ("ingest", "pipeline", "scoring", "routing", "pages", "figures", "search", "campaigns", "start")


def scale() -> Scale:
    wanted = os.environ.get("BENCH_SCALE", "").strip() or "small"
    if wanted not in SCALES:
        raise CannotStart(f"BENCH_SCALE is {wanted!r}; it takes {' or '.join(SCALES)}.")
    return SCALES[wanted]


def prepare(engines: Engines) -> None:
    """Make this process one of the portal, on these engines."""
    os.environ.update(engines.environment)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    from leads.partitions import keep_months_ahead

    keep_months_ahead()


def chosen(words: list[str]) -> list[Measured]:
    """What is to be measured: all, or whatever has a row whose name holds one of the words."""
    for name in MODULES:
        importlib.import_module(f"bench.{name}")
    wanted = [word.lower() for word in words]
    found = [one for one in MEASURES if not wanted or any(word in name.lower() for word in wanted for name in one.names)]
    if not found:
        raise CannotStart(f"No row is called like that. Rows: {'; '.join(name for one in MEASURES for name in one.names)}.")
    return found


def measure(bench: Bench, words: list[str]) -> list[Row]:
    found: list[Row] = []
    for one in chosen(words):
        began = time.monotonic()
        say(f"{' · '.join(one.names)}")
        found += one.measure(bench)
        say(f"  {time.monotonic() - began:.0f} s")
    return found


def main(words: list[str]) -> int:
    os.chdir(TOP)
    stop_on_signals()
    began = time.monotonic()
    try:
        asked = scale()
        with Engines("portal-bench-") as engines:
            prepare(engines)
            found = measure(Bench(asked, engines), words)
    except CannotStart as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    say(f"\n{table(found)}\n\n{asked.name}, {time.monotonic() - began:.0f} s")
    if not words:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps([row.as_json() for row in found], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
