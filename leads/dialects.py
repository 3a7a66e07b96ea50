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
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

from leads import reasons

JSON = "application/json"
PERSON = ("firstname", "lastname", "email", "phone", "country", "company", "title")
ACT = ("leadsource", "actioncode", "offertitle", "description")
NESTED = ("userdetails", "customerinfo")
OWN_WORDS = ("description", "offertitle", "offerid", "productid", "publisherid", "publisherdisplayname")
ALIASES = {"offerdisplayname": "offertitle"}
KNOWN_ACTIONS = {"ins": "INS", "plt": "PLT", "dnc": "DNC", "create": "Create", "starttestdrive": "StartTestDrive"}
# The documented codes by their full names, with or without the code beside them.
FULL_NAMES = {"installation": "INS", "partnerledtrial": "PLT", "donotcontact": "DNC", "testdrive": "StartTestDrive"}
BOTH = {way: code for name, code in FULL_NAMES.items() for way in (f"{code.lower()}{name}", f"{name}{code.lower()}")}
ACTIONS = {**KNOWN_ACTIONS, **FULL_NAMES, **BOTH}
CODES = frozenset(ACTIONS.values())
NO_LETTER, NO_LETTER_OF_ANY = re.compile(r"[^a-z0-9]"), re.compile(r"[\W_]")
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
OF_THE_WEST = ("ascii", "iso8859-1", "cp1252")
GZIP = b"\x1f\x8b"
LIKE_ASCII = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00a6", "-------|")
LAST_PART = re.compile(r"(.*)[-_](.*)", re.DOTALL)
TEST_LEAD = re.compile(r"(?<![a-z0-9])msft_test", re.IGNORECASE)
NUL_ESCAPED = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
ENCODED = json.JSONEncoder(sort_keys=True).encode
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
FORM, BETWEEN_DIGITS = re.compile(r"&*[\w.%+*\[\] -]+="), re.compile(r"[\s()./-]")


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
    unpacked = b""
    while body.startswith(GZIP):  # several may stand one after the other
        part = zlib.decompressobj(wbits=31)
        try:
            unpacked += part.decompress(body, MAX_INFLATED + 1 - len(unpacked))
        except zlib.error:
            raise Unreadable(reasons.BROKEN_GZIP) from None
        if len(unpacked) > MAX_INFLATED:
            raise Unreadable(reasons.LONG_GZIP % {"n": MAX_INFLATED})
        if not part.eof:
            raise Unreadable(reasons.BROKEN_GZIP)
        body = part.unused_data
    return unpacked or body


@lru_cache(100)
def media_type(content_type: str) -> tuple[str, str]:
    """(media type, charset) of a Content-Type header; anything odd in it counts as absent."""
    message = Message()
    message["Content-Type"] = re.sub(r"[\r\n]", " ", content_type)
    charset = message.get_param("charset", "")
    return message.get_content_type() if content_type else "", charset if isinstance(charset, str) else ""


def decode(body: bytes, charset: str) -> str:
    """Text of the body: a byte order mark wins, then the declared charset when there is such a one, then what its zeros say, then UTF-8.

    Some declare a charset of the West, or words of two bytes, and send UTF-8: what reads as that is not taken for anything else.
    """
    marked = next((codec for mark, codec in BYTE_ORDER_MARKS if body.startswith(mark)), "")
    codec, found = text_codec(charset), json.detect_encoding(body)
    if codec.startswith(("utf-16", "utf-32")):
        codec = found
    elif codec in OF_THE_WEST and is_utf8(body):
        codec = "utf-8"
    try:
        return body.decode(marked or codec or found)
    except UnicodeDecodeError as error:
        raise Unreadable(reasons.NOT_IN_CHARSET % {"charset": error.encoding.upper(), "n": error.start + 1}) from None


def is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


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
        pairs = pairs_of(text, codec)
    except UnicodeDecodeError as error:
        raise Unreadable(reasons.NOT_IN_CHARSET_FORM % {"charset": error.encoding.upper()}) from None
    except ValueError:
        raise Unreadable(reasons.MANY_FIELDS % {"n": MAX_FIELDS}) from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields or (value and not forbids(name, fields[name])):
            fields[name] = value
    return fields


