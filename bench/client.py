"""A small client that posts leads over keep-alive connections: `python -m bench.client`, told by JSON on its input, answers in JSON.

Standard library only, one loop over raw sockets, so that the client takes as little of the machine as it can.
"""

import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

ACCEPTED = b"HTTP/1.1 202"


@dataclass
class Line:
    """One connection with at most one request on its way."""

    port: int
    requests: list[bytes]
    next: int
    sock: socket.socket = field(init=False)
    sent_at: float = 0.0
    answer: bytes = b""

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self) -> None:
        self.answer, self.sent_at = b"", time.perf_counter()
        self.sock.sendall(self.requests[self.next % len(self.requests)])
        self.next += 1

    def read(self) -> bool:
        """Take what came; true when the answer is whole."""
        part = self.sock.recv(65536)
        self.answer += part
        return not part or is_whole(self.answer)


def is_whole(answer: bytes) -> bool:
    """Whether this is all of an answer, whose length is announced or whose body is chunked."""
    head, found, body = answer.partition(b"\r\n\r\n")
    headers = head.lower()
    if b"transfer-encoding: chunked" in headers:
        return body.endswith(b"0\r\n\r\n")
    length = next((int(one[15:]) for one in headers.split(b"\r\n") if one.startswith(b"content-length:")), 0)
    return bool(found) and len(body) >= length


@dataclass
class Post:
    """What the connections have seen."""

    milliseconds: list[float] = field(default_factory=list)
    errors: int = 0

    def note(self, line: Line) -> bool:
        """Count one answer; false when the connection must be made anew."""
        if line.answer.startswith(ACCEPTED):
            self.milliseconds.append((time.perf_counter() - line.sent_at) * 1000)
        else:
            self.errors += 1
        return bool(line.answer) and b"connection: close" not in line.answer.lower()


def main() -> None:
    told = json.load(sys.stdin)
    requests = [request(path, body.encode()) for path, body in told["posts"]]
    lines = [Line(told["port"], requests, told["offset"] + 37 * i) for i in range(told["connections"])]
    seen = Post()
    began = time.perf_counter()
    drive(lines, seen, began + told["seconds"])
    json.dump({"seconds": time.perf_counter() - began, "milliseconds": seen.milliseconds, "errors": seen.errors}, sys.stdout)


def request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def drive(lines: list[Line], seen: Post, until: float) -> None:
    """Keep every connection busy until the time is up, then wait for the last answers."""
    with selectors.DefaultSelector() as selector:
        for line in lines:
            begin(selector, line)
        while selector.get_map() and time.perf_counter() < until + 10:
            for key, _ in selector.select(1):
                line: Any = key.data
                if line.read():
                    go_on(selector, line, seen.note(line), time.perf_counter() < until)


def begin(selector: selectors.BaseSelector, line: Line) -> None:
    line.connect()
    selector.register(line.sock, selectors.EVENT_READ, line)
    line.post()


def go_on(selector: selectors.BaseSelector, line: Line, is_open: bool, again: bool) -> None:
    """The next request on this connection, on a new one, or none."""
    if is_open and again:
        line.post()
        return
    selector.unregister(line.sock)
    line.sock.close()
    if again:
        begin(selector, line)


if __name__ == "__main__":
    main()
