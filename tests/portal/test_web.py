"""The web server's processes by themselves, over an application of three addresses: what a stop leaves nobody without, and what a body may cost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from portal.engines.processes import free_port, wait

pytestmark = pytest.mark.processes
APPLICATION = """
import time

def application(environ, start_response):
    path, body = environ["PATH_INFO"], environ["wsgi.input"].read()
    if path == "/slow":
        time.sleep(0.8)
    answer = b"x" * 6_000_000 if path == "/large" else b"%d" % len(body)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""


class Server:
    def __init__(self, folder: Path) -> None:
        (folder / "small.py").write_text(APPLICATION)
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", "small:application", "--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "1"]
        command += ["--worker-class", "portal.web.WholeRequests", "--graceful-timeout", "12", "--no-control-socket"]
        path = os.pathsep.join([str(folder), str(settings.BASE_DIR)])
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def line(self, sent: bytes = b"") -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        line.sendall(sent)
        return line

    def answers(self) -> bool:
        try:
            self.line().close()
        except OSError:
            return False
        return True


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path)
    assert wait(server.answers, 20)
    yield server
    server.process.kill()
    server.process.wait()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


def post(path: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n".encode()


def whole(line: socket.socket) -> bytes:
    with closing(line):
        found = b""
        while part := line.recv(65_536):
            found += part
        return found


def test_a_stop_answers_what_has_come(server):
    """One thread, four requests that take a while."""
    lines = [server.line(get("/slow")) for _ in range(4)]
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    assert [whole(line)[:15] for line in lines] == [b"HTTP/1.1 200 OK"] * 4
    assert server.process.wait(15) == 0


def test_a_stop_waits_for_a_reader_who_takes_its_time(server):
    line = server.line(get("/large"))
    assert line.recv(1_000)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    assert len(whole(line)) > 6_000_000 - 1_000
    assert server.process.wait(15) == 0


def test_of_a_lead_that_is_too_long_only_the_beginning_is_kept(server):
    length = settings.LEAD_MAX_BYTES * 4
    line = server.line(post("/in/secret", length))
    line.sendall(b"x" * length)
    assert whole(line).endswith(b"\r\n\r\n%d" % (settings.LEAD_MAX_BYTES + 1))


def test_no_other_body_may_be_much_longer_than_a_file_to_import(server):
    assert b" 413 " in whole(server.line(post("/leads/imports/", 20_000_000)))[:50]
    line = server.line(post("/leads/imports/", 10_000_000))
    line.sendall(b"x" * 10_000_000)
    assert whole(line).endswith(b"\r\n\r\n10000000")


@pytest.mark.parametrize("head", [b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"Content-Length: " + b"9" * 5_000])
def test_a_length_that_says_two_things_or_nothing_a_machine_can_read_is_refused(server, head):
    with closing(server.line(b"POST /in/x HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n0\r\n\r\n")) as line:
        assert b" 400 " in line.recv(1_000)
    assert server.answers()
