"""The one way out to other systems' HTTP: public https addresses only, resolved once and re-checked at every call, no redirects, bounded answers.

With PORTAL_ALLOW_LOOPBACK_DESTINATIONS=1 (development and tests) a loopback destination may be plain http.
"""

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
MAX_ANSWER, PATIENCE = 4_096, 20.0
PRINTABLE = re.compile(r"[^\s\x00-\x20\x7f\ud800-\udfff]+")
# Old and local ways to write an IPv4 address as IPv6.
DISGUISED = tuple(map(ipaddress.ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")))
# Reserved, and not known as such by Python 3.11.
RESERVED = tuple(map(ipaddress.ip_network, ("192.88.99.0/24", "3fff::/20", "5f00::/16")))
NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)  # the last part of a host that some resolvers take for an IPv4 address


class Forbidden(ValueError):
    """The address is not one that leads may be sent to."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the address that was checked, the Host that it is for, and the name that its certificate must bear."""

    url: str
    host: str
    name: str


def check_url(url: str) -> None:
    """Raise ValidationError, in words, unless this could be the address of a destination. What it resolves to is checked at each call."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise ValidationError(_("This is not an address.")) from None
    if parts.scheme not in ("https", "http") or not host or not PRINTABLE.fullmatch(url) or len(url) > 2_000:
        raise ValidationError(_("This is not an address."))
    if "@" in parts.netloc:
        raise ValidationError(_("An address with a user name or password in it is refused."))
    if parts.scheme == "http" and not (settings.ALLOW_LOOPBACK_DESTINATIONS and is_loopback_name(host)):
        raise ValidationError(_("Needs https. Change http to https."))
    literal = address_of(host)
    if not literal and NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise ValidationError(_("This is not an address."))
    if (literal and not may_reach(literal)) or (is_loopback_name(host) and not settings.ALLOW_LOOPBACK_DESTINATIONS):
        raise ValidationError(_("This address is not on the public internet."))
    if port is not None and port < 1024 and port not in (80, 443):
        raise ValidationError(_("Port %(port)d belongs to another service."), params={"port": port})


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback_name(host: str) -> bool:
    address = address_of(host)
    return host.lower() == "localhost" or bool(address and address.is_loopback)


def may_reach(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Public unicast only; IPv4 hidden inside IPv6 counts as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return may_reach(inner)
        if address.is_site_local or (not address.is_loopback and any(address in network for network in DISGUISED)):
            return False
    if address.is_loopback:
        return bool(settings.ALLOW_LOOPBACK_DESTINATIONS)
    return (
        address.is_global and not address.is_multicast and not any(address in network for network in RESERVED if network.version == address.version)
    )


def resolve(url: str) -> Target:
    """Resolve the host once; every address it has must be allowed, and the call goes to the first. Raises Forbidden or OSError."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").encode("idna").decode(), parts.port or (443 if parts.scheme == "https" else 80)
    found = [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(may_reach(address) for address in found):
        raise Forbidden(host)
    if parts.scheme == "http" and not all(address.is_loopback for address in found):
        raise Forbidden(host)
    address = f"[{found[0]}]" if found[0].version == 6 else str(found[0])
    return Target(url=parts._replace(netloc=f"{address}:{port}").geturl(), host=parts.netloc.encode("idna").decode(), name=host)


class Line:
    """The connection of one call, which a clock cuts when the call takes too long. httpx bounds each read, not all of them together."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.was_cut = False

    def note(self, event: str, info: dict[str, Any]) -> None:
        """httpx's trace: keep a second handle on the connection, which stays good when TLS takes the first."""
        if event == "connection.connect_tcp.complete":
            self.socket = info["return_value"].get_extra_info("socket").dup()

    def cut(self) -> None:
        self.was_cut = True
        if self.socket:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self.socket:
            self.socket.close()


@contextmanager
def bounded(seconds: float) -> Iterator[Line]:
    """A line that is cut after so many seconds. Raises TimeoutError in place of what the cut looks like from within."""
    line = Line()
    clock = threading.Timer(seconds, line.cut)
    clock.daemon = True
    clock.start()
    try:
        yield line
    except httpx.HTTPError as error:
        if line.was_cut:
            raise TimeoutError(f"No answer within {seconds:g} s") from error
        raise
    finally:
        clock.cancel()
        line.close()


@lru_cache(1)
def authorities() -> ssl.SSLContext:
    """Whose certificates are believed, read once in a process: to read them takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, httpx.Headers, str]:
    """POST to a checked address; returns (status, headers, the first 4 kB of the answer). Raises Forbidden, OSError or httpx.HTTPError."""
    target = resolve(url)
    with bounded(PATIENCE) as line, httpx.Client(verify=authorities(), timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        request = client.build_request("POST", target.url, content=body, headers={**headers, "Host": target.host, "Accept-Encoding": "identity"})
        request.extensions |= {"sni_hostname": target.name, "trace": line.note}
        answer = client.send(request, stream=True)
        try:
            return answer.status_code, answer.headers, beginning(answer).decode("utf-8", "replace").replace("\x00", "")
        finally:
            answer.close()


def beginning(answer: httpx.Response) -> bytes:
    """The first 4 kB of the text. The status has been said: a text that breaks off or never ends changes nothing."""
    text = b""
    with suppress(httpx.HTTPError):
        for chunk in answer.iter_raw():
            text += chunk
            if len(text) >= MAX_ANSWER:
                break
    return text[:MAX_ANSWER]
