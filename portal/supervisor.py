"""`make run`: the engines, the database brought up to date, then web, worker and beat; all restarted when they die, stopped in order on Ctrl-C.

It is one loop in one thread, since Linux ties the death signal of a child to the thread that started it.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from portal import env
from portal.engines import data as folder
from portal.engines import postgres, redis
from portal.engines.data import CannotStart
from portal.engines.live import is_live
from portal.engines.processes import Child, Guardian, free_port, is_free, open_log, tail, wait

DEMO_LEADS = 2000
# There a forked worker dies in Apple's frameworks, or in libpq's search for a Kerberos ticket, unless both are told to keep still.
FORKS_ON_MACOS = {"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "PGGSSENCMODE": "disable"}
LONGEST_DELAY, GOOD_AFTER = 30.0, 60.0


class Stopping(Exception):
    """Somebody asked the portal to stop while it was starting."""


def say(sentence: str) -> None:
    """Print at once; a terminal that has gone away must not stop an orderly stop."""
    with contextlib.suppress(OSError, ValueError):
        print(sentence, flush=True)


@dataclass
class Service:
    """What must always run: how to start it, how to stop it, and how patient to be with it."""

    name: str
    start: Callable[[], Child]
    signums: tuple[signal.Signals, ...]
    grace: float
    child: Child | None = None
    delay: float = 0.5
    due_at: float = 0.0

    def look(self) -> None:
        """Start it again when it has died, more and more slowly while it keeps dying."""
        now = time.monotonic()
        if self.child is None:
            if now >= self.due_at:
                self.begin(now)
            return
        if not self.child.has_ended():
            return
        if now - self.child.started_at > GOOD_AFTER:
            self.delay = 0.5
        status, log = self.child.reap(), self.child.log
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        say(f"{self.name} ended {how}, starts again in {self.delay:g} s; see {log}")
        self.child, self.due_at = None, now + self.delay
        self.delay = min(self.delay * 2, LONGEST_DELAY)

    def begin(self, now: float) -> None:
        """Start it. What keeps it from starting once it ran, such as a machine without room for another process, is tried again as a death would be."""
        try:
            self.child = self.start()
        except (OSError, subprocess.SubprocessError, CannotStart) as error:
            if not self.due_at:
                raise  # at the first start it is said and the portal stops
            say(f"{self.name} does not start, tried again in {self.delay:g} s: {error}")
            self.due_at, self.delay = now + self.delay, min(self.delay * 2, LONGEST_DELAY)

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop(*self.signums, grace=self.grace)
            self.child = None


class Supervisor:
    """The portal on one machine, from the lock on its data folder to the last process stopped."""

    def __init__(self) -> None:
        self.port = env.number("PORT", 8000, 1, 65535)
        self.database_url, self.redis_url = env.text("DATABASE_URL"), env.text("REDIS_URL")
        # Demo data goes into a database of our own, never unasked into somebody's server.
        self.wants_demo = env.flag("PORTAL_DEMO", not self.database_url and not env.text("PORTAL_URL"))
        self.wants_redis = env.flag("PORTAL_REDIS", True)
        self.data = folder.data_folder()
        self.services: list[Service] = []
        self.stopping = False

    def run(self) -> None:
        """Start, watch, stop. Whatever goes wrong on the way, what was started is stopped."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup the end of the terminal is not to stop anything.
            if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
                signal.signal(signum, self._ask_to_stop)
        folder.make_folder(self.data)
        with folder.lock(self.data):
            self.guardian = Guardian()
            try:
                self._start()
                while True:
                    self._pause(0.2)
                    for service in self.services:
                        service.look()
            except Stopping:
                say("stopping")
            finally:
                self._stop()

    def _ask_to_stop(self, signum: int, frame: object) -> None:
        self.stopping = True

    def _pause(self, seconds: float) -> None:
        if self.stopping:
            raise Stopping
        time.sleep(seconds)

    def _stop(self) -> None:
        """Beat, worker, web, Redis, PostgreSQL: nobody loses the engine it still works with."""
        for service in reversed(self.services):
            with contextlib.suppress(OSError):  # one that can't be stopped must not keep the others
                service.stop()
        folder.forget(self.data)
        self.guardian.close()

    def _start(self) -> None:
        if not is_free(self.port):
            raise CannotStart(f"Port {self.port} is not free: stop what uses it, or choose another, for example `PORT={free_port()} make run`.")
        self._check_keys()
        self.environment = self._environment()
        self._start_postgres()
        self._start_redis()
        # With a server given for an engine the processes read its address from the environment, as they would without us.
        folder.record(self.data, self.database_url or None, self.redis_url or None)
        self._step("prepare", "-m", "portal.engines.prepare")
        self._make_demo_data()
        self._start_web()
        self._start_workers()
        say(f"ready http://127.0.0.1:{self.port}")
        if folder.remembered(self.data).get("demo"):
            for name in ("marketing", "sales", "admin"):
                say(f"sign in as {name} / demo")

    def _check_keys(self) -> None:
        """Make the keys on the first start; a database whose keys are gone must not quietly get new ones."""
        if env.text("SECRET_KEY") and env.text("PORTAL_KEYS"):
            return
        if (self.data / "postgres").exists() and not (self.data / "keys").exists():
            raise CannotStart(f"{self.data / 'keys'} is missing, and without it what is encrypted cannot be read: put it back from the backup.")
        folder.keys(self.data)

    def _environment(self) -> dict[str, str]:
        own = {"PORTAL_DATA": str(self.data), "PORT": str(self.port), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        return {**(FORKS_ON_MACOS if sys.platform == "darwin" else {}), **os.environ, **own}

    def _spawn(self, name: str, *arguments: str) -> Child:
        return Child(self.guardian, [sys.executable, *arguments], open_log(self.data, name), environment=self.environment)

    def _serve(self, name: str, start: Callable[[], Child], *signums: signal.Signals, grace: float) -> Service:
        service = Service(name, start, signums, grace)
        self.services.append(service)
        service.look()
        return service

    def _start_postgres(self) -> None:
        if self.database_url:
            return
        known = folder.remembered(self.data)
        password = known.get("postgres_password") or secrets.token_urlsafe(24)
        server = postgres.Postgres(self.data, self.guardian, open_log(self.data, "postgres"), password, known.get("postgres_port"))
        folder.remember(self.data, postgres_port=server.port, postgres_password=password)
        if not server.cluster.exists():
            say("making the database")
            server.make()
        elif not known.get("postgres_password"):
            server.set_password()
        service = self._serve("postgres", server.start, signal.SIGINT, signal.SIGQUIT, grace=8)
        self._gate(service, server.is_ready, 3600)
        self.database_url = server.url

    def _start_redis(self) -> None:
        if self.redis_url:
            return
        program = redis.binary() if self.wants_redis else None
        if program is None:
            say("no Redis: the portal runs without it, more slowly")
            return
        known = folder.remembered(self.data)
        password = known.get("redis_password") or secrets.token_urlsafe(24)
        server = redis.Redis(program, self.data, self.guardian, open_log(self.data, "redis"), password, known.get("redis_port"))
        folder.remember(self.data, redis_port=server.port, redis_password=password)
        if self._start_readable(server):
            self.redis_url = server.url
        else:
            say(f"Redis does not start, the portal runs without it; see {self.data / 'logs/redis.log'}")

    def _start_readable(self, server: redis.Redis) -> bool:
        """Start Redis; a store that it cannot read is put aside once, since nothing is lost with it."""
        for last_try in (False, True):
            service = self._serve("redis", server.start, signal.SIGTERM, grace=3)
            try:
                self._gate(service, server.is_ready, 30)
                return True
            except CannotStart:
                service.stop()
                self.services.remove(service)
                if not last_try:
                    server.set_aside()
        return False

    def _make_demo_data(self) -> None:
        """On the first start only: whether a portal has demo data is settled once."""
        if "demo" in folder.remembered(self.data):
            return
        if self.wants_demo:
            say(f"making demo data, {DEMO_LEADS} leads")
            self._step("demo", "manage.py", "seed_demo", "--leads", str(DEMO_LEADS), "--first-start")
        folder.remember(self.data, demo=self.wants_demo)

    def _step(self, name: str, *arguments: str) -> None:
        """Run a command to its end; its failure is the end of the start, and is shown."""
        child = self._spawn(name, *arguments)
        try:
            while not child.has_ended():
                self._pause(0.02)
        finally:
            child.stop(signal.SIGTERM, grace=5)
        if status := child.reap():
            raise CannotStart(f"The step {name} failed with status {status}, so the portal does not start; {child.log} ends:\n{tail(child.log)}")

    def _gate(self, service: Service, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a service answers; at the start its death is the end, later it is started again."""

        def settled() -> bool:
            return service.child is None or service.child.has_ended() or is_ready()

        in_time = wait(settled, seconds, self._pause)
        if service.child is None or service.child.has_ended() or not in_time:
            log = open_log(self.data, service.name)
            raise CannotStart(f"{service.name} {'ended at once' if in_time else 'does not answer'}; {log} ends:\n{tail(log)}")

    def _start_web(self) -> None:
        arguments = ["-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "portal.web.WholeRequests"]
        arguments += ["--workers", "2", "--threads", "8", "--graceful-timeout", "4", "--no-control-socket"]
        service = self._serve("web", lambda: self._spawn("web", *arguments), signal.SIGTERM, grace=6)
        self._gate(service, lambda: is_live(self.port), 60)

    def _start_workers(self) -> None:
        """With a broker a worker and beat; without one the work that is due is done by a sweeping loop."""
        if not self.redis_url:
            self._serve("worker", lambda: self._spawn("worker", "manage.py", "sweep"), signal.SIGTERM, grace=8)
            return
        celery = ["-m", "celery", "-A", "portal"]
        worker = [*celery, "worker", "--concurrency", "2", "-Ofair", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        beat = [*celery, "beat", "--schedule", str(self.data / "beat-schedule"), "--pidfile=", "--loglevel", "WARNING"]
        self._serve("worker", lambda: self._spawn("worker", *worker), signal.SIGTERM, grace=8)
        self._serve("beat", lambda: self._spawn("beat", *beat), signal.SIGTERM, grace=3)


def main() -> int:
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        Supervisor().run()
    except (CannotStart, ImproperlyConfigured) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
