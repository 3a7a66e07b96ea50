"""One form for what people write in many: e-mail, phone, country, company, seniority, search words. Pure functions, no database."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import phonenumbers
import pycountry
import tldextract
from babel import Locale
from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email

PLAIN_EMAIL = re.compile(r"[A-Za-z0-9_%+'&/=-]+(?:\.[A-Za-z0-9_%+'&/=-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "proton.me",
        "protonmail.com",
        "mail.com",
        "zoho.com",
        "yandex.ru",
        "yandex.com",
        "mail.ru",
        "bk.ru",
        "inbox.ru",
        "list.ru",
        "rambler.ru",
        "seznam.cz",
        "email.cz",
        "centrum.cz",
        "post.cz",
        "volny.cz",
        "uol.com.br",
        "bol.com.br",
        "terra.com.br",
        "ig.com.br",
        "hotmail.es",
        "yahoo.es",
        "yahoo.com.br",
        "hotmail.com.br",
        "outlook.com.br",
        "orange.fr",
        "free.fr",
        "wanadoo.fr",
        "laposte.net",
        "libero.it",
        "virgilio.it",
        "ziggo.nl",
        "kpnmail.nl",
        "planet.nl",
        "hetnet.nl",
        "xs4all.nl",
        "qq.com",
        "163.com",
        "126.com",
        "naver.com",
        "pm.me",
        "hey.com",
        "tutanota.com",
        "fastmail.com",
        "rediffmail.com",
        "comcast.net",
        "verizon.net",
        "sbcglobal.net",
        "btinternet.com",
        "virginmedia.com",
        "bigpond.com",
        "shaw.ca",
        "wp.pl",
        "onet.pl",
        "interia.pl",
        "o2.pl",
        "abv.bg",
        "ukr.net",
        "freenet.de",
        "arcor.de",
        "bluewin.ch",
        "sfr.fr",
        "tiscali.it",
        "alice.it",
        "atlas.cz",
        "azet.sk",
        "home.nl",
        "telenet.be",
        "skynet.be",
        "sapo.pt",
        "telefonica.net",
        "hanmail.net",
        "daum.net",
        "sina.com",
    ]
)
# Mailbox providers that have the same name under many countries.
FREE_BRANDS = frozenset(["hotmail", "outlook", "live", "yahoo", "gmx", "aol", "yandex", "msn", "ymail", "rocketmail", "zoho", "icloud"])
DOMAINS = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
TENANTS = ".onmicrosoft.com"  # the address of a tenant without a domain of its own
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
BETWEEN_PHONES = re.compile(r"\s*[;,/|]\s*|\s+or\s+|\n")
BETWEEN_ADDRESSES = re.compile(r"[;,|]")
NO_DIGITS, WORD, NO_WORD, BINDING = re.compile(r"\D"), re.compile(r"\w+"), re.compile(r"[^\w]+"), re.compile(r"[.&]")
ZEROS, MAILTO = re.compile(r"^\s*00(?=[1-9])"), re.compile(r"^mailto:", re.IGNORECASE)
IN_BRACKETS = re.compile(r"\(([^()]*)\)")
REMARK = re.compile(r"\s*\([^()@]*\)\s*$")
LEGAL_FORMS = re.compile(
    r"\b(?:spol s r ?o|s r ?o|sp z ?o ?o|z ?o ?o|a s|s a)$|"  # letters apart are a form at the end of a name only
    r"\b(?:"
    r"inc|llc|ltd|limited|ltda|plc|corp|corporation|co|company|gmbh|ag|kg|ug|se|sa|sas|sarl|sl|slu|spa|srl|sro|spol|as|ab|oy|"
    r"aps|bv|nv|vof|ooo|zao|oao|pao|ооо|зао|оао|пао|ао|ип|me|eireli|cia|pty|pvt|kk|doo|zoo|kft|zrt"
    r")\b"
)
# Longer phrases first: a vice president is not a president. 3 decides alone, 2 decides with others, 1 recommends.
SENIORITY: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (level, re.compile(pattern))
    for level, pattern in (
        (2, r"\b(vice|vp|svp|evp|deputy|zastup|zamest|заместитель|adjunt|subdirector|adjunct)\w*"),
        (
            3,
            r"\b(c[a-z]o|chief|founder|owner|president|presidente|managing director|general manager|"
            r"diretor geral|director general|jednatel\w*|majitel\w*|"
            r"generaln\w+ reditel\w*|socio|socia|dono|fundador\w*|propietari\w*|eigenaar|directeur|bestuurder|oprichter|генеральн\w+|владелец|основатель|президент)\b",
        ),
        (2, r"\b(head|director|diretor\w*|director\w*|reditel\w*|vedouci|hoofd|leiter|chef de|responsable|директор|начальник|руководитель)\b"),
        (
            1,
            r"\b(manager|lead|gerente|coordenador\w*|coordinador\w*|jefe|jefa|manazer\w*|teamleider|supervisor|"
            r"architect|arquitet\w*|arquitect\w*|architekt\w*|менеджер|архитектор|ведущий)\b",
        ),
    )
)


def fold(text: str) -> str:
    """Casefolded and without accents, for comparing only."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


