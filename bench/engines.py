"""Throw-away engines with the settings of `make run`: a durable PostgreSQL, and Redis if there is one, in a temporary folder that goes with them."""

import base64
import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType, TracebackType

from portal.engines import redis
from portal.engines.data import CannotStart, make_folder
from portal.engines.postgres import Postgres
from portal.engines.processes import Child, Guardian, open_log, tail, wait

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "EMAIL_URL", "DJANGO_SETTINGS_MODULE", "PORT", "LEAD_MAX_BYTES")


class Engines:
    """Both engines, which can be stopped, killed and started again on the same ports. Children are started by the main thread, on whose life they hang."""

    def __init__(self, prefix: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        make_folder(self.folder)
        self.guardian = Guardian(self.folder)
        self.postgres = Postgres(self.folder, self.guardian, open_log(self.folder, "postgres"))
        program = redis.binary()
        self.redis = redis.Redis(program, self.folder, self.guardian, open_log(self.folder, "redis")) if program else None
        self.postgres_child: Child | None = None
        self.redis_child: Child | None = None
        self.environment = self._environment()

    def _environment(self) -> dict[str, str]:
        """What the portal's processes are told; nothing of the caller's own portal."""
        inherited = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PORTAL_")}
        own = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DATA": str(self.folder),
            "PORTAL_DEMO": "0",
            "PORTAL_ALLOW_LOOPBACK_DESTINATIONS": "1",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PORTAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "DATABASE_URL": self.postgres.url,
            "PYTHONUTF8": "1",
        }
        return {**inherited, **own, **({"REDIS_URL": self.redis.url} if self.redis else {})}

    def __enter__(self) -> "Engines":
        try:
            self.postgres.make()
            self.start_postgres()
            self.start_redis()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start_postgres(self) -> None:
        self.postgres_child = child = self.postgres.start()
        if not wait(lambda: self.postgres.is_ready() or child.has_ended(), 120) or child.has_ended():
            raise CannotStart(f"PostgreSQL does not start:\n{tail(child.log)}")

    def stop_postgres(self, signum: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is PostgreSQL's fast shutdown; SIGKILL the loss of the machine's power, as far as processes go."""
        if self.postgres_child:
            self.postgres_child.stop(signum, grace=20)
            self.postgres_child = None

    def start_redis(self) -> None:
        if self.redis is None:
            return
        self.redis_child = child = self.redis.start()
        if not wait(self.redis.is_ready, 30):
            raise CannotStart(f"Redis does not start:\n{tail(child.log)}")

    def stop_redis(self, signum: signal.Signals = signal.SIGTERM) -> None:
        if self.redis_child:
            self.redis_child.stop(signum, grace=5)
            self.redis_child = None

    def stop(self) -> None:
        """Stop what runs, and remove the folder. Safe to call twice."""
        self.stop_redis()
        self.stop_postgres()
        if self.folder.exists():
            self.guardian.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def stop_on_signals() -> None:
    """Make SIGTERM and SIGHUP end this process as Ctrl-C does, also where Ctrl-C was to be ignored, so that everything is stopped."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
