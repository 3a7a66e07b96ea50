"""The lead endpoint: POST -> 202, durable, over 16 keep-alive connections, with Redis and without.

Reference: pgbench, 16 clients, the very INSERT of the endpoint, prepared, a commit each. With Redis stopped: the same with Redis.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import cast, payloads
from bench.database import empty, rows
from bench.engines import Engines
from bench.rows import Bench, Row, measures, say
from bench.web import start_web, wait_for_web
from leads import door
from portal.engines.processes import Child, free_port

CONNECTIONS, CLIENTS = 16, 2
POST, PATIENCE, WITHOUT = "lead POST -> 202, durable, 16 connections", "lead POST: p99 to p50", "lead POST with Redis stopped"


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients saw in one stretch."""

    rate: float
    p50: float
    p99: float
    errors: int


class Endpoint:
    """A web server as `make run` starts it, and the clients that post to it."""

    def __init__(self, engines: Engines) -> None:
        self.engines, self.port = engines, free_port()
        paths = list(cast.gather().paths.values())
        self.posts = [[paths[listing], body.decode()] for listing, body in payloads.bodies(1_000)]
        self.web: Child | None = None

    def __enter__(self) -> "Endpoint":
        self.web = start_web(self.engines, self.port)
        wait_for_web(self.web, self.port)
        return self

    def __exit__(self, *_: object) -> None:
        if self.web:
            self.web.stop(signal.SIGTERM, grace=6)

    def load(self, seconds: float) -> Load:
        """Post from all connections for so long."""
        told = {"port": self.port, "connections": CONNECTIONS // CLIENTS, "seconds": seconds, "posts": self.posts}
        command = [sys.executable, "-m", "bench.client"]
        started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(CLIENTS)]
        try:
            for number, process in enumerate(started):
                assert process.stdin
                process.stdin.write(json.dumps({**told, "offset": 499 * number}).encode())
                process.stdin.close()
            return judge([json.load(process.stdout) for process in started if process.stdout])
        finally:
            for process in started:
                process.kill()
                process.wait()


def judge(answers: list[dict[str, Any]]) -> Load:
    latencies = [one for answer in answers for one in answer["milliseconds"]]
    errors = sum(answer["errors"] for answer in answers)
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return Load(sum(len(answer["milliseconds"]) / answer["seconds"] for answer in answers), cuts[49], cuts[98], errors)


def pgbench(engines: Engines, seconds: float) -> float:
    """Commits a second of pgbench with the endpoint's own statement and a body of usual size."""
    digest = rows("SELECT encode(digest, 'hex') FROM listings_leadurl ORDER BY id LIMIT 1")[0][0]
    body = next(body for _, body in payloads.bodies(1))
    values = {"kind": "application/json", "size": str(len(body)), "sha": f"\\x{'ab' * 32}", "body": f"\\x{body.hex()}", "digest": f"\\x{digest}"}
    words = ("uuidv7()", ":kind::text", ":size::int", ":sha::bytea", ":body::bytea", "'pending'", "''", ":digest::bytea")
    script = Path(engines.folder, "insert.sql")
    script.write_text((door.KEEP % words).strip().replace("\n", " ") + ";\n")
    told = [item for name, text in values.items() for item in ("-D", f"{name}={text}")]
    url = urlsplit(engines.postgres.url)
    command = [str(engines.postgres.bin / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(max(1, round(seconds)))]
    command += [*told, "-f", str(script), "-h", "127.0.0.1", "-p", str(url.port), "-U", str(url.username), "portal"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": str(url.password)})
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None or " failed" not in done.stdout or done.returncode:
        raise RuntimeError(f"pgbench failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    return float(found[1])


@measures(POST, PATIENCE)
def endpoint(bench: Bench) -> Iterator[Row]:
    """Stretches of pgbench and of posting in turns; medians."""
    empty()
    loads, references = [], []
    with Endpoint(bench.engines) as web:
        web.load(1.5)
        for _ in range(bench.scale.rounds):
            references.append(pgbench(bench.engines, bench.scale.seconds))
            loads.append(web.load(bench.scale.seconds))
            say(f"  {loads[-1].rate:,.0f}/s, p50 {loads[-1].p50:.1f} ms, p99 {loads[-1].p99:.1f} ms; pgbench {references[-1]:,.0f}/s")
    empty()
    errors = sum(load.errors for load in loads)
    rate, reference = statistics.median(load.rate for load in loads), statistics.median(references)
    yield Row(POST, rate, reference, "leads/s", 0.15, 0.25, holds=not errors, note=f"{errors} errors")
    yield Row(
        PATIENCE, statistics.median(load.p99 for load in loads), statistics.median(load.p50 for load in loads), "ms", 5, 3, more_is_better=False
    )


@measures(WITHOUT)
def without_redis(bench: Bench) -> Iterator[Row]:
    """Stretches with Redis and with Redis stopped in turns; medians."""
    if bench.engines.redis is None:
        say(f"NOT MEASURED, there is no Redis here: {WITHOUT}")
        return
    empty()
    rates: dict[bool, list[Load]] = {True: [], False: []}
    with Endpoint(bench.engines) as web:
        web.load(1.5)
        for _ in range(bench.scale.rounds):
            rates[True].append(web.load(bench.scale.seconds))
            bench.engines.stop_redis()
            rates[False].append(web.load(bench.scale.seconds))
            bench.engines.start_redis()
    empty()
    errors = sum(load.errors for loads in rates.values() for load in loads)
    ours, reference = (statistics.median(load.rate for load in rates[is_up]) for is_up in (False, True))
    yield Row(WITHOUT, ours, reference, "leads/s", 0.9, 1.0, holds=not errors, note=f"{errors} errors")
