"""Started processes: in a session of their own, never outliving the portal, stopped in order.

Ctrl-C reaches the supervisor alone, since each child leads its own session. Three things keep a killed supervisor from leaving anything behind: Linux
signals the children (PR_SET_PDEATHSIG), the Guardian kills what they started, and an engine's next start clears what still works in its folder.
"""

import contextlib
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from portal.engines.data import CannotStart

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 10 * 1024 * 1024
# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with(parent: int, signum: int) -> None:
    """Runs in the new process, after its change of user, which would undo it."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:
            os._exit(1)


@dataclass(frozen=True)
class Identity:
    """As whom an engine runs: PostgreSQL refuses root, and nothing of the engines needs it."""

    user: int | None = None
    group: int | None = None
    prefix: tuple[str, ...] = ()

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to this user, for the case that the portal ran as another before."""
        if os.geteuid() != 0:
            return
        user, group = (self.user, self.group) if self.user is not None and self.group is not None else (0, 0)
        if folder.stat().st_uid != user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user, group, follow_symlinks=False)

    def run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a short command to its end, with `text` as its input."""
        return subprocess.run(
            [*self.prefix, *command],
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=bare_environment(),
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            preexec_fn=partial(_die_with, os.getpid(), signal.SIGKILL),
        )

    def reaches(self, binary: Path, folder: Path) -> bool:
        """Whether this user may run the binary and enter the folder."""
        try:
            return self.run(["/bin/sh", "-c", 'cd "$2" && "$1" --version', "sh", str(binary), str(folder)]).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False


def bare_environment() -> dict[str, str]:
    """What the engines get to see: none of the portal's own secrets, and messages in one language."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def identity(binary: Path, folder: Path) -> Identity:
    """Who can run the engines: this user; for root `nobody`, or root itself in a user namespace where it looks like nobody."""
    if os.geteuid() != 0:
        return Identity()
    for candidate in _unprivileged():
        if candidate.reaches(binary, folder):
            return candidate
    raise CannotStart(
        f"PostgreSQL does not run as root, and the user nobody cannot reach {binary} or {folder}: "
        "start the portal as an ordinary user, or move it out of a private home folder and set PORTAL_DATA to a folder such as /var/lib/portal."
    )


def _unprivileged() -> list[Identity]:
    found = []
    with contextlib.suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        found.append(Identity(nobody.pw_uid, nobody.pw_gid))
    if unshare := shutil.which("unshare"):
        found.append(Identity(prefix=(unshare, "--user", "--map-user=65534", "--map-group=65534")))
    return found


class Guardian:
    """A process that outlives this one by a moment: when the pipe between them closes, it kills all that was started, whatever became of us.

    It keeps the data folder's lock open until then, so that a next start waits for it.
    """

    def __init__(self, *doomed: Path) -> None:
        self.doomed, self.watched = doomed, dict[int, int]()
        self.begin()

    def begin(self) -> None:
        ours, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.pipe)
                _outlive(ours, self.doomed)
            finally:
                os._exit(0)
        os.close(ours)

    def watch(self, pid: int, death: signal.Signals) -> None:
        self.watched[pid] = int(death)
        self.tell(f"{pid} {int(death)}\n")

    def release(self, pid: int) -> None:
        self.watched.pop(pid, None)
        self.tell(f"{pid} 0\n")

    def tell(self, line: str) -> None:
        """Somebody killed the guard: another takes its place, and hears of all that is under it."""
        try:
            os.write(self.pipe, line.encode())
        except BrokenPipeError:
            os.close(self.pipe)
            os.waitpid(self.pid, 0)
            self.begin()
            os.write(self.pipe, "".join(f"{pid} {death}\n" for pid, death in self.watched.items()).encode())

    def close(self) -> None:
        """End the guard, and what is still under it."""
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def _outlive(pipe: int, doomed: Sequence[Path]) -> None:
    os.setsid()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    groups: dict[int, int] = {}
    with os.fdopen(pipe) as lines:
        for line in lines:
            pid, death = map(int, line.split())
            if death:
                groups[pid] = death
            else:
                groups.pop(pid, None)
    _kill_groups(groups)
    for folder in doomed:
        shutil.rmtree(folder, ignore_errors=True)


