"""Archived bytes as a person may look at them: as text where they are text, else as the usual table of hexadecimal digits. Never as markup."""

import unicodedata
from dataclasses import dataclass

from leads import dialects
from leads.models import Submission

SHOWN = 64 * 1024
WIDTH = 16


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is shown of some bytes: text, or their hexadecimal digits; whether that is all of them."""

    text: str
    is_binary: bool
    is_whole: bool


def evidence(raw: bytes, content_type: str) -> Evidence:
    """Read by the declared charset, then as UTF-8; what can't be read is shown as a replacement sign, and bytes that are no text as digits."""
    shown = raw[:SHOWN]
    text = decoded(shown, content_type)
    odd = sum(1 for character in text if character == "\ufffd" or (unicodedata.category(character) == "Cc" and character not in "\r\n\t"))
    is_binary = (b"\x00" in shown[:4096] and "\x00" in text) or odd * 10 > len(text)
    return Evidence(digits(shown) if is_binary else text, is_binary, len(raw) <= SHOWN)


def decoded(raw: bytes, content_type: str) -> str:
    try:
        return dialects.decode(raw, dialects.media_type(content_type)[1])
    except dialects.Unreadable:
        return raw.decode("utf-8", "replace")


def digits(raw: bytes) -> str:
    """00000000  7b 22 75 73 65 72 22 3a  …  {"user": — sixteen bytes to a line."""
    rows = (raw[start : start + WIDTH] for start in range(0, min(len(raw), SHOWN // 4), WIDTH))
    return "\n".join(
        f"{number * WIDTH:08x}  {row.hex(' '):<{WIDTH * 3}} {''.join(chr(b) if 32 <= b < 127 else '.' for b in row)}"
        for number, row in enumerate(rows)
    )


def repairable(submission: Submission) -> str:
    """The text to begin a repair with: as repaired last, else as it came; nothing where that is no text."""
    if submission.repair is not None:
        return bytes(submission.repair).decode("utf-8-sig", "replace")
    seen = evidence(submission.raw, submission.content_type)
    return "" if seen.is_binary else decoded(submission.raw, submission.content_type)


def repaired(text: str) -> bytes:
    """A repaired copy as bytes. The mark at their beginning says UTF-8, whatever charset the sender declared."""
    return text.encode("utf-8-sig")