ADDRESS_IN_NAME = re.compile(r"<[^<>@\s]+@[^<>\s]+>|\[[^\[\]@\s]+@[^\[\]\s]+\]")


@lru_cache(10_000)
def email_key(text: str) -> str:
    """The address as an identity: lower case, domain in its ASCII form; dots and plus signs stay. The first of several, each without a remark in brackets.
    Empty when it is none: what stands around an address may be a part of it, as in ada@firma,cz."""
    if not text.isascii():
        text = INVISIBLE.sub("", text).replace("\uff20", "@")
    if whole := address(text):
        return whole
    if "\n" in text or "\r" in text:
        return ""
    several = [address(REMARK.sub("", part)) for part in BETWEEN_ADDRESSES.split(text) if part.strip()]
    return several[0] if several and all(several) else ""


def address(text: str) -> str:
    """The whole text as an address; empty when it is none."""
    text = MAILTO.sub("", (ADDRESS_IN_NAME.search(text) or [text])[0].strip(" \t\r\n<>[];,\"'«»“”„‘’")).strip(" .")
    if len(text) <= 254 and PLAIN_EMAIL.fullmatch(text):
        return text.lower()
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return ""
    return f"{checked.local_part.lower()}@{checked.ascii_domain.lower()}"


@lru_cache(10_000)
def phone_of(text: str, country: str) -> str:
    """E.164 when the number is a possible one of its country, else the text as it came."""
    ways = (text, BETWEEN_PHONES.split(text.strip())[0])  # of several the first
    return next((number for way in ways if (number := e164(way, country))), text[:60])


