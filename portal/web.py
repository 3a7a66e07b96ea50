"""The processes of the web server, in front of everything: gunicorn keeps them, waitress reads. A thread is given a request once all of it is there, so that
a sender who is slow, or stops in the middle, holds a socket and nobody up."""

import os
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

SILENT_FOR = 30  # seconds after which a connection that says nothing more is closed
SOCKETS = 1_000  # open at once in a process
LARGEST = 128 * 1024 * 1024  # bytes of a body; the portal itself refuses far smaller ones, and the door writes that down


class Line(HTTPChannel):  # type: ignore[misc]
    """A connection. Of a lead that did not come whole the door still hears, to keep aside what came of it; nobody is there to be answered."""

    request: Any

    def handle_close(self) -> None:
        cut, self.request = self.request, None
        if cut and cut.headers_finished and not (cut.completed or cut.chunked or cut.error) and cut.path.startswith("/in/"):
            self.server.task_dispatcher.add_task(Unfinished(self, cut))
        super().handle_close()


class Unfinished:
    """What waitress's threads take for a task."""

    def __init__(self, line: Line, request: Any) -> None:
        self.line, self.request = line, request

    def service(self) -> None:
        for _part in self.line.server.application(WSGITask(self.line, self.request).get_environment(), lambda *_head: None):
            pass
        self.request.close()

    def cancel(self) -> None:
        self.request.close()


class WholeRequests(Worker):  # type: ignore[misc]
    """One process: `gunicorn --worker-class portal.web.WholeRequests --threads …`."""

    def run(self) -> None:
        server = create_server(
            self.wsgi, sockets=[listener.sock for listener in self.sockets], threads=self.cfg.threads, connection_limit=SOCKETS, ident=None,
            channel_timeout=SILENT_FOR, cleanup_interval=5, max_request_body_size=LARGEST, asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # which of them are believed, the settings say
        )  # fmt: skip
        server.channel_class = Line
        while self.alive and self.ppid == os.getppid():
            self.notify()
            turn(server, 1)
        server.accepting = False
        server.task_dispatcher.shutdown(timeout=self.cfg.graceful_timeout)
        turn(server, 0.1)  # what was answered last goes out
        server.close()


def turn(server: object, seconds: float) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=server._map, count=1)  # type: ignore[attr-defined]
