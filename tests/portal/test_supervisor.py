"""`make run` as a person and an accident meet it: one real portal with all its processes, used by the tests in the order of this file."""

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from portal.engines import data as folder
from portal.engines import redis
from portal.engines.processes import Child, free_port, wait
from portal.supervisor import Service

TOP = Path(__file__).resolve().parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS", "EMAIL_URL")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("supervisor"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="follows processes in /proc"),
]


def family(pid: int) -> dict[int, str]:
    """The processes below pid that run, by number, with their command lines."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if state != "Z":
            below.setdefault(int(parent), []).append(int(entry.name))
    found, todo = {}, [pid]
    while todo:
        for child in below.get(todo.pop(), []):
            todo.append(child)
            found[child] = command_line(child)
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def alive(pids: dict[int, str]) -> dict[int, str]:
    """Those that still run."""
    found = {}
    for pid, command in pids.items():
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found[pid] = command
        except OSError:
            pass
    return found


class Portal:
    """One started supervisor, and what it printed."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        self.data, self.port, self.output = data, port, data.parent / "output"
        inherited = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PORTAL_")}
        self.environment = {**inherited, "PORTAL_DATA": str(data), "PORT": str(port), "PORTAL_DEMO": "0", **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Portal":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.supervisor"], cwd=TOP, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        return self

    @property
    def said(self) -> str:
        return self.output.read_text()

    def become_ready(self) -> "Portal":
        assert self.process
        process = self.process
        assert wait(lambda: "ready " in self.said or process.poll() is not None, 90), self.said
        assert process.poll() is None, self.said
        return self

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def find(self, words: str) -> int | None:
        """The direct child whose command line has these words."""
        for pid, command in family(self.pid).items():
            if words in command and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1] == str(self.pid):
                return pid
        return None

    def finish(self) -> int:
        """Wait for the end; whatever fails, nothing of it is left for the next test."""
        assert self.process
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def is_live(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/health/live")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def sql(self, statement: str) -> object:
        url = folder.recorded(self.data)["database_url"].replace("postgres://", "postgresql://")
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None


def reachable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the engines' user can reach, as pytest's own are not."""
    top = tmp_path_factory.mktemp("supervised")
    for above in (top, top.parent, top.parent.parent):
        above.chmod(0o711)
    return top / "data"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(reachable(tmp_path_factory), free_port()).start()
    try:
        yield portal.become_ready()
    finally:
        if portal.process and portal.process.poll() is None:
            portal.process.terminate()
            portal.finish()


def dies_and_returns(portal: Portal, words: str) -> tuple[int, int]:
    """Kill the child with these words, and give its number and that of its successor."""
    before = portal.find(words)
    assert before
    os.kill(before, signal.SIGKILL)
    assert wait(lambda: portal.find(words) not in (None, before), 15), portal.said
    after = portal.find(words)
    assert after
    return before, after


def test_ready_line_comes_once_and_names_no_demo_users(portal: Portal) -> None:
    assert portal.said.count(f"ready http://127.0.0.1:{portal.port}\n") == 1
    assert "sign in" not in portal.said


def test_engines_are_recorded_for_the_owner_only(portal: Portal) -> None:
    path = portal.data / "engines.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert portal.sql("SELECT current_setting('fsync'), current_setting('synchronous_commit')") == ("on", "on")
    assert (json.loads(path.read_text())["redis_url"] is not None) == (redis.binary() is not None)


def test_second_start_is_refused(portal: Portal) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "portal.supervisor"], cwd=TOP, env={**portal.environment, "PORT": str(free_port())}, capture_output=True, text=True
    )
    assert second.returncode == 1
    assert "already running" in second.stdout and str(portal.pid) in second.stdout


def test_killed_web_is_started_again(portal: Portal) -> None:
    dies_and_returns(portal, "gunicorn")
    assert wait(portal.is_live, 60), portal.said  # a slow machine reads all of Django first
    assert "web ended by signal 9" in portal.said


@pytest.mark.skipif(redis.binary() is None, reason="no Redis here")
def test_killed_worker_leaves_no_pool_behind(portal: Portal) -> None:
    worker = portal.find("celery -A portal worker")
    assert worker
    wait(lambda: len(family(worker)) >= 2, 15)
    pool = family(worker)
    dies_and_returns(portal, "celery -A portal worker")
    assert wait(lambda: not alive(pool), 5), alive(pool)


def test_killed_postgres_comes_back_where_it_was(portal: Portal) -> None:
    before = portal.sql("SELECT current_setting('port')")
    dies_and_returns(portal, "bin/postgres")

    def answers() -> bool:
        try:
            return portal.sql("SELECT current_setting('port')") == before
        except psycopg2.OperationalError:
            return False

    assert wait(answers, 60), portal.said


def test_killed_portal_leaves_nothing_behind_and_keeps_its_data(portal: Portal) -> None:
    portal.sql("CREATE TABLE kept AS SELECT 7 AS number")
    keys, engines = folder.keys(portal.data), folder.recorded(portal.data)
    everything = family(portal.pid)
    assert len(everything) >= 8, everything
    os.killpg(portal.pid, signal.SIGKILL)
    portal.finish()
    assert wait(lambda: not alive(everything), 10), alive(everything)
    portal.start().become_ready()
    assert portal.sql("SELECT number FROM kept") == (7,)
    assert folder.keys(portal.data) == keys and folder.recorded(portal.data) == engines


def test_ctrl_c_stops_everything_in_order(portal: Portal) -> None:
    order = ["celery -A portal beat", "celery -A portal worker", "gunicorn", "redis-server", "bin/postgres"]
    pids = {portal.find(words): words for words in order if portal.find(words)}
    everything, ended = family(portal.pid), list[str]()
    os.killpg(portal.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(portal.pid, signal.SIGINT)  # an impatient second one changes nothing
    while portal.process and portal.process.poll() is None:
        running = alive(family(portal.pid))
        ended += [words for pid, words in pids.items() if pid not in running and words not in ended]
        time.sleep(0.01)
    assert portal.finish() == 0, portal.said
    assert ended == [words for words in order if words in pids.values()][: len(ended)]
    assert not alive(everything)
    assert folder.recorded(portal.data) == {}
    assert "Traceback" not in portal.said


def test_without_redis_it_runs_as_well(portal: Portal) -> None:
    """The same folder as before, so that this test has no database to make."""
    plain = Portal(portal.data, portal.port, PORTAL_REDIS="0").start().become_ready()
    try:
        assert "without it, more slowly" in plain.said
        assert folder.recorded(plain.data)["redis_url"] is None
        sweeper = plain.find("manage.py sweep")
        assert sweeper and plain.is_live()
        assert not wait(lambda: plain.find("manage.py sweep") != sweeper, 3), plain.said
    finally:
        os.kill(plain.pid, signal.SIGTERM)
        assert plain.finish() == 0


def test_missing_keys_of_a_database_stop_the_start(portal: Portal) -> None:
    kept = portal.data / "keys"
    kept.rename(portal.data / "elsewhere")
    refused = Portal(portal.data, portal.port).start()
    assert refused.finish() == 1
    assert "put it back from the backup" in refused.said
    (portal.data / "elsewhere").rename(kept)


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("PORT", "70000"), ("PORTAL_DEMO", "yes"), ("PORTAL_REDIS", "maybe")])
def test_odd_value_stops_the_start_with_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    odd = Portal(tmp_path / "data", free_port(), **{name: value}).start()
    assert odd.finish() == 1
    assert odd.said.startswith(f"{name} is '{value}'; it takes ") and "Traceback" not in odd.said


def test_taken_port_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = Portal(tmp_path / "data", taken.getsockname()[1]).start()
        assert refused.finish() == 1
    assert "is not free" in refused.said


def test_a_service_that_can_not_be_started_again_is_tried_later() -> None:
    tries = []

    def start() -> Child:
        tries.append(1)
        raise OSError("no room for another process")

    service = Service("web", start, (signal.SIGTERM,), 1)
    with pytest.raises(OSError, match="no room"):
        service.look()  # at the first start it is said, and the portal stops
    service.due_at = time.monotonic() - 1
    service.look()
    service.look()
    assert (len(tries), service.child) == (2, None)
    assert service.due_at > time.monotonic()
