"""What a connector is: a folder under delivery/connectors with a `connector.py` that holds a subclass of Connector named `Connector`.

A connector checks a destination's config, and turns one lead state into one call. It says what happened by returning, or by raising one of three
exceptions named for what happens next. It keeps no state and decides nothing about retries.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from delivery.models import Destination


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: status and the first part of its text, for the log."""

    status: int | None
    text: str = ""


class DeliveryFailed(Exception):
    """A call that did not deliver; `answer` is what the other side said, if it said anything."""

    def __init__(self, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.answer = answer or Answer(None)


class RetryLater(DeliveryFailed):
    """Worth trying again; not before `after` seconds if the other side said so."""

    def __init__(self, message: str, answer: Answer | None = None, after: float = 0) -> None:
        super().__init__(message, answer)
        self.after = after


class Refused(DeliveryFailed):
    """This lead will not be taken as it is: a person looks at it."""


class Misconfigured(DeliveryFailed):
    """The destination itself is wrong (key, address, certificate): pause it, spend no attempts."""


class Connector:
    """One kind of destination."""

    kind: str
    label: Any

    def clean(self, config: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """(what to keep in the open, the secret to seal) of a config as entered. Raises ValidationError in words, for all that is wrong at once."""
        raise NotImplementedError

    def send(self, destination: Destination, message_id: str, payload: dict[str, Any]) -> Answer:
        """Deliver one lead state. Raises RetryLater, Refused or Misconfigured."""
        raise NotImplementedError

    def test(self, destination: Destination) -> Answer:
        """Call the destination with something clearly marked as a test, which makes no record there. Raises as `send` does; no database is touched."""
        raise NotImplementedError


@lru_cache(1)
def connectors() -> dict[str, Connector]:
    """Every connector by kind, found by folder."""
    folder = Path(__file__).parent / "connectors"
    names = sorted(path.parent.name for path in folder.glob("*/connector.py"))
    found = [import_module(f"delivery.connectors.{name}.connector").Connector() for name in names]
    return {connector.kind: connector for connector in found}