def e164(text: str, country: str) -> str:
    """The number in its international form; empty when it can't be one."""
    if len(NO_DIGITS.sub("", text)) < 3:
        return ""
    said = text if country else ZEROS.sub("+", text)
    try:
        number = phonenumbers.parse(said[:60], country or None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_possible_number(number) else ""


def phone_key(phone: str) -> str:
    """A phone as an identity: its digits, at least five of them and not all alike, or nothing: 0000000000 is nobody's."""
    digits = NO_DIGITS.sub("", phone)
    return digits if 5 <= len(digits) <= 40 and len(set(digits)) > 1 else ""


# Whose own names of countries are known too. What means one country in one of them and another in another says nothing.
LANGUAGES = ("en", "es", "pt", "nl", "cs", "ru", "de", "fr", "it", "pl")
# Those that are asked where none of them knows the name: it takes half a second to read them all.
MORE_LANGUAGES = (
    "sv", "da", "nb", "fi", "is", "et", "lv", "lt", "hu", "ro", "bg", "sk", "sl", "hr", "sr", "el", "uk",
    "tr", "he", "ar", "fa", "hi", "th", "vi", "id", "ms", "ja", "ko", "zh", "zh_Hant", "ca", "ka",
)  # fmt: skip
# English names that neither ISO 3166 nor the Unicode locale data has.
MORE_COUNTRIES = {
    "GB": ("uk", "u k", "great britain", "britain", "england", "scotland", "wales", "northern ireland"),
    "US": ("u s a", "u s", "america"), "AE": ("uae", "u a e", "emirates"), "KR": ("south korea", "korea", "korea south", "korea republic of"),
    "KP": ("north korea", "korea north"), "NL": ("holland",), "CZ": ("czech republic",), "RU": ("russia",), "VN": ("vietnam",), "TR": ("turkey",),
    "CI": ("ivory coast",), "CV": ("cape verde",), "SZ": ("swaziland",), "MM": ("burma",), "MK": ("macedonia", "fyrom"), "TL": ("east timor",),
    "CD": ("dr congo", "drc", "congo drc", "democratic republic of the congo", "democratic republic of congo", "congo kinshasa", "zaire"),
    "CG": ("congo", "congo brazzaville"), "XK": ("kosovo", "xkx"), "VA": ("vatican", "vatican city", "holy see"),
    "PS": ("palestine", "palestinian territories"), "HK": ("hong kong", "hong kong sar", "hong kong s a r"),
    "MO": ("macau", "macao", "macau sar", "macao sar"), "TW": ("taiwan",),
    "BN": ("brunei",), "LA": ("laos", "lao pdr"), "SY": ("syria",), "IR": ("iran",), "MD": ("moldova",), "BO": ("bolivia",), "VE": ("venezuela",), "TZ": ("tanzania",),
    "FM": ("micronesia",), "GM": ("gambia",), "BS": ("bahamas",), "FK": ("falkland islands", "falkland islands islas malvinas"), "SJ": ("svalbard",),
    "CN": ("prc", "p r china", "mainland china", "pr china"), "IE": ("eire",), "GW": ("guinea bissau",),
}  # fmt: skip


def _country_name(text: str) -> str:
    """A country's name without what people leave out or write in their own way: marks, "the", "Republic of", & for and, St for Saint."""
    words = NO_WORD.sub(" ", fold(text).replace("&", " and ")).split()
    plain = " ".join("saint" if word == "st" else word for word in words).removeprefix("the ")
    return plain.removeprefix("republic of ").removeprefix("the ").removesuffix(" the")


@lru_cache(1)
def _countries() -> dict[str, str]:
    names = {name: code for code, known in MORE_COUNTRIES.items() for name in (*known, code.lower())}
    for one in pycountry.countries:
        for attribute in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            if value := getattr(one, attribute, None):
                names.setdefault(_country_name(value), one.alpha_2)
    for name, codes in _names_in(LANGUAGES).items():
        if len(codes) == 1:  # what means another country in another language says nothing
            names.setdefault(name, *codes)
    return names


@lru_cache(1)
def _more_countries() -> dict[str, str]:
    return {name: code for name, codes in _names_in(MORE_LANGUAGES).items() if len(codes) == 1 for code in codes}


def _country(name: str) -> str:
    """The country that is called so, in any of the languages; empty when there is none."""
    plain = _country_name(name)
    return _countries().get(plain) or (_more_countries().get(plain, "") if plain else "")


def _names_in(languages: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for language in languages:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and pycountry.countries.get(alpha_2=code):
                found.setdefault(_country_name(name), set()).add(code)
    return found


@lru_cache(1)
def country_codes() -> frozenset[str]:
    """Every alpha-2 code that `country_of` may say: ISO's, and XK, which everybody uses."""
    return frozenset(_countries().values())


@lru_cache(10_000)
def country_of(text: str) -> str:
    """ISO 3166 alpha-2 from alpha-2, alpha-3 or a name, also where two ways to write it stand beside each other; empty when it is none of them, or when
    the two don't mean the same: Georgia (USA) is no country, and Sudan (South) is South Sudan."""
    if code := _country(text):
        return code
    remarks = IN_BRACKETS.findall(text)
    name = IN_BRACKETS.sub(" ", text)
    if code := _country(" ".join([*remarks, name])):
        return code
    said = {_country(part) for part in ([name, *remarks] if remarks else text.split(" - "))}
    return said.pop() if len(said) == 1 else ""


@lru_cache(10_000)
def email_kind(key: str) -> str:
    """`business`, `free`, `disposable` or `none`: whose domain an address is under."""
    domain = key.rpartition("@")[2]
    if not domain:
        return "none"
    if domain in blocklist:
        return "disposable"
    return "free" if domain in FREE_MAIL or DOMAINS(domain).domain in FREE_BRANDS else "business"


@lru_cache(10_000)
def own_domain(key: str) -> str:
    """The registrable domain of a business address; empty for others."""
    if email_kind(key) != "business":
        return ""
    domain = key.rpartition("@")[2]
    if domain.endswith(TENANTS):
        return f"{domain.removesuffix(TENANTS).rpartition('.')[2]}{TENANTS}"
    parts = DOMAINS(domain)
    return f"{parts.domain}.{parts.suffix}" if parts.domain and parts.suffix else domain


@lru_cache(10_000)
def company_key(name: str, domain: str) -> str:
    """What tells companies apart: their own domain, else their name without its legal form. Empty when there is neither."""
    if domain:
        return f"domain:{domain}"[:260]
    # Dots and ampersands bind (S.A., s.r.o.), everything else separates.
    letters = NO_WORD.sub(" ", BINDING.sub("", fold(name))).strip()
    bare = " ".join(LEGAL_FORMS.sub(" ", letters).split()).removeprefix("the ") or letters
    return f"name:{bare}"[:260] if bare else ""


@lru_cache(10_000)
def seniority(title: str) -> int:
    """How far a job title reaches, 0 to 3, from words in the portal's languages."""
    text = fold(title)
    return next((level for level, pattern in SENIORITY if pattern.search(text)), 0)


TYPED = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ħ": "h", "ŋ": "n", "'": "", "’": "", "ʼ": ""}
)


def search_words(*texts: str, phone: str = "") -> list[str]:
    """The words a contact is found by: every folded word, whole addresses and their domains, and the endings of the phone number."""
    words: set[str] = set()
    for text in texts:
        folded = fold(text)
        words.update(WORD.findall(folded))
        if not text.isascii() or "'" in text:  # as they are typed where these letters are on no key
            words.update(WORD.findall(folded.translate(TYPED)))
        if "@" in folded:
            words.update((folded, folded.rpartition("@")[2]))
    digits = NO_DIGITS.sub("", phone)[:20]
    words.update(digits[start:] for start in range(max(0, len(digits) - 3)))
    return sorted(word[:100] for word in words if word)
