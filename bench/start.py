"""Seconds until `make run` says ready: a second start, and, at full scale, a fresh clone with the installer's own cache. They have no reference."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.engines import OURS, Engines
from bench.rows import Bench, Row, measures, say
from portal.engines.processes import Child, free_port, open_log, tail, wait

CLONE, WARM = "fresh clone -> ready", "warm start -> ready"
TOP = Path(__file__).resolve().parent.parent


def environment(**own: str) -> dict[str, str]:
    """That of somebody who has set nothing of the portal's."""
    given = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PORTAL_")}
    return {**given, "PORT": str(free_port()), **own}


def seconds_to_ready(engines: Engines, name: str, command: list[str], told: dict[str, str]) -> float:
    """Run it until it says ready, then stop it as Ctrl-C does. Raises RuntimeError when it ends before."""
    log = open_log(engines.folder, name)
    log.unlink(missing_ok=True)
    began = time.monotonic()
    child = Child(engines.guardian, command, log, environment=told, death=signal.SIGTERM)
    try:
        wait(lambda: "\nready http" in f"\n{log.read_text()}" or child.has_ended(), 300)
        took = time.monotonic() - began
        if "ready http" not in log.read_text():
            raise RuntimeError(f"it never got ready:\n{tail(log)}")
        return took
    finally:
        os.killpg(child.pid, signal.SIGINT)
        wait(child.has_ended, 30)
        child.stop(signal.SIGTERM, grace=10)


@measures(CLONE, WARM)
def start(bench: Bench) -> Iterator[Row]:
    """The first start makes the database, the ones after it are warm."""
    told = environment(PORTAL_DATA=str(bench.engines.folder / "start"), PORTAL_DEMO="0")
    command = [sys.executable, "-m", "portal.supervisor"]
    try:
        if bench.scale.is_full:
            yield Row(CLONE, clone(bench.engines), None, "s", 90, 45, more_is_better=False)
        first = seconds_to_ready(bench.engines, "start", command, told)
        warm = statistics.median(seconds_to_ready(bench.engines, "start", command, told) for _ in range(3))
        say(f"  first start without demo data {first:.1f} s, warm {warm:.1f} s")
        yield Row(WARM, warm, None, "s", 5, 3, more_is_better=False)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        say(f"NOT MEASURED, the portal does not start: {error}")


def clone(engines: Engines) -> float:
    """`git clone` and `make run` with demo data, from nothing but a Python, make and git."""
    target = engines.folder / "clone"
    began = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", str(TOP), str(target)], check=True)
    cloned = time.monotonic() - began
    try:
        return cloned + seconds_to_ready(engines, "clone", ["make", "--no-print-directory", "-C", str(target), "run"], environment())
    finally:
        shutil.rmtree(target, ignore_errors=True)
