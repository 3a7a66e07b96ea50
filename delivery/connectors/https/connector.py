"""`https`: your CRM. One POST per lead state, signed by Standard Webhooks 1.0; any 2xx is a yes."""

import base64
import binascii
import json
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2 as httpx
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from standardwebhooks import Webhook

from accounts.ids import uuid7
from delivery import contract, egress
from delivery.contract import Answer, Misconfigured, Refused, RetryLater
from delivery.models import Destination

MAX_RETRY_AFTER = 24 * 3600  # so that some tries are left of the three days
TRY_AGAIN = (408, 425, 429)
WRONG_DESTINATION = (401, 403, 404, 405, 410)


class Connector(contract.Connector):
    kind = "https"
    label = gettext_lazy("Your CRM, over HTTPS")

    def clean(self, config: dict[str, Any]) -> tuple[dict[str, Any], str]:
        wrong: dict[str, Any] = {name: _("This setting is unknown.") for name in set(config) - {"url", "secret"}}
        url, secret = config.get("url"), config.get("secret")
        try:
            if not isinstance(url, str):
                raise ValidationError(_("An address is needed."))
            egress.check_url(url)
        except ValidationError as error:
            wrong["url"] = error.messages
        if not isinstance(secret, str) or not 16 <= len(key_of(secret)) <= 128:
            wrong["secret"] = _("A signing secret is needed: base64 of 16 to 128 bytes, with or without whsec_ in front.")
        if wrong:
            raise ValidationError(wrong)
        return {"url": url}, str(secret)

    def send(self, destination: Destination, message_id: str, payload: dict[str, Any]) -> Answer:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        now = datetime.now(UTC)
        signature = Webhook(base64.b64encode(key_of(destination.secret)).decode()).sign(message_id, now, body)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PublisherPortal/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        status, answered, text = call(destination.config["url"], body.encode(), headers)
        return judge(status, answered, text)

    def test(self, destination: Destination) -> Answer:
        """An event of the type `portal.test`, signed like every other, with an id of its own."""
        return self.send(
            destination, f"test-{uuid7()}", {"type": "portal.test", "destination": destination.name, "sent_at": datetime.now(UTC).isoformat()}
        )


def key_of(secret: str) -> bytes:
    """The bytes of a signing secret; none when it is not base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def call(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, httpx.Headers, str]:
    """One POST, its network failures named by what happens next."""
    try:
        return egress.post(url, body, headers)
    except egress.Forbidden:
        raise Misconfigured("The address is not on the public internet.") from None
    except httpx.HTTPError as error:
        if is_tls(error):
            raise Misconfigured(f"TLS: {error}"[:300]) from None
        raise RetryLater(f"{type(error).__name__}: {error}"[:300]) from None
    except OSError as error:
        raise RetryLater(f"{type(error).__name__}: {error}"[:300]) from None


def is_tls(error: httpx.HTTPError) -> bool:
    """Whether the two sides can't agree on TLS, which no retry mends; a line that broke off while they tried is no such thing."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    return isinstance(error, httpx.ConnectError) and any(isinstance(one, ssl.SSLError) and not isinstance(one, ssl.SSLEOFError) for one in causes)


def judge(status: int, headers: httpx.Headers, text: str) -> Answer:
    """What a status means for the delivery."""
    answer, said = Answer(status, text), f"{status} {text[:200]}".strip()
    if 200 <= status < 300:
        return answer
    if status in TRY_AGAIN or status >= 500:
        raise RetryLater(said, answer, retry_after(headers.get("retry-after", "")))
    if status in WRONG_DESTINATION:
        raise Misconfigured(said, answer)
    if 300 <= status < 400:
        raise Misconfigured(f"{status}: redirects are not followed.", answer)
    raise Refused(said, answer)


def retry_after(value: str) -> float:
    """Seconds of a Retry-After header, as a number or a date, a day at most; the longest of several; unreadable and past ones count as none."""
    numbers = [one.strip() for one in value.split(",")]
    try:
        seconds = (
            max(map(float, numbers))
            if all(one.isdecimal() for one in numbers)
            else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
