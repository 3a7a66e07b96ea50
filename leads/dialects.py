"""From bytes to meaning: every dialect in which the marketplace hands over a lead, read into one Act.

Sources: Microsoft's pages on lead management show PascalCase keys, publishers receive camelCase ones, and one published sample is not valid JSON.
So keys are compared by their letters and digits alone, unknown ones are kept, and what can't be read raises Unreadable with a sentence.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

JSON_KINDS = ("application/json", "text/json")
FORM = "application/x-www-form-urlencoded"
PERSON = ("firstname", "lastname", "email", "phone", "country", "company", "title")
ACT = ("leadsource", "actioncode", "offertitle", "description")
NESTED = ("userdetails", "customerinfo")
ALIASES = {"offerdisplayname": "offertitle"}
KNOWN_ACTIONS = {"ins": "INS", "plt": "PLT", "dnc": "DNC", "create": "Create", "starttestdrive": "StartTestDrive"}
SOURCES = {
    "spza": "AppSource",
    "appsource": "AppSource",
    "azuremarketplace": "AzureMarketplace",
    "azureportal": "AzurePortal",
    "testdrive": "TestDrive",
}
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
MAX_FIELDS, MAX_TEXT, MAX_VALUE, MAX_EXTRA = 1_000, 20_000, 1_000, 20_000
LEAD_SOURCE = re.compile(r"^(?P<source>[^-|]*)(?:-(?P<action>[^|]*))?(?:\|(?P<offer>.*))?$", re.DOTALL)
TEST_LEAD = re.compile(r"(?<![a-z0-9])msft_test", re.IGNORECASE)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Unreadable(ValueError):
    """The bytes hold no lead that can be read; the message is the reason that a person will see."""


@dataclass(slots=True)
class Act:
    """One act of a person on a listing, in the marketplace's words, cleaned of what PostgreSQL can't hold."""

    person: dict[str, str]
    source: str = ""
    action: str = ""
    lead_source: str = ""
    offer: str = ""
    offer_title: str = ""
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    is_test: bool = False
    content_key: bytes = b""

    @property
    def asked_neighbour(self) -> bool:
        return self.action == "DNC"


def read(body: bytes, content_type: str) -> Act:
    """The act told by these bytes. Raises Unreadable."""
    if not body.strip():
        raise Unreadable("The body is empty.")
    kind, charset = media_type(content_type)
    text = decode(body, charset)
    fields = from_form(text) if kind == FORM or looks_like_form(text, kind) else from_json(text)
    return understand(fields)


@lru_cache(100)
def media_type(content_type: str) -> tuple[str, str]:
    """(media type, charset) of a Content-Type header; anything odd in it counts as absent."""
    message = Message()
    message["Content-Type"] = re.sub(r"[\r\n]", " ", content_type)
    charset = message.get_param("charset", "")
    return message.get_content_type() if content_type else "", charset if isinstance(charset, str) else ""


def decode(body: bytes, charset: str) -> str:
    """Text of the body: a byte order mark wins, then the declared charset, then UTF-8."""
    charset = next((codec for mark, codec in BYTE_ORDER_MARKS if body.startswith(mark)), charset)
    try:
        return body.decode(charset or "utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"Not {charset or 'UTF-8'}: byte {error.start + 1} can't be read.") from None
    except (LookupError, ValueError):
        raise Unreadable(f"Unknown charset {charset[:40]!r}.") from None


def looks_like_form(text: str, kind: str) -> bool:
    """A form that was sent without saying so."""
    return kind not in JSON_KINDS and text.lstrip()[:1] not in ("{", "[", '"') and bool(re.match(r"[\w.%+-]+=", text.lstrip()[:100]))


def from_form(text: str) -> dict[str, Any]:
    """The fields of a web-to-lead form; of a repeated name the last value counts."""
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Unreadable(f"More than {MAX_FIELDS} form fields.") from None
    return dict(pairs)


def from_json(text: str) -> dict[str, Any]:
    """The object in this JSON text. Numbers stay as written: a phone number of 30 digits is not an integer to us."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except RecursionError:
        raise Unreadable("JSON nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"Not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
    if not isinstance(value, dict):
        raise Unreadable(f"JSON, but {'a list' if isinstance(value, list) else 'a single value'} where one lead was expected.")
    return value


@lru_cache(1_000)
def plain(key: str) -> str:
    """A key by its letters and digits: FirstName, firstName and first_name are the same."""
    letters = re.sub(r"[^a-z0-9]", "", key.lower())
    return ALIASES.get(letters, letters)


def clean(value: Any) -> str:
    """A value as text that PostgreSQL holds: no NUL, no lone surrogate."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if text.isprintable() else UNSTORABLE.sub("", text)).strip()


def nested(value: Any) -> dict[str, Any]:
    """The person's part: an object, or the JSON string that the MarketplaceLeads table keeps it as."""
    if isinstance(value, str) and value.strip():
        try:
            value = from_json(value)
        except Unreadable as error:
            raise Unreadable(f"CustomerInfo: {error}") from None
    return value if isinstance(value, dict) else {}


def understand(fields: dict[str, Any]) -> Act:
    """Sort the fields into person, act and the rest, whatever their casing and nesting. A filled value wins over an empty one."""
    known: dict[str, str] = {}
    extra: dict[str, Any] = {}
    for key, value in fields.items():
        name = plain(key)
        if name in NESTED:
            inner = nested(value)
            for k, v in inner.items():
                part = plain(k)
                if part not in PERSON:
                    extra[k] = v
                elif (text := clean(v)) or part not in known:
                    known[part] = text
        elif name in PERSON or name in ACT:
            if clean(value) or name not in known:
                known[name] = clean(value)
        else:
            extra[key] = value
    if not known and not any(plain(key) in NESTED for key in fields):
        raise Unreadable("None of its fields is one that a lead has.")
    return to_act(known, extra)


def to_act(known: dict[str, str], extra: dict[str, Any]) -> Act:
    """The act of these known fields; anything over its length is cut here, so that no odd value can fail an insert."""
    source, action, offer = parse_lead_source(known.get("leadsource", ""))
    said = canonical_action(known.get("actioncode", ""))
    act = Act(
        person={name: known.get(name, "")[:MAX_VALUE] for name in PERSON},
        source=source[:100],
        action="DNC" if "DNC" in (said, action) else (said or action)[:40],
        lead_source=known.get("leadsource", "")[:500],
        offer=offer[:300],
        offer_title=known.get("offertitle", "")[:300],
        description=known.get("description", "")[:MAX_TEXT],
        extra=kept(extra),
    )
    act.is_test = any(TEST_LEAD.search(value) for value in known.values()) or bool(TEST_LEAD.search(json.dumps(act.extra)))
    act.content_key = content_key(known, act.extra)
    return act


def parse_lead_source(text: str) -> tuple[str, str, str]:
    """(source, action, offer) of `Source-Action|publisher.offer`, with spaces, `AppSource (SPZA)`, or nothing but the source."""
    match = LEAD_SOURCE.match(text)
    if match is None:
        return text.strip(), "", ""
    source, action, offer = ((match[name] or "").strip() for name in ("source", "action", "offer"))
    bare = re.sub(r"\s*\(SPZA\)$", "", source, flags=re.IGNORECASE)
    return SOURCES.get(bare.replace(" ", "").lower(), bare), canonical_action(action), offer


def canonical_action(code: str) -> str:
    """A known code in its own casing, an unknown one as it came."""
    return KNOWN_ACTIONS.get(code.strip().lower(), code.strip())


def kept(extra: dict[str, Any]) -> dict[str, Any]:
    """Unknown fields, storable as jsonb and of bounded size; bytes of the submission keep the rest."""
    try:
        text = UNSTORABLE.sub("", json.dumps(extra, ensure_ascii=False)).replace("\\u0000", "")
        return json.loads(text) if len(text) <= MAX_EXTRA else {"kept": "in the archive only", "bytes": len(text)}
    except (ValueError, RecursionError):
        return {"kept": "in the archive only"}


def content_key(known: dict[str, str], extra: dict[str, Any]) -> bytes:
    """What makes two deliveries the same: their content, whatever the order and casing of keys and the white space around values."""
    same = json.dumps([known, {plain(key): value for key, value in extra.items()}], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(same.encode()).digest()
