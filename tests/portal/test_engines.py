"""The engines and the data folder, with real processes."""

import functools
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from portal.engines import data, redis
from portal.engines.postgres import Postgres
from portal.engines.processes import Child, Guardian, clear_folder, free_port, is_free, open_log, tail, wait

needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="asks /proc")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that every user can reach, as pytest's own are not."""
    found = tmp_path_factory.mktemp("data", numbered=True)
    for above in (found.parent, found.parent.parent):
        above.chmod(0o711)
    data.make_folder(found)
    return found


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    guardian = Guardian()
    yield guardian
    guardian.close()


def works(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_keys_are_made_once(folder: Path) -> None:
    found: list[dict[str, object]] = []
    threads = [threading.Thread(target=lambda: found.append(data.keys(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(keys) for keys in found}) == 1
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o600


def test_keys_of_a_folder_encrypt(folder: Path) -> None:
    from cryptography.fernet import Fernet

    key = Fernet(data.keys(folder)["portal_keys"][0])
    assert key.decrypt(key.encrypt(b"secret")) == b"secret"


def test_damaged_file_says_so(folder: Path) -> None:
    (folder / "engines.json").write_text("{")
    with pytest.raises(data.CannotStart, match="damaged"):
        data.recorded(folder)


def test_recorded_is_empty_unless_engines_run(folder: Path) -> None:
    assert data.recorded(folder) == {}
    data.record(folder, "postgres://somewhere", None)
    assert data.recorded(folder) == {"database_url": "postgres://somewhere", "redis_url": None}
    data.forget(folder)
    assert data.recorded(folder) == {}


def test_wanted_port_is_kept_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with subprocess.Popen([sys.executable, "-c", LISTEN, str(port)], stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        assert not is_free(port)
        assert free_port(port) != port
        other.kill()


LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(1, flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"


def test_child_that_ignores_its_signal_is_killed(folder: Path, guardian: Guardian) -> None:
    child = Child(guardian, [sys.executable, "-c", STUBBORN], open_log(folder, "stubborn"))
    assert wait(lambda: "here" in tail(child.log), 10)
    child.stop(signal.SIGTERM, grace=0.2)
    assert child.reap() == -signal.SIGKILL


def test_large_log_makes_room(folder: Path) -> None:
    log = open_log(folder, "web")
    with log.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    open_log(folder, "web")
    assert not log.exists() and log.with_suffix(".log.1").exists()


OWNER = """
import os, sys, time
from pathlib import Path
from portal.engines.processes import Child, Guardian, open_log
folder = Path(sys.argv[1])
child = Child(Guardian(), ["/bin/sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait"], open_log(folder, "child"))
print(child.pid, flush=True)
time.sleep(60)
"""


REPLACED = """
import os, signal, sys, time
from pathlib import Path
from portal.engines.processes import Child, Guardian, open_log
folder, guardian = Path(sys.argv[1]), Guardian()
first = Child(guardian, ["/bin/sh", "-c", "trap '' TERM; sleep 60"], open_log(folder, "first"))
os.kill(guardian.pid, signal.SIGKILL)
time.sleep(0.3)
second = Child(guardian, ["/bin/sh", "-c", "trap '' TERM; sleep 60"], open_log(folder, "second"))
print(first.pid, second.pid, flush=True)
time.sleep(60)
"""


@needs_proc
def test_nothing_outlives_a_killed_owner(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        child, log = int(owner.stdout.readline()), folder / "logs/child.log"
        assert wait(lambda: bool(log.read_text().strip()), 5)
        grandchild = int(log.read_text())
        assert works(child) and works(grandchild)
        owner.kill()
    assert wait(lambda: not works(child) and not works(grandchild), 10)


@needs_proc
def test_leftover_process_is_cleared_from_its_folder(folder: Path) -> None:
    # A shell may have started the tests with SIGQUIT ignored, which a child takes over.
    heeds = functools.partial(signal.signal, signal.SIGQUIT, signal.SIG_DFL)
    engine = shutil.copy(shutil.which("sleep") or "", folder.parent / "postgres")
    with subprocess.Popen([engine, "60"], cwd=folder, preexec_fn=heeds) as left:
        clear_folder(folder)
        assert left.wait(5) == -signal.SIGQUIT


@needs_proc
def test_whoever_else_works_in_the_folder_is_left_alone(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=folder) as backup:
        clear_folder(folder)
        assert backup.poll() is None
        backup.kill()


@needs_proc
def test_a_killed_guard_is_replaced_and_guards_all_there_is(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", REPLACED, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        first, second = map(int, owner.stdout.readline().split())
        assert works(first) and works(second)
        owner.kill()
    assert wait(lambda: not works(first) and not works(second), 10)


def connect(server: Postgres) -> psycopg2.extensions.connection:
    return psycopg2.connect(server.url.replace("postgres://", "postgresql://"))


@pytest.fixture
def server(folder: Path, guardian: Guardian) -> Postgres:
    server = Postgres(folder, guardian, open_log(folder, "postgres"), throw_away=True)
    server.make()
    return server


def serve(server: Postgres) -> Child:
    child = server.start()
    assert wait(lambda: server.is_ready() or child.has_ended(), 30) and not child.has_ended(), tail(child.log)
    return child


def test_postgres_is_one_of_18_with_a_plain_role(server: Postgres) -> None:
    child = serve(server)
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (18, False)
        cursor.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone() == ("b", "C.UTF-8")
    child.stop(signal.SIGINT, grace=10)


def test_postgres_refuses_a_wrong_password(server: Postgres) -> None:
    child = serve(server)
    server.password = "wrong"
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        connect(server)
    child.stop(signal.SIGQUIT, grace=10)


@needs_proc
def test_postgres_starts_over_the_remains_of_a_killed_one(server: Postgres) -> None:
    child = serve(server)
    os.kill(child.pid, signal.SIGKILL)
    assert wait(child.has_ended, 5)
    child.reap()
    assert (server.cluster / "postmaster.pid").exists()
    again = serve(server)
    connect(server).close()
    again.stop(signal.SIGQUIT, grace=10)


def test_forgotten_password_is_set_anew(server: Postgres) -> None:
    server.password = "another-one"
    server.set_password()
    child = serve(server)
    connect(server).close()
    child.stop(signal.SIGQUIT, grace=10)


def test_cluster_of_another_version_is_refused(server: Postgres) -> None:
    (server.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(data.CannotStart, match="PostgreSQL 16"):
        server.start()


def test_unfinished_cluster_is_made_again(folder: Path, guardian: Guardian) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "half").write_text("made")
    server = Postgres(folder, guardian, open_log(folder, "postgres"), throw_away=True)
    server.make()
    assert server.cluster.exists() and not (folder / "postgres.new").exists()


@pytest.mark.skipif(redis.binary() is None, reason="no Redis here")
def test_redis_wants_its_password_and_hides_it(folder: Path, guardian: Guardian) -> None:
    program = redis.binary()
    assert program
    server = redis.Redis(program, folder, guardian, open_log(folder, "redis"))
    child = server.start()
    assert wait(server.is_ready, 10), tail(child.log)
    assert server.password not in Path(f"/proc/{child.pid}/cmdline").read_text()
    server.password = "wrong"
    assert not server.is_ready()
    child.stop(signal.SIGTERM, grace=5)


def test_a_server_on_the_path_is_called_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's redis-server is a link to redis-check-rdb, which does what its name says."""
    program = tmp_path / "redis-check-rdb"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "redis-server").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis.binary() == tmp_path / "redis-server"


def test_without_waitid_a_child_is_watched_all_the_same(folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS before Python 3.13."""
    monkeypatch.delattr(os, "waitid")
    short, long = (Child(guardian, [sys.executable, "-c", code], open_log(folder, "child")) for code in ("pass", "import time; time.sleep(60)"))
    assert wait(short.has_ended, 20)
    assert short.reap() == 0 and short.reap() == 0
    assert not long.has_ended()
    long.stop(signal.SIGTERM, grace=5)
    assert long.has_ended() and long.reap() == -signal.SIGTERM
