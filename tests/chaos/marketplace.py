"""The marketplace: posts every lead once, some of them again, and writes down what it was told. What reached somebody is never tried again."""

import hashlib
import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

THREADS = 4
FIRST = ("Ana", "Bruno", "Carla", "Daniel", "Elena", "Filip", "Grace", "Hugo")


@dataclass(frozen=True, slots=True)
class Letter:
    """One act of one person on one listing."""

    path: str
    body: bytes
    key: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.body).digest()


def letters(count: int, paths: dict[str, str], chance: random.Random) -> list[Letter]:
    """So many leads; every tenth acts once more, every tenth act is delivered once more, somewhat later."""
    written: list[tuple[float, Letter]] = []
    for number in range(count):
        slug = sorted(paths)[number % len(paths)]
        acts = [act(number, slug, paths[slug], code) for code in ("INS", "PLT")[: 2 if chance.random() < 0.1 else 1]]
        for nth, letter in enumerate(acts):
            written.append((number + nth * 20, letter))
            if chance.random() < 0.1:
                written.append((number + nth * 20 + chance.uniform(0.1, count / 5), letter))
    return [letter for _, letter in sorted(written, key=lambda pair: pair[0])]


def act(number: int, slug: str, path: str, code: str) -> Letter:
    email = f"person{number}@firm{number // 3}.example"
    person = {
        "firstName": FIRST[number % len(FIRST)],
        "lastName": f"Castro {number}",
        "email": email,
        "country": "CZ",
        "phone": f"+420555{number:06d}",
    }
    body: dict[str, Any] = {
        "userDetails": {**person, "company": f"Firm {number // 3}", "title": "CIO"},
        "leadSource": f"AzureMarketplace-{code}|contoso.{slug}", "actionCode": code, "offerTitle": slug, "description": f"{code} by {number}",
    }  # fmt: skip
    return Letter(path, json.dumps(body).encode(), f"{email} {slug}")


@dataclass
class Ledger:
    """What was posted and what was answered. A 5xx or a lost connection says nothing: the letter may be in the archive once more, or not."""

    known: dict[bytes, Letter] = field(default_factory=dict)
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    open: Counter[bytes] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, letter: Letter, status: int | None, answer: bytes) -> None:
        with self.lock:
            self.known[letter.sha256] = letter
            if status == 202:
                self.acknowledged[json.loads(answer)["id"]] = letter.sha256
                return
            self.open[letter.sha256] += 1
            if status is not None and status < 500:
                self.odd.append(f"{status} for {letter.key}")


class Marketplace:
    """Threads that post the letters in order, spread evenly over so many seconds, and none before it is released."""

    def __init__(self, port: int, todo: list[Letter], seconds: float) -> None:
        self.port, self.todo, self.pause = port, todo, seconds / max(1, len(todo))
        self.ledger, self.next, self.began = Ledger(), 0, time.monotonic()
        self.released, self.gives_up = 0, threading.Event()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()

    def release(self, share: float) -> None:
        """Let so much of the letters go: a slow machine's faults take longer, and should not find everything posted already."""
        self.released = round(share * len(self.todo))

    def wait(self, seconds: float) -> None:
        """Until every letter is posted; what is left after so many seconds stays unposted."""
        until = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.gives_up.set()
        for thread in self.threads:
            thread.join()

    def work(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while (number := self.take()) is not None:
            self.gives_up.wait(max(0.0, self.began + number * self.pause - time.monotonic()))
            while not (number < self.released and self.post(line, self.todo[number])):
                if self.gives_up.wait(0.02):
                    break
        line.close()

    def post(self, line: http.client.HTTPConnection, letter: Letter) -> bool:
        """Whether the letter is out of the house; it is not when nobody listened."""
        try:
            line.request("POST", letter.path, letter.body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            self.ledger.note(letter, answer.status, answer.read())
        except ConnectionRefusedError:
            line.close()
            return False
        except (OSError, http.client.HTTPException):
            self.ledger.note(letter, None, b"")
            line.close()
        return True

    def take(self) -> int | None:
        with self.ledger.lock:
            number, self.next = self.next, self.next + 1
        return number if number < len(self.todo) and not self.gives_up.is_set() else None
