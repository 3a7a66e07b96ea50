"""Six languages, complete: nothing missing, nothing fuzzy, no lost placeholder, and what is compiled is what is written."""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

TOP = Path(__file__).resolve().parents[2]
LOCALES = ["pt_BR", "es", "cs", "ru", "nl"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}|<[^>]+>")
APPS = ["accounts", "listings", "leads", "scoring", "routing", "campaigns", "delivery", "insights", "portal", "templates"]


def catalog(locale, folder=TOP):
    with (folder / "locale" / locale / "LC_MESSAGES/django.po").open("rb") as file:
        return [message for message in read_po(file, locale=locale) if message.id]


def test_every_language_of_the_settings_has_a_catalogue():
    assert {code for code, _ in settings.LANGUAGES} == {"en"} | {locale.replace("_", "-").lower() for locale in LOCALES}


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_missing_or_fuzzy(locale):
    assert not [m.id for m in catalog(locale) if m.fuzzy or not (all(m.string) if isinstance(m.id, tuple) else m.string)]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_placeholder_is_lost_or_made_up(locale):
    for message in catalog(locale):
        if isinstance(message.id, str):
            assert set(PLACEHOLDER.findall(message.id)) == set(PLACEHOLDER.findall(message.string)), message.id
        else:
            wanted = set(PLACEHOLDER.findall(message.id[1]))
            assert all(set(PLACEHOLDER.findall(form)) <= wanted for form in message.string), message.id


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_compiled_is_what_is_written(locale):
    with (TOP / "locale" / locale / "LC_MESSAGES/django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalog(locale):
        if isinstance(message.id, str):
            said = compiled.pgettext(message.context, message.id) if message.context else compiled.gettext(message.id)
            assert said == message.string, message.id


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext's programs are not on this machine")
def test_every_marked_text_is_in_the_catalogues(tmp_path):
    """Collect the marked texts of the sources anew, beside the catalogues: none may be new to them."""
    for name in [*APPS, "locale"]:
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    command = [sys.executable, "-m", "django", "makemessages", "--no-location", "-v0", *(f"-l{locale}" for locale in LOCALES)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for locale in LOCALES:
        assert not [m.id for m in catalog(locale, tmp_path) if m.fuzzy or not (all(m.string) if isinstance(m.id, tuple) else m.string)], locale
