"""The processes of the web server, in front of everything: gunicorn keeps them, waitress reads. A thread is given a request once all of it is there, so that
a sender who is slow, or stops in the middle, holds a socket and nobody up."""

import os
import time
from copy import copy
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask

SILENT_FOR = 30  # seconds after which a connection that says nothing more is closed
WHOLE_WITHIN = 120  # seconds that a request may take to come, however often something of it comes
SOCKETS = 1_000  # open at once in a process
LARGEST_LEAD = 128 * 1024 * 1024  # bytes; of what is longer than a lead may be the door hears, and only its beginning is kept
LARGEST_FORM = 16 * 1024 * 1024  # bytes of any other body; files to import are the largest
MARGIN = 2  # seconds before gunicorn ends a process by force


class Beginning(OverflowableBuffer):  # type: ignore[misc]
    """A lead's body: no more of it than shows that it is too long; the rest is read and forgotten."""

    def append(self, part: bytes) -> None:
        super().append(part[: max(0, settings.LEAD_MAX_BYTES + 1 - len(self))])


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request on its way in, whose body is bounded by what it may be for."""

    adj: Any
    body_rcv: Any
    path: str

    def parse_header(self, head: bytes) -> None:
        try:
            super().parse_header(head)
        except ValueError:  # a length of more digits than Python reads
            raise ParsingError("Content-Length is invalid") from None
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Both Content-Length and Transfer-Encoding")
        if not self.path.startswith("/in/"):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = LARGEST_FORM
        elif self.body_rcv is not None:
            self.body_rcv.buf = Beginning(settings.LEAD_MAX_BYTES + 2)


class Line(HTTPChannel):  # type: ignore[misc]
    """A connection. Of a lead that did not come whole the door still hears, to keep aside what came of it; nobody is there to be answered."""

    parser_class = Request
    request: Any
    began = 0.0

    def received(self, data: bytes) -> bool:
        before = self.request
        more = bool(super().received(data))
        if self.request is not before:
            self.began = time.monotonic()
        return more

    def handle_close(self) -> None:
        cut, self.request = self.request, None
        if cut and cut.headers_finished and not (cut.completed or cut.error) and cut.path.startswith("/in/"):
            self.server.task_dispatcher.add_task(Unfinished(self, cut))
        super().handle_close()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered, or its answer is still on its way."""
        return bool(self.requests or self.total_outbufs_len)


class Unfinished:
    """What waitress's threads take for a task."""

    def __init__(self, line: Line, request: Any) -> None:
        self.line, self.request = line, request

    def service(self) -> None:
        from leads.door import ENDED_EARLY  # not before gunicorn has loaded the portal

        if self.request.chunked:  # nobody said how long it was to be
            self.request.headers["CONTENT_LENGTH"] = str(len(self.request.body_rcv))
        environ = {**WSGITask(self.line, self.request).get_environment(), ENDED_EARLY: True}
        for _part in self.line.server.application(environ, lambda *_head: None):
            pass
        self.request.close()

    def cancel(self) -> None:
        self.request.close()


class WholeRequests(Worker):  # type: ignore[misc]
    """One process: `gunicorn --worker-class portal.web.WholeRequests --threads …`."""

    def run(self) -> None:
        self.map: dict[int, Any] = {}  # every socket, by its number
        server = create_server(
            self.wsgi, map=self.map, sockets=[listener.sock for listener in self.sockets], threads=self.cfg.threads, connection_limit=SOCKETS, ident=None,
            channel_timeout=SILENT_FOR, cleanup_interval=5, max_request_body_size=LARGEST_LEAD, asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # which of them are believed, the settings say
        )  # fmt: skip
        doors = [one for one in self.map.values() if isinstance(one, BaseWSGIServer)]
        for door in doors:
            door.channel_class = Line
        while self.alive and self.ppid == os.getppid():
            self.turn(0.5)
        for door in doors:
            door.accepting = False
        self.finish(server.task_dispatcher)

    def finish(self, dispatcher: Any) -> None:
        """Answer what has come, and send what was answered, as long as gunicorn waits."""
        until = time.monotonic() + max(0.5, self.cfg.graceful_timeout - MARGIN)
        while time.monotonic() < until and (dispatcher.queue or any(line.is_busy for line in self.lines())):
            self.turn(0.1)
        dispatcher.shutdown(timeout=0.5)

    tended = 0.0

    def turn(self, seconds: float) -> None:
        """Whatever the sockets have, or nothing for so long."""
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=self.map, count=1)
        if time.monotonic() - self.tended > 1:
            self.tended = time.monotonic()
            for line in self.lines():
                if line.request is not None and self.tended - line.began > WHOLE_WITHIN:
                    line.will_close = True

    def lines(self) -> list[Line]:
        return [one for one in self.map.values() if isinstance(one, Line)]
