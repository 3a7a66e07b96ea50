"""Mail that a local portal wrote to files instead of sending it, for reading. Only files that the mail backend itself named are opened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path

from django.conf import settings

from accounts.models import User
from campaigns.senders import SALT

FILE = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{1,20}\.log")
BETWEEN = b"-" * 79 + b"\n"
BACKEND = "django.core.mail.backends.filebased.EmailBackend"
MAX_FILE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of one file; `key` finds it again."""

    key: str
    message: EmailMessage

    @property
    def sender(self) -> str:
        return str(self.message["From"] or "")

    @property
    def recipient(self) -> str:
        return str(self.message["To"] or "")

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def at(self) -> datetime | None:
        """When it was written; "-0000" in a mail means UTC."""
        try:
            at = parsedate_to_datetime(str(self.message["Date"]))
        except (ValueError, TypeError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        """The plain part; a page never shows somebody else's HTML."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    @property
    def of_campaign(self) -> bool:
        return bool(self.message["List-Unsubscribe"] or self.message["X-Portal-Mail"] == SALT)


def in_use() -> bool:
    """Whether mail goes to files at all."""
    return bool(settings.EMAIL_BACKEND == BACKEND)


def folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)


def files() -> list[Path]:
    """The backend's files, the newest first: their names begin with the time."""
    if not in_use() or not folder().is_dir():
        return []
    return sorted((path for path in folder().iterdir() if FILE.fullmatch(path.name) and path.is_file()), reverse=True)


def mails(path: Path) -> Iterator[Mail]:
    """The mails of one file, the last one first."""
    with path.open("rb") as file:
        parts = [part for part in file.read(MAX_FILE).split(BETWEEN) if part.strip()]
    for number in reversed(range(len(parts))):
        yield Mail(f"{path.name}-{number}", BytesParser(policy=policy.default).parsebytes(parts[number]))


def readable_by(user: User, mail: Mail) -> bool:
    """Campaign mail for the whole office; what else the portal writes (links that set a password) for admins only."""
    return user.is_portal_admin or mail.of_campaign


def newest(user: User, skip: int, count: int) -> list[Mail]:
    """A page of what this user may read."""
    found = (mail for path in files() for mail in mails(path) if readable_by(user, mail))
    return list(islice(found, skip, skip + count))


def one(user: User, key: str) -> Mail | None:
    """The mail of that key, if the backend wrote it and this user may read it."""
    name = key.rpartition("-")[0]
    path = next((path for path in files() if path.name == name), None)
    return next((mail for mail in mails(path) if mail.key == key and readable_by(user, mail)), None) if path else None
