"""The processes of the web server, in front of everything: gunicorn keeps them, waitress reads. A thread is given a request once all of it is there, so that
a sender who is slow, or stops in the middle, holds a socket and nobody up."""

import os

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.server import create_server

SILENT_FOR = 30  # seconds after which a connection that says nothing more is closed
SOCKETS = 1_000  # open at once in a process
LARGEST = 128 * 1024 * 1024  # bytes of a body; the portal itself refuses far smaller ones, and the door writes that down


class WholeRequests(Worker):  # type: ignore[misc]
    """One process: `gunicorn --worker-class portal.web.WholeRequests --threads …`."""

    def run(self) -> None:
        server = create_server(
            self.wsgi, sockets=[listener.sock for listener in self.sockets], threads=self.cfg.threads, connection_limit=SOCKETS, ident=None,
            channel_timeout=SILENT_FOR, cleanup_interval=5, max_request_body_size=LARGEST, asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # which of them are believed, the settings say
        )  # fmt: skip
        while self.alive and self.ppid == os.getppid():
            self.notify()
            turn(server, 1)
        server.accepting = False
        server.task_dispatcher.shutdown(timeout=self.cfg.graceful_timeout)
        turn(server, 0.1)  # what was answered last goes out
        server.close()


def turn(server: object, seconds: float) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=server._map, count=1)  # type: ignore[attr-defined]