def _kill_groups(groups: dict[int, int]) -> None:
    for pid, death in groups.items():
        signal_group(pid, death)
    until = time.monotonic() + 2
    while time.monotonic() < until and any(signal_group(pid, 0) for pid in groups):
        time.sleep(0.05)
    for pid in groups:
        signal_group(pid, signal.SIGKILL)


def signal_group(pid: int, signum: int) -> bool:
    """Signal all of a session's first group; False if none of it is left."""
    try:
        os.killpg(pid, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Child:
    """One started process and the group it leads."""

    def __init__(
        self,
        guardian: Guardian,
        command: Sequence[str],
        log: Path,
        *,
        environment: dict[str, str] | None = None,
        run_as: Identity | None = None,
        text: str = "",
        death: signal.Signals = signal.SIGKILL,
    ) -> None:
        run_as = run_as or Identity()
        self.log, self.guardian, self.started_at = log, guardian, time.monotonic()
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [*run_as.prefix, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                user=run_as.user,
                group=run_as.group,
                extra_groups=None if run_as.user is None else [],
                preexec_fn=partial(_die_with, os.getpid(), death),
            )
        self.pid, self.is_reaped = self.process.pid, False
        guardian.watch(self.pid, death)
        _feed(self.process.stdin, text)

    def has_ended(self) -> bool:
        """Whether it has ended; it is not reaped yet, so that its number still names its group and nobody else's."""
        if self.process.returncode is not None or not hasattr(os, "waitid"):  # which macOS has from Python 3.13 on
            return self.process.poll() is not None
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def reap(self) -> int:
        """Kill what an ended process left in its group, and return its exit status."""
        if not self.is_reaped:
            self.is_reaped = True
            signal_group(self.pid, signal.SIGKILL)
            self.process.wait()
            self.guardian.release(self.pid)
        return int(self.process.returncode)

    def stop(self, *signums: signal.Signals, grace: float) -> None:
        """Send the signals one after the other until it ends, the last chance being SIGKILL."""
        for signum in (*signums, signal.SIGKILL):
            if self.has_ended():
                break
            os.kill(self.pid, signum)
            wait(self.has_ended, grace)
        self.reap()


def _feed(stdin: IO[bytes] | None, text: str) -> None:
    """Hand over the input and close it; a process that has already ended tells its story in its log."""
    if stdin:
        with contextlib.suppress(BrokenPipeError), stdin:
            stdin.write(text.encode())


def wait(until: Callable[[], bool], seconds: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Ask again and again; True as soon as it holds."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        pause(0.05)
    return True


ENGINES = ("postgres", "redis", "valkey")  # whoever else works in the folder, a shell or a backup, is left alone


def clear_folder(folder: Path) -> None:
    """End engines of an earlier start that still work in this folder; only Linux can tell, elsewhere the engine's own lock must do."""
    folder = folder.resolve()
    if wait(lambda: not _working_in(folder), 1):
        return
    for signum in (signal.SIGQUIT, signal.SIGKILL):
        for pid in _working_in(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        if wait(lambda: not _working_in(folder), 6):
            return
    raise CannotStart(f"Another process works in {folder} and does not go: end it (process {_working_in(folder)}) and start again.")


def _working_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            engine = Path(os.readlink(entry.parent / "exe")).name.startswith(ENGINES)
            if engine and os.readlink(entry) == str(folder):
                found.append(int(entry.parent.name))
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose old connections are only fading out is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int | None = None) -> int:
    """The wanted port if it is free, else one below the range that outgoing connections use."""
    for port in ([wanted] if wanted else []) + random.sample(range(20000, 32000), 200):
        if is_free(port):
            return port
    raise CannotStart("No free port was found on 127.0.0.1 between 20000 and 32000.")


def open_log(data: Path, name: str) -> Path:
    """The log file of that name; one that has grown large makes room for a new one."""
    folder = data / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    log = folder / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, to show where a start went wrong."""
    with contextlib.suppress(OSError):
        return "\n".join(f"  | {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])
    return ""
