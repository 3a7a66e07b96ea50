"""The data folder: where it is, who may use it now, its keys, and where its running engines answer.

`portal.settings` reads keys() and recorded(); the supervisor holds the lock and writes the rest.
"""

import base64
import fcntl
import json
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).resolve().parents[2]
# What a killed portal leaves needs a moment to go before the next start may have the folder.
LOCK_PATIENCE_SECONDS = 20
# And one that has just stopped is alive a little longer than its last word.
LEAVING_SECONDS = 3


class CannotStart(Exception):
    """Says in one sentence why the portal does not start, and what to do."""


def data_folder() -> Path:
    """PORTAL_DATA, or `.data` beside manage.py."""
    given = os.environ.get("PORTAL_DATA", "").strip()
    return (Path(given).expanduser() if given else TOP / ".data").absolute()


def make_folder(data: Path) -> None:
    """Make the data folder. Others may pass through it, since the engines of root run as another user; what is private in it is 0600 or 0700."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o711)
    except OSError as error:
        raise CannotStart(f"The data folder {data} cannot be used ({error.strerror}): set PORTAL_DATA to a folder that you may write.") from None


def lock(data: Path) -> IO[str]:
    """Take the folder for this process; the lock lasts as long as the returned file is open."""
    held = open(data / "lock", "a+")  # noqa: SIM115 - open for the life of the process
    began = time.monotonic()
    while not _try_lock(held):
        held.seek(0)
        holder = held.read().strip()
        if time.monotonic() - began > (LEAVING_SECONDS if _is_alive(holder) else LOCK_PATIENCE_SECONDS):
            raise CannotStart(f"The portal is already running on {data} (process {holder or '?'}): stop it, or set PORTAL_DATA to another folder.")
        time.sleep(0.1)
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def _try_lock(held: IO[str]) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise CannotStart(f"The data folder is on a file system without locks ({error.strerror}): set PORTAL_DATA to a local folder.") from None
    return True


def _is_alive(pid: str) -> bool:
    """Whether the process exists; one that has just started to write its number counts as alive."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        pass
    return True


def write_private(path: Path, content: Any) -> None:
    """Write JSON atomically and durably, readable by the owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file of this folder; empty if there is none."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise CannotStart(f"{path} is damaged: put it back from a backup.") from None
    return content if isinstance(content, dict) else {}


def recorded(data: Path) -> dict[str, Any]:
    """`database_url` and `redis_url` of the engines that run now; empty when none do."""
    return read(data / "engines.json")


def record(data: Path, database_url: str | None, redis_url: str | None) -> None:
    write_private(data / "engines.json", {"database_url": database_url, "redis_url": redis_url})


def forget(data: Path) -> None:
    (data / "engines.json").unlink(missing_ok=True)


def remembered(data: Path) -> dict[str, Any]:
    """What one start leaves for the next: ports, the engines' passwords, whether there is demo data."""
    return read(data / "state.json")


def remember(data: Path, **facts: Any) -> None:
    write_private(data / "state.json", remembered(data) | facts)


def keys(data: Path) -> dict[str, Any]:
    """`secret_key` and `portal_keys` of this folder, made on first use. They belong in the backup."""
    path = data / "keys"
    if not path.exists():
        make_folder(data)
        _make_keys(path)
    return read(path)


def _make_keys(path: Path) -> None:
    """Two processes may come here at once: the link makes one of them win, and both then read the same keys."""
    fresh = path.with_name(f".keys.{os.getpid()}.{secrets.token_hex(4)}")
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    write_private(fresh, {"secret_key": secrets.token_urlsafe(50), "portal_keys": [key]})
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
