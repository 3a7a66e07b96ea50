"""A CRM on loopback that fails one call in five, sometimes after it has taken the lead; and a mail server that sometimes loses the line after it has
taken the mail. Both keep a ledger of what they took."""

import json
import random
import socket
import struct
import threading
from collections import Counter
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.engines.processes import free_port

FAILS, LOSES = 0.2, 0.05
HOW = ("500", "503", "hang up", "take and hang up")


class Crm:
    """One record per lead id, the last call wins, as in a CRM that knows nothing of revisions."""

    def __init__(self, seed: int) -> None:
        self.chance, self.lock = random.Random(seed), threading.Lock()
        self.is_well = False
        self.records: dict[str, tuple[int, str]] = {}
        self.hooked: dict[str, tuple[int, str]] = {}  # what a stage of a campaign told
        self.calls: Counter[str] = Counter()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/leads"

    @property
    def hook(self) -> str:
        return self.url.replace("/leads", "/hook")

    def fate(self) -> str:
        with self.lock:
            how = "200" if self.is_well or self.chance.random() > FAILS else self.chance.choice(HOW)
            self.calls[how] += 1
            return how

    def take(self, path: str, body: dict[str, Any]) -> None:
        lead = body["lead"]
        with self.lock:
            (self.hooked if path == "/hook" else self.records)[lead["id"]] = (
                body["revision"],
                f"{lead['contact']['email']} {lead['listing']['slug']}",
            )

    @property
    def doubled(self) -> int:
        """Records of the same person and listing under different ids."""
        return sum(count - 1 for count in Counter(key for _, key in self.records.values()).values())

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def handler_of(crm: Crm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            how = crm.fate()
            if how in ("200", "take and hang up"):
                crm.take(self.path, body)
            if "hang up" in how:
                # Zero linger: the other side sees a reset, not an end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            self.send_response(int(how))
            if how == "503":
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            if self.connection.fileno() >= 0:
                super().finish()

    return Handler


class Post:
    """A mail server. Of one mail in twenty the sender never hears that it was taken."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.port = free_port()
        self.ids: Counter[str] = Counter()
        self.letters: Counter[str] = Counter()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content)
        self.ids[str(mail["Message-ID"])] += 1
        # A campaign writes the same to a person once; a colleague may be told of many leads.
        what = mail["Subject"] if mail["List-Unsubscribe"] else mail.get_payload()
        self.letters[f"{mail['To']} {what}"] += 1
        if self.chance.random() < LOSES and server.transport:
            server.transport.abort()
        return "250 OK"

    @property
    def doubled(self) -> int:
        return max(sum(count - 1 for count in seen.values()) for seen in (self.ids, self.letters))

    def stop(self) -> None:
        self.controller.stop()
