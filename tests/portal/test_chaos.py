"""A small run of `make chaos`: every kind of fault once, and nothing is lost and nothing is there twice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^A=(?P<A>\d+) D=(?P<D>\d+) L=(?P<L>\d+) U=(?P<U>\d+) Dl=(?P<Dl>\d+) De=(?P<De>\d+) Dm=(?P<Dm>\d+) \| F=(?P<F>\d+) ", re.MULTILINE)

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("chaos"), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="follows processes in /proc")]  # fmt: skip


def chaos(seconds: int, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.chaos"]
    return subprocess.run(command, cwd=TOP, env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds)


def test_nothing_is_lost_or_doubled_while_everything_is_killed():
    done = chaos(300, CHAOS_SCALE="tiny")
    found = LINE.search(done.stdout)
    assert done.returncode == 0 and found, done.stdout[-3000:] + done.stderr[-3000:]
    figures = {name: int(figure) for name, figure in found.groupdict().items()}
    assert figures["A"] == figures["D"] > 100
    assert [figures[name] for name in ("L", "U", "Dl", "De", "Dm")] == [0] * 5
    assert figures["F"] >= 5


@pytest.mark.parametrize(("name", "value"), [("CHAOS_SCALE", "huge"), ("CHAOS_SEED", "x")])
def test_odd_value_stops_the_start_with_a_sentence(name, value):
    done = chaos(60, **{name: value})
    assert done.returncode == 1
    assert done.stdout.startswith(f"{name} is '{value}'; it takes ") and "Traceback" not in done.stderr
