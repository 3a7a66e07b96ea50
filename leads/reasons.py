"""Why a submission was not read, or not read as a lead. The sentence is kept in English, for machines and operators; people read it in their language.

A kept sentence is known again by the template it was made of, so that a page translates what any version of the portal has written.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

EMPTY = gettext_noop("The body is empty.")
BROKEN_GZIP = gettext_noop("Compressed, and can't be unpacked.")
LONG_GZIP = gettext_noop("Compressed, and more than %(n)s bytes long.")
NOT_IN_CHARSET = gettext_noop("Not %(charset)s: byte %(n)s can't be read.")
NOT_IN_CHARSET_FORM = gettext_noop("Not %(charset)s: a value of the form can't be read.")
MANY_FIELDS = gettext_noop("More than %(n)s form fields.")
DEEP = gettext_noop("JSON nested too deeply.")
NOT_JSON = gettext_noop("Not valid JSON: %(fault)s, line %(line)s, column %(column)s.")
A_LIST = gettext_noop("JSON, but a list where one lead was expected.")
A_VALUE = gettext_noop("JSON, but a single value where one lead was expected.")
NO_FIELD = gettext_noop("None of its fields is one that a lead has.")
INSIDE = gettext_noop("%(field)s: %(reason)s")
NO_PERSON = gettext_noop("%(field)s is not the object of one person.")
NO_ADDRESS = gettext_noop("“%(email)s” is not an e-mail address, and there is no phone number.")
ANONYMOUS = gettext_noop("Neither e-mail nor phone: demand without a lead.")
SAME_AS = gettext_noop("The same as %(id)s.")
SURPRISE = gettext_noop("%(error)s while reading it.")
FATAL = gettext_noop("Its worker stopped every time it was begun.")
CUT_OFF = gettext_noop("Cut off after %(n)s of %(whole)s bytes.")
CUT_OFF_SOMEWHERE = gettext_noop("Cut off after %(n)s bytes.")
CELLS = gettext_noop("%(n)s cells under %(m)s column names.")
LONG_ROW = gettext_noop("Longer than a lead may be.")
DISCARDED = gettext_noop("Discarded by %(name)s: it was no lead.")
TOO_LONG = gettext_noop("%(n)s bytes or more; the limit is %(limit)s.")
# What Python's parser calls the faults of JSON, as a person would.
FAULTS = {
    "Expecting ',' delimiter": gettext_noop("a comma is missing"),
    "Expecting ':' delimiter": gettext_noop("a colon is missing"),
    "Expecting value": gettext_noop("a value is missing"),
    "Expecting property name enclosed in double quotes": gettext_noop("a name in double quotes is missing"),
    "Illegal trailing comma before end of object": gettext_noop("a comma is one too many"),
    "Illegal trailing comma before end of array": gettext_noop("a comma is one too many"),
    "Extra data": gettext_noop("something follows its end"),
    "Unterminated string starting at": gettext_noop("a text is not closed"),
    "Invalid control character at": gettext_noop("a line break or another control sign in a text"),
    "Invalid \\escape": gettext_noop("a backslash that begins nothing"),
    "Invalid \\uXXXX escape": gettext_noop("a backslash that begins nothing"),
}
# The first that fits counts, so what fits anything comes last.
TEMPLATES = (
    EMPTY, BROKEN_GZIP, LONG_GZIP, NOT_IN_CHARSET, NOT_IN_CHARSET_FORM, MANY_FIELDS, DEEP, NOT_JSON, A_LIST, A_VALUE, NO_FIELD, NO_PERSON, NO_ADDRESS, ANONYMOUS,
    SAME_AS, SURPRISE, FATAL, CUT_OFF, CUT_OFF_SOMEWHERE, TOO_LONG, DISCARDED, CELLS, LONG_ROW, INSIDE,
)  # fmt: skip


ENDS_EARLY = gettext_noop("it ends in the middle")


def fault(error: json.JSONDecodeError) -> str:
    """What is wrong with some JSON, in English."""
    return ENDS_EARLY if error.pos >= len(error.doc.rstrip()) else FAULTS.get(error.msg, error.msg)


def in_words(sentence: str) -> str:
    """A kept reason in the reader's language; what no template made stays as it is."""
    for template, pattern in patterns():
        if match := pattern.fullmatch(sentence):
            said = {
                name: in_words(value) if name == "reason" else _(value) if name == "fault" else value for name, value in match.groupdict().items()
            }
            return _(template) % said
    return sentence


@lru_cache(1)
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((template, re.compile("".join(parts(template)), re.DOTALL)) for template in TEMPLATES)


def parts(template: str) -> Iterator[str]:
    """The expression of a template: its own words, and a group for each value."""
    for text, name in re.findall(r"([^%]*)(?:%\((\w+)\)s)?", template):
        yield re.escape(text) + (f"(?P<{name}>.+?)" if name else "")