def pairs_of(text: str, codec: str) -> list[tuple[str, str]]:
    """The fields of a form, escapes read; as UTF-8 whatever was declared, where the charset is one that others are often sent under."""
    read = partial(parse_qsl, text.strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    if codec in OF_THE_WEST or codec.startswith(("utf-16", "utf-32")):
        with suppress(UnicodeDecodeError):
            return read(encoding="utf-8")
    return read(encoding=codec)


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
    elif key not in found or (clean(value) not in NOTHING and not forbids(key, was)):
        found[key] = value


def forbids(key: str, was: Any) -> bool:
    """Whether the value that a key has so far says do not contact, so that no later one may take its place. Bounded: it is asked at every repetition."""
    return isinstance(was, str) and len(was) <= MAX_VALUE and asks_neighbour(plain(key), was)


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
    neighbour = False
    for key, value in fields.items():
        name = plain(key)
        neighbour = neighbour or asks_neighbour(name, value)
        if name in NESTED:
            inner = nested(key, value)
            is_test = is_test or (may_be_test and names_a_test(inner, inside=True))
            for k, v in inner.items():
                part = plain(k)
                neighbour = neighbour or asks_neighbour(part, v)
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
    return to_act(known | {"actioncode": "DNC"} if neighbour else known, extra, is_test)


def asks_neighbour(name: str, value: Any) -> bool:
    """Whether this field says that the buyer asked another publisher. Whatever else is said of the act, nobody may write to them."""
    if name == "actioncode":
        return any(canonical_action(one) == "DNC" for one in texts(value))
    return name == "leadsource" and any(parse_lead_source(one[:MAX_SOURCE])[1] == "DNC" for one in texts(value))


def names_a_test(fields: dict[str, Any], inside: bool = False) -> bool:
    """Whether the marketplace's mark of a test lead stands in any of its texts, kept or not. The person's part is asked by itself, as `inside`."""
    whole = "\n".join(texts({key: evidence(plain(key), value) for key, value in fields.items() if inside or plain(key) not in NESTED}))
    return "msft_test" in whole.lower() and TEST_LEAD.search(whole) is not None


def evidence(name: str, value: Any) -> Any:
    """What of a field may say that the lead is a test. What a buyer wrote freely, and what the publisher called itself and the offer, says so only where it
    begins so."""
    if name == "leadsource":
        return lead_source(clean(value)).partition("|")[0]
    return value if name not in OWN_WORDS or clean(value)[:9].lower() == "msft_test" else ""


def to_act(known: dict[str, str], extra: dict[str, Any], is_test: bool) -> Act:
    """The act of these known fields; anything over its length is cut here, so that no odd value can fail an insert."""
    source, action, offer = parse_lead_source(known.get("leadsource", "")[:MAX_SOURCE])
    said = canonical_action(known.get("actioncode", ""))
    return Act(
        person={name: known.get(name, "")[:MAX_VALUE] for name in PERSON},
        source=source[:100],
        action=(said or action)[:40],
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
    head, _bar, offer = lead_source(text).partition("|")
    source, action = head.partition("-")[::2]
    if canonical_action(action) not in CODES and (last := LAST_PART.fullmatch(head)) and canonical_action(last[2]) in CODES:
        source, action = last.groups()
    source, action, offer = source.strip(), action.strip(), offer.strip()
    name, bracket, code = source.removesuffix(")").rpartition("(")
    bare = name.rstrip() if bracket and code.strip().upper() == "SPZA" else source
    return SOURCES.get(NO_LETTER.sub("", bare.lower()).removeprefix("microsoft"), bare), canonical_action(action), offer


def lead_source(text: str) -> str:
    """With the dash and the bar of ASCII, whatever kind of them was typed."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(LIKE_ASCII)


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
        rest = by_name(extra)
    except RecursionError:  # nested so deeply that only its texts are compared
        rest = {"deep": sorted(texts(extra))}
    whole = [{name: value for name, value in one.items() if value not in ("", None)} for one in (said, rest)]
    return hashlib.sha256(ENCODED(whole).encode()).digest()


def by_name(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields by the letters of their names, of any script; those of one name beside each other, so that none hides what another says."""
    found: dict[str, list[Any]] = {}
    for key, value in fields.items():
        name = plain(key) if key.isascii() else NO_LETTER_OF_ANY.sub("", unicodedata.normalize("NFKC", key[:MAX_KEY]).casefold())
        found.setdefault(name or key.strip(), []).append(same(value))
    return {name: values[0] if len(values) == 1 else sorted(values, key=ENCODED) for name, values in found.items()}


def same(value: Any) -> Any:
    """A value in one spelling: composed letters, no white space around texts, names of inner fields by their letters."""
    if isinstance(value, str):
        return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()
    if isinstance(value, dict):
        return by_name(value)
    return [same(inner) for inner in value] if isinstance(value, list) else value
