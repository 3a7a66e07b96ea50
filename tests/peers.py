"""A peer that never comes to its end: it answers one call with a start and then with a drop every so often, until the line is cut."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat


@contextmanager
def dripping(start: bytes, drops: Iterable[bytes] = repeat(b"x"), every: float = 0.1) -> Iterator[str]:
    """The address of such a peer, which ends with the block."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer, suppress(OSError):
                peer.recv(65536)
                peer.sendall(start)
                for drop in drops:
                    if ended.wait(every):
                        break
                    peer.sendall(drop)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join(10)
