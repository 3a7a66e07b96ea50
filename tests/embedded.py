"""A pytest plugin, loaded by `-p tests.embedded`: throw-away PostgreSQL and Redis, started before Django reads its settings.

A conftest.py would come too late for that. With DATABASE_URL given nothing is started; so xdist's workers use what their controller has started.
"""

import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from portal.engines import redis
from portal.engines.data import CannotStart, make_folder
from portal.engines.postgres import Postgres
from portal.engines.processes import Child, Guardian, open_log, tail, wait


class Engines:
    """Both engines in one temporary folder, which goes with them even when the tests are killed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-tests-"))
        make_folder(self.folder)
        self.guardian = Guardian(self.folder)
        self.started: list[tuple[Child, signal.Signals]] = []

    def start(self) -> None:
        """Start the engines and tell the settings about them."""
        os.environ.update(
            PORTAL_DATA=str(self.folder),
            SECRET_KEY=secrets.token_urlsafe(50),
            PORTAL_KEYS=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            DATABASE_URL=self._postgres(),
        )
        if program := redis.binary():
            os.environ.setdefault("REDIS_URL", self._redis(program))

    def _postgres(self) -> str:
        server = Postgres(self.folder, self.guardian, open_log(self.folder, "postgres"), throw_away=True)
        server.make()
        child = server.start()
        self.started.append((child, signal.SIGQUIT))
        if not wait(lambda: server.is_ready() or child.has_ended(), 60) or child.has_ended():
            raise CannotStart(f"PostgreSQL for the tests does not start:\n{tail(child.log)}")
        return server.url

    def _redis(self, program: Path) -> str:
        server = redis.Redis(program, self.folder, self.guardian, open_log(self.folder, "redis"))
        child = server.start()
        self.started.append((child, signal.SIGTERM))
        if not wait(server.is_ready, 30):
            raise CannotStart(f"Redis for the tests does not start:\n{tail(child.log)}")
        return server.url

    def stop(self) -> None:
        for child, signum in reversed(self.started):
            child.stop(signum, grace=5)
        self.guardian.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_engines: Engines | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """A wrapper runs before pytest-django's own hook, which reads the settings."""
    global _engines
    if not os.environ.get("DATABASE_URL"):
        _engines = Engines()
        try:
            _engines.start()
        except CannotStart as error:
            _engines.stop()
            raise pytest.UsageError(str(error)) from None
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    global _engines
    if _engines:
        _engines.stop()
        _engines = None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one group share one portal and come in order: a run whose xdist would part them must not begin."""
    parted = [item.nodeid for item in items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if parted and getattr(config.option, "loadgroup", False):
        raise pytest.UsageError(f"these belong to a group, which this xdist does not see: {parted[:3]}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NOTHING_SKIPPED a run that skipped a test has failed, and says which."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter and os.environ.get("NOTHING_SKIPPED") else []
    for one in skipped:
        reporter.write_line(f"skipped, and nothing may be: {one.nodeid}")
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def main() -> int:
    """`python -m tests.embedded COMMAND.py ...` runs a command with the same throw-away engines."""
    engines = Engines()
    try:
        engines.start()
        return subprocess.run([sys.executable, *sys.argv[1:]]).returncode
    finally:
        engines.stop()


if __name__ == "__main__":
    sys.exit(main())
