"""The portal's processes as `make run` starts them, over engines that are already there."""

import sys

from bench.engines import Engines
from portal.engines.data import CannotStart
from portal.engines.live import is_live
from portal.engines.processes import Child, open_log, tail, wait

GUNICORN = ("-m", "gunicorn", "portal.wsgi:application", "--worker-class", "portal.web.WholeRequests", "--workers", "2", "--threads", "8")
GUNICORN += ("--graceful-timeout", "4", "--no-control-socket")
CELERY = ("-m", "celery", "-A")
WORKER = ("worker", "--concurrency", "2", "-Ofair", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")


def spawn(engines: Engines, name: str, *arguments: str) -> Child:
    return Child(engines.guardian, [sys.executable, *arguments], open_log(engines.folder, name), environment=engines.environment)


def start_web(engines: Engines, port: int) -> Child:
    """The web server on this port; started, not yet ready."""
    return spawn(engines, "web", *GUNICORN, "--bind", f"127.0.0.1:{port}")


def wait_for_web(child: Child, port: int) -> None:
    if not wait(lambda: is_live(port) or child.has_ended(), 60) or child.has_ended():
        raise CannotStart(f"The web server does not start:\n{tail(child.log)}")


def start_worker(engines: Engines, app: str = "portal", name: str = "worker") -> Child:
    """A Celery worker, two processes."""
    return spawn(engines, name, *CELERY, app, *WORKER, "--hostname", f"{name}@%h")


def start_beat(engines: Engines, name: str = "beat") -> Child:
    return spawn(engines, name, *CELERY, "portal", "beat", "--schedule", str(engines.folder / name), "--pidfile=", "--loglevel", "WARNING")
