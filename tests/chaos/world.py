"""The portal under test: engines of its own, one web server, workers and beats, each of which can be killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2

from bench.engines import Engines
from bench.web import start_beat, start_web, start_worker, wait_for_web
from portal.engines.processes import Child, free_port
from tests.chaos.crm import Crm, Post

TOP = Path(__file__).resolve().parents[2]
CAST = "import json, sys, django; django.setup(); from bench import cast; from tests.chaos import flow; paths = cast.gather(4, 5, sys.argv[1]).paths; flow.run(sys.argv[2]); print(json.dumps(paths))"


def crew(workers: int, beats: int) -> tuple[str, ...]:
    """The names of a web server, so many workers and so many beats."""
    return ("web", *(f"worker{n + 1}" for n in range(workers)), *(f"beat{n + 1}" for n in range(beats)))


class World:
    """Everything that runs, by name."""

    def __init__(self, seed: int, *names: str, has_redis: bool = True) -> None:
        """All of it, or only what is named; with Redis from the start or without."""
        self.crm, self.post, self.has_redis = Crm(seed), Post(seed), has_redis
        self.engines = Engines("portal-chaos-")
        self.engines.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{self.post.port}"
        self.port = free_port()
        self.children: dict[str, Child] = {}
        starts: dict[str, Callable[[str], Child]] = {
            "web": lambda name: start_web(self.engines, self.port),
            "worker": lambda name: start_worker(self.engines, name=name),
            "beat": lambda name: start_beat(self.engines, name),
        }
        self.start_one = {name: partial(starts[name.rstrip("0123456789")], name) for name in names or crew(2, 2)}

    def __enter__(self) -> "World":
        try:
            self.engines.__enter__()
            if not self.has_redis:
                self.engines.stop_redis()
            self.step("-m", "portal.engines.prepare")
            self.paths: dict[str, str] = json.loads(self.step("-c", CAST, self.crm.url, self.crm.hook))
            for name in self.start_one:
                self.start(name)
            wait_for_web(self.children["web"], self.port)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def step(self, *arguments: str) -> str:
        """Run a command of the portal to its end; returns what it printed."""
        done = subprocess.run([sys.executable, *arguments], cwd=TOP, env=self.engines.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments[:2]} failed: {done.stderr[-1500:]}"
        return done.stdout

    def names(self, kind: str) -> list[str]:
        """Those of a kind that are to run."""
        return [name for name in self.start_one if name.startswith(kind)]

    def start(self, name: str) -> None:
        if name not in self.children:
            self.children[name] = self.start_one[name]()

    def kill(self, name: str) -> None:
        """SIGKILL to the whole group at once."""
        child = self.children.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.reap()

    def flush_redis(self) -> None:
        server = self.engines.redis
        if server and self.engines.redis_child:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
                line.sendall(f"AUTH {server.password}\r\nFLUSHALL\r\n".encode())
                line.recv(100)

    def start_all(self) -> None:
        """Bring up whatever is down."""
        if self.engines.postgres_child is None:
            self.engines.start_postgres()
        if self.engines.redis_child is None:
            self.engines.start_redis()
        for name in self.start_one:
            if name in self.children and self.children[name].has_ended():
                self.children.pop(name).reap()
            self.start(name)
        wait_for_web(self.children["web"], self.port)

    def sql(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        url = self.engines.postgres.url.replace("postgres://", "postgresql://")
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        for child in self.children.values():
            child.stop(signal.SIGTERM, grace=6)
        self.engines.stop()
        self.crm.stop()
        self.post.stop()
