"""What a person meets when an engine goes away under a portal that is warm: one web server and one worker, used by the tests in the order of this file."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from portal.engines import redis
from portal.engines.processes import wait
from tests.chaos.marketplace import act
from tests.chaos.world import World

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("faults"), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="follows processes in /proc")]  # fmt: skip
needs_redis = pytest.mark.skipif(redis.binary() is None, reason="no Redis here")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Redis is not there when the portal starts."""
    with World(1, "web", "worker1", has_redis=False) as world:
        world.crm.is_well = True
        yield world


class Poster:
    """One lead after the other, each of another person."""

    def __init__(self, world: World) -> None:
        self.world, self.number = world, 0

    def post(self) -> tuple[int, str]:
        """(status, id or nothing)."""
        self.number += 1
        slug, path = sorted(self.world.paths.items())[1]
        letter = act(self.number, slug, path, "INS")
        with closing(http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=15)) as line:
            line.request("POST", letter.path, letter.body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            said = answer.read()
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status, json.loads(said)["id"] if answer.status == 202 else ""

    def post_kept(self) -> str:
        """Post until it is taken; a 202 is one that the archive has."""
        seen = [self.post()]
        until = time.monotonic() + 20
        while seen[-1][0] != 202 and time.monotonic() < until:
            time.sleep(0.2)
            seen.append(self.post())
        assert seen[-1][0] == 202, seen
        assert {status for status, _ in seen[:-1]} <= {503}, seen
        assert self.world.sql("SELECT count(*) FROM leads_submission WHERE id = %s", [seen[-1][1]]) == [(1,)]
        return seen[-1][1]

    def walks(self, pk: str) -> bool:
        """Whether the lead of this submission comes to the end of its path, the CRM."""
        arrived = (
            "SELECT count(*) FROM leads_submission s JOIN delivery_delivery d ON d.lead_id = s.lead_id WHERE s.id = %s AND d.state = 'delivered'"
        )
        return wait(lambda: self.world.sql(arrived, [pk]) == [(1,)], 40)


@pytest.fixture(scope="module")
def poster(world: World) -> Poster:
    return Poster(world)


def test_a_lead_walks_without_redis(world, poster):
    assert world.engines.redis_child is None
    assert poster.walks(poster.post_kept())


@needs_redis
def test_a_lead_walks_when_redis_comes_goes_and_comes_back(world, poster):
    world.engines.start_redis()
    assert poster.walks(poster.post_kept())
    for _ in range(3):  # whether the worker holds a message at that moment is chance
        world.engines.stop_redis(signal.SIGKILL)
        assert poster.walks(poster.post_kept())
        world.engines.start_redis()
        assert poster.walks(poster.post_kept())
    world.flush_redis()
    assert poster.walks(poster.post_kept())
    assert not world.children["worker1"].has_ended()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_postgres_goes_and_comes_back_under_warm_processes(world, poster, how):
    assert poster.walks(poster.post_kept())
    world.engines.stop_postgres(how)
    try:
        assert [poster.post() for _ in range(3)] == [(503, "")] * 3
    finally:
        world.engines.start_postgres()
    assert poster.walks(poster.post_kept())


def test_a_warm_connection_survives_a_restart_between_two_leads(world, poster):
    """The kept connections of web and worker are dead, and nothing was posted meanwhile."""
    assert poster.walks(poster.post_kept())
    world.engines.stop_postgres()
    world.engines.start_postgres()
    assert poster.walks(poster.post_kept())
    assert not world.sql("SELECT 1 FROM leads_submission WHERE disposition NOT IN ('lead', 'pending')")


def test_nothing_of_this_was_said_in_the_log(world):
    """No traceback of the lead endpoint: it says in one line that it could not keep a lead, and never who sent it."""
    log = (world.engines.folder / "logs/web.log").read_text()
    assert "could not be kept" in log
    assert "Traceback" not in log
    assert "@firm" not in log
    assert not any(path.rpartition("/")[2] in log for path in world.paths.values())


def test_senders_who_stop_in_the_middle_hold_up_nobody(world, poster):
    """Hundreds of half requests stay open, some before the end of their head, some in their body; nobody else notices."""
    halves = (b"POST /in/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{", b"POST /in/nobo", b"")
    lines = [socket.create_connection(("127.0.0.1", world.port), timeout=10) for _ in range(300)]
    try:
        for number, line in enumerate(lines):
            line.sendall(halves[number % 3])
        time.sleep(0.5)
        assert [poster.post()[0] for _ in range(20)] == [202] * 20
    finally:
        for line in lines:
            line.close()


def test_a_secret_is_in_no_log_of_the_server(world):
    """Nor of what fails before the portal hears of it."""
    path = sorted(world.paths.values())[0]
    with closing(socket.create_connection(("127.0.0.1", world.port), timeout=10)) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n".encode())
        assert b" 400 " in line.recv(1_000)
    assert path.rsplit("/", 1)[-1] not in "".join(log.read_text(errors="replace") for log in Path(world.engines.folder).rglob("*.log"))


def test_what_did_not_come_whole_is_kept_aside(world):
    path = sorted(world.paths.values())[0]
    with closing(socket.create_connection(("127.0.0.1", world.port), timeout=10)) as line:
        line.sendall(f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"userDetails"'.encode())
    with closing(socket.create_connection(("127.0.0.1", world.port), timeout=10)) as line:
        line.sendall(f'POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{{"email"\r\n'.encode())
    kept = "SELECT convert_from(body, 'UTF8'), reason FROM leads_submission WHERE disposition = 'quarantined' ORDER BY id"
    cut = [('{"userDetails"', "Cut off after 14 of 100 bytes."), ('{"email"', "Cut off after 8 bytes.")]
    assert wait(lambda: sorted(world.sql(kept)) == sorted(cut), 10)
