"""From bytes to meaning: every dialect in which the marketplace hands over a lead, read into one Act.

Sources: Microsoft's pages on lead management show PascalCase keys, publishers receive camelCase ones, and one published sample is not valid JSON.
So keys are compared by their letters and digits alone, unknown ones are kept, and what can't be read raises Unreadable with a sentence.
"""

import codecs
import hashlib
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from leads import reasons

JSON = "application/json"
PERSON = ("firstname", "lastname", "email", "phone", "country", "company", "title")
ACT = ("leadsource", "actioncode", "offertitle", "description")
NESTED = ("userdetails", "customerinfo")
ALIASES = {"offerdisplayname": "offertitle"}
KNOWN_ACTIONS = {"ins": "INS", "plt": "PLT", "dnc": "DNC", "create": "Create", "starttestdrive": "StartTestDrive"}
# The documented codes by their full names, with or without the code beside them.
FULL_NAMES = {"installation": "INS", "partnerledtrial": "PLT", "donotcontact": "DNC", "testdrive": "StartTestDrive"}
ACTIONS = {**KNOWN_ACTIONS, **FULL_NAMES, **{f"{code.lower()}{name}": code for name, code in FULL_NAMES.items()}}
NO_LETTER = re.compile(r"[^a-z0-9]")
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
NOTHING = ("", "{}", "[]")
MAX_KEY, MAX_SOURCE = 200, 1_000
MAX_FIELDS, MAX_TEXT, MAX_VALUE, MAX_EXTRA, MAX_INFLATED = 1_000, 20_000, 1_000, 20_000, 1024 * 1024
NO_CHARSETS = ("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined")
GZIP = b"\x1f\x8b"
LEAD_SOURCE = re.compile(r"^(?P<source>[^-|]*)(?:-(?P<action>[^|]*))?(?:\|(?P<offer>.*))?$", re.DOTALL)
TEST_LEAD = re.compile(r"(?<![a-z0-9])msft_test", re.IGNORECASE)
NUL_ESCAPED = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
ENCODED = json.JSONEncoder(sort_keys=True).encode
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
FORM, BETWEEN_DIGITS = re.compile(r"[\w.%+*-]+="), re.compile(r"[\s()./-]")


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
        raise Unreadable(reasons.EMPTY)
    charset = media_type(content_type)[1]
    text = decode(inflated(body), charset)
    return understand(from_form(text, charset) if looks_like_form(text) else from_json(text), may_name_a_test(text))


def may_name_a_test(text: str) -> bool:
    """Whether a look at every value is worth while: the mark stands in the text, or escapes do that could hide it."""
    return "\\u" in text or "%" in text or "msft_test" in text.lower()


def inflated(body: bytes) -> bytes:
    """The content of a body that was sent compressed, as far as a lead may be long; any other body as it is."""
    if not body.startswith(GZIP):
        return body
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, MAX_INFLATED + 1)
    except zlib.error:
        raise Unreadable(reasons.BROKEN_GZIP) from None
    if len(unpacked) > MAX_INFLATED:
        raise Unreadable(reasons.LONG_GZIP % {"n": MAX_INFLATED})
    return unpacked


@lru_cache(100)
def media_type(content_type: str) -> tuple[str, str]:
    """(media type, charset) of a Content-Type header; anything odd in it counts as absent."""
    message = Message()
    message["Content-Type"] = re.sub(r"[\r\n]", " ", content_type)
    charset = message.get_param("charset", "")
    return message.get_content_type() if content_type else "", charset if isinstance(charset, str) else ""


def decode(body: bytes, charset: str) -> str:
    """Text of the body: a byte order mark wins, then the declared charset when there is such a one, then what its zeros say, then UTF-8."""
    marked = next((codec for mark, codec in BYTE_ORDER_MARKS if body.startswith(mark)), "")
    codec = marked or text_codec(charset) or json.detect_encoding(body)
    try:
        return body.decode(codec)
    except UnicodeDecodeError as error:
        raise Unreadable(reasons.NOT_IN_CHARSET % {"charset": codec.upper(), "n": error.start + 1}) from None


@lru_cache(100)
def text_codec(charset: str) -> str:
    """The codec of a declared charset; nothing when it is unknown, or no way to write text but one of Python's own."""
    try:
        name = codecs.lookup(charset).name if charset.isprintable() and charset.isascii() and charset else ""
        "".encode(name or "utf-8")  # what turns bytes into bytes is no charset
    except (LookupError, ValueError):
        return ""
    return "" if name.replace("-", "_") in NO_CHARSETS else name


