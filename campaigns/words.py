"""The words of a campaign's mail: which language, which placeholders, the unsubscribe link. Values are data and are never rendered again."""

import re
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.crypto import keyed_digests
from campaigns.models import Stage, StageText
from leads.models import Lead

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*(?:\|\s*default:([^{}]{0,200}))?\s*\}\}")
ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)
PLACEHOLDERS = ("contact.first_name", "contact.last_name", "contact.company", "listing.title", "publisher.name")
# The language of a country's business mail, where it is one of ours.
LANGUAGE_OF = (
    dict.fromkeys(("BR", "PT", "AO", "MZ"), "pt-br")
    | dict.fromkeys(("ES", "MX", "AR", "CO", "CL", "PE", "UY", "EC", "BO", "PY", "VE", "CR", "PA", "GT", "DO", "HN", "SV", "NI"), "es")
    | dict.fromkeys(("CZ", "SK"), "cs")
    | dict.fromkeys(("RU", "BY", "KZ", "KG"), "ru")
    | dict.fromkeys(("NL", "BE", "SR"), "nl")
)


def language_of(lead: Lead, chosen: str = "") -> str:
    """The one the person chose, else by the contact's country; English everywhere else."""
    return chosen or LANGUAGE_OF.get(lead.contact.country, "en")


def text_for(texts: dict[str, StageText], language: str) -> StageText | None:
    """The text in that language, else in English, else none: a stage without text sends nothing."""
    return texts.get(language) or texts.get("en")


def facts(lead: Lead, publisher: str) -> dict[str, str]:
    return {
        "contact.first_name": lead.contact.first_name,
        "contact.last_name": lead.contact.last_name,
        "contact.company": lead.contact.company_name,
        "listing.title": lead.listing.title,
        "publisher.name": publisher,
    }


def fill(text: str, values: dict[str, str]) -> str:
    """Put the values in, once: `{{7*7}}` in somebody's name stays as it is, and a line break in one can't reach a header."""

    def value(match: re.Match[str]) -> str:
        known = values.get(match[1])
        if known is None:
            return match[0]
        # An address of the web in a buyer's name would become a link in our mail.
        plain = "" if ADDRESS.search(known) else re.sub(r"[\r\n\x00]+", " ", known)
        return plain or (match[2] or "").strip()

    return PLACEHOLDER.sub(value, text)


def unknown_placeholders(text: str) -> list[str]:
    return sorted({match[1] for match in PLACEHOLDER.finditer(text)} - set(PLACEHOLDERS))


def unsubscribe_path(email_key: str) -> str:
    """The path of the one-click unsubscribe page: a token that names no address, signed by the keyed hash itself."""
    digest = keyed_digests(email_key)[0].hex()
    return reverse("campaigns:unsubscribe", args=[signing.Signer(key=signing_key(), salt="unsubscribe").sign(digest).replace(":", ".")])


def digest_of(token: str) -> bytes | None:
    """The suppression hash in a token; none when nobody here signed it."""
    digest = signed_here(token, "unsubscribe")
    return bytes.fromhex(digest) if digest else None


def signed_here(token: str, salt: str) -> str | None:
    """What a token of ours says, under whichever of PORTAL_KEYS; none when nobody here signed it for this."""
    for key in settings.PORTAL_KEYS:
        try:
            return signing.Signer(key=key, salt=salt).unsign(token.replace(".", ":"))
        except signing.BadSignature:
            continue
    return None


def signing_key() -> str:
    """PORTAL_KEYS, not SECRET_KEY: links in mail that was sent must survive a change of the latter."""
    return str(settings.PORTAL_KEYS[0])


def absolute(path: str) -> str:
    return (settings.PORTAL_URL or f"http://127.0.0.1:{settings.PORT}") + path


def languages() -> list[tuple[str, str]]:
    """Codes and names of the languages that mail is written in, English first."""
    return list(settings.LANGUAGES)


def missing_languages(stage: Stage) -> list[str]:
    """Names of the languages that an e-mail stage has no text in; its people get English."""
    there = {text.language for text in stage.texts.all()}
    return [name for code, name in languages() if code not in there]


def placeholders_help() -> Any:
    return [f"{{{{ {name} }}}}" for name in PLACEHOLDERS]