def looks_like_form(text: str) -> bool:
    """A form, whatever it says that it is: senders get the type wrong, the first letters don't."""
    start = text.lstrip("\ufeff \t\r\n")[:100]
    return start[:1] not in ("{", "[", '"') and FORM.match(start) is not None


def from_form(text: str, charset: str) -> dict[str, Any]:
    """The fields of a web-to-lead form, whose escapes are in the declared charset or in the one that its field `encoding` names. A filled value wins."""
    try:
        said = dict(parse_qsl(text.strip(), encoding="latin-1", max_num_fields=MAX_FIELDS)).get("encoding", "")
        codec = text_codec(charset) or text_codec(said) or "utf-8"
        pairs = parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding=codec, errors="strict")
    except UnicodeDecodeError as error:
        raise Unreadable(reasons.NOT_IN_CHARSET_FORM % {"charset": error.encoding.upper()}) from None
    except ValueError:
        raise Unreadable(reasons.MANY_FIELDS % {"n": MAX_FIELDS}) from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if value or name not in fields:
            fields[name] = value
    return fields


def from_json(text: str) -> dict[str, Any]:
    """The object in this JSON text. Numbers stay as written: a phone number of 30 digits is not an integer to us."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=joined)
    except RecursionError:
        raise Unreadable(reasons.DEEP) from None
    except json.JSONDecodeError as error:
        raise Unreadable(reasons.NOT_JSON % {"fault": reasons.fault(error), "line": error.lineno, "column": error.colno}) from None
    if not isinstance(value, dict):
        raise Unreadable(reasons.A_LIST if isinstance(value, list) else reasons.A_VALUE)
    return value


def joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which a key may stand twice: a filled value counts, the last one of several, and objects of one name are one."""
    found: dict[str, Any] = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for key, value in pairs:
        put(found, key, value)
    return found


def put(found: dict[str, Any], key: str, value: Any) -> None:
    """One more value of this key. In place, since a body may say the same key ten thousand times."""
    was = found.get(key)
    if isinstance(was, dict) and isinstance(value, dict):
        for inner, said in value.items():
            put(was, inner, said)
    elif key not in found or clean(value) not in NOTHING:
        found[key] = value


def plain(key: str) -> str:
    """A key by its letters and digits: FirstName, firstName and first_name are the same."""
    return letters_of(key[:MAX_KEY])


@lru_cache(1_000)
def letters_of(key: str) -> str:
    letters = re.sub(r"[^a-z0-9]", "", key.lower())
    return ALIASES.get(letters, letters)


def clean(value: Any) -> str:
    """A value as text that PostgreSQL holds: no NUL, no lone surrogate."""
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if text.isprintable() else UNSTORABLE.sub("", text)).strip()


def nested(key: str, value: Any) -> dict[str, Any]:
    """The person's part: an object, alone or in a list, or the JSON string that the MarketplaceLeads table keeps it as."""
    if isinstance(value, str) and value.strip():
        try:
            value = from_json(value)
        except Unreadable as error:
            raise Unreadable(reasons.INSIDE % {"field": clean(key)[:40], "reason": error}) from None
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    if not value:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(reasons.NO_PERSON % {"field": clean(key)[:40]})
    return value


def texts(*values: Any) -> Iterator[str]:
    """Every text in these values, however deep it lies, names included."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value


def understand(fields: dict[str, Any], may_be_test: bool = True) -> Act:
    """Sort the fields into person, act and the rest, whatever their casing and nesting. A filled value wins over an empty one."""
    known: dict[str, str] = {}
    extra: dict[str, Any] = {}
    is_test = may_be_test and names_a_test(fields)
    for key, value in fields.items():
        name = plain(key)
        if name in NESTED:
            inner = nested(key, value)
            is_test = is_test or (may_be_test and names_a_test(inner))
            for k, v in inner.items():
                part = plain(k)
                if part not in PERSON and not (part in ACT and clean(v)):
                    extra[k] = v
                elif part in ACT:
                    known[part] = known.get(part) or clean(v)
                elif (text := clean(v)) or part not in known:
                    known[part] = text
        elif name in PERSON or name in ACT:
            if clean(value) or name not in known:
                known[name] = clean(value)
        else:
            extra[key] = value
    if not known and not any(plain(key) in NESTED for key in fields):
        raise Unreadable(reasons.NO_FIELD)
    return to_act(known, extra, is_test)


def names_a_test(fields: dict[str, Any]) -> bool:
    """Whether the marketplace's mark of a test lead stands in any of its texts, kept or not; in what a buyer wrote freely, only where it begins so.

    The person's part is asked by itself: a description may stand in it too.
    """
    whole = "\n".join(texts({key: value for key, value in fields.items() if says_what_it_is(plain(key), value)}))
    return "msft_test" in whole.lower() and TEST_LEAD.search(whole) is not None


def says_what_it_is(name: str, value: Any) -> bool:
    return name not in NESTED and (name != "description" or clean(value)[:9].lower() == "msft_test")


def to_act(known: dict[str, str], extra: dict[str, Any], is_test: bool) -> Act:
    """The act of these known fields; anything over its length is cut here, so that no odd value can fail an insert."""
    source, action, offer = parse_lead_source(known.get("leadsource", "")[:MAX_SOURCE])
    said = canonical_action(known.get("actioncode", ""))
    return Act(
        person={name: known.get(name, "")[:MAX_VALUE] for name in PERSON},
        source=source[:100],
        action="DNC" if "DNC" in (said, action) else (said or action)[:40],
        lead_source=known.get("leadsource", "")[:500],
        offer=offer[:300],
        offer_title=known.get("offertitle", "")[:300],
        description=known.get("description", "")[:MAX_TEXT],
        extra=kept(extra),
        is_test=is_test,
        content_key=content_key(known, extra),
    )


@lru_cache(10_000)
def parse_lead_source(text: str) -> tuple[str, str, str]:
    """(source, action, offer) of `Source-Action|publisher.offer`, with spaces, `AppSource (SPZA)`, or nothing but the source."""
    match = LEAD_SOURCE.match(text)
    if match is None:
        return text.strip(), "", ""
    source, action, offer = ((match[name] or "").strip() for name in ("source", "action", "offer"))
    name, bracket, code = source.removesuffix(")").rpartition("(")
    bare = name.rstrip() if bracket and code.strip().upper() == "SPZA" else source
    return SOURCES.get(bare.replace(" ", "").lower(), bare), canonical_action(action), offer


def canonical_action(code: str) -> str:
    """A known code, however it is written or called, in its own casing; an unknown one as it came."""
    return ACTIONS.get(NO_LETTER.sub("", unicodedata.normalize("NFKC", code).casefold()), code.strip())


def kept(extra: dict[str, Any]) -> dict[str, Any]:
    """Unknown fields, storable as jsonb and of bounded size; bytes of the submission keep the rest."""
    if not extra:
        return {}
    try:
        text = NUL_ESCAPED.sub(r"\1", UNSTORABLE.sub("", json.dumps(extra, ensure_ascii=False)))
        return json.loads(text) if len(text) <= MAX_EXTRA else {"kept": "in the archive only", "bytes": len(text)}
    except (ValueError, RecursionError):
        return {"kept": "in the archive only"}


def content_key(known: dict[str, str], extra: dict[str, Any]) -> bytes:
    """What makes two deliveries the same: their content, whatever the order and casing of keys and the spelling of values that mean the same."""
    said = {name: same(value) for name, value in known.items()}
    said["email"], said["phone"] = said.get("email", "").lower(), BETWEEN_DIGITS.sub("", said.get("phone", ""))
    said["leadsource"] = "\n".join(parse_lead_source(said.get("leadsource", "")[:MAX_SOURCE])).casefold()
    said["actioncode"] = canonical_action(said.get("actioncode", "")).casefold()
    try:
        rest = {plain(key): same(value) for key, value in extra.items()}
    except RecursionError:  # nested so deeply that nobody compares it
        rest = {}
    whole = [{name: value for name, value in one.items() if value not in ("", None)} for one in (said, rest)]
    return hashlib.sha256(ENCODED(whole).encode()).digest()


def same(value: Any) -> Any:
    """A value in one spelling: composed letters, no white space around texts, names of inner fields by their letters."""
    if isinstance(value, str):
        return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()
    if isinstance(value, dict):
        return {plain(key): same(inner) for key, inner in value.items()}
    return [same(inner) for inner in value] if isinstance(value, list) else value
