"""Days and spans of time as the user's locale writes them, for the sentences that are made in Python."""

from datetime import date, timedelta
from functools import lru_cache

from babel import Locale, dates
from django.utils.translation import get_language, ngettext, pgettext


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    """English is written with the day before the month, as the other languages do."""
    return Locale.parse("en_GB" if language.startswith("en") else language.replace("-", "_").lower(), sep="_")


def locale() -> Locale:
    return _locale(get_language() or "en")


def short(day: date) -> str:
    """22 Oct."""
    return dates.format_skeleton("MMMd", day, locale=locale())


def weekday(day: date) -> str:
    """Saturday 14 November."""
    return dates.format_skeleton("MMMMEEEEd", day, locale=locale())


def between(first: date, last: date) -> str:
    """22 October – 20 November 2026."""
    whole = dates.format_date(last, "long", locale=locale())
    if first == last:
        return whole
    skeleton = "MMMMd" if first.year == last.year else "yMMMMd"
    return f"{dates.format_skeleton(skeleton, first, locale=locale())} – {whole}"


def length(span: timedelta) -> str:
    """6 days, 10 hours, 25 minutes: the largest unit that holds at least one, rounded down."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if minutes >= 24 * 60:
        return ngettext("%(count)d day", "%(count)d days", minutes // 1440) % {"count": minutes // 1440}
    if minutes >= 60:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def span(lasting: timedelta, full: bool = False) -> str:
    """3 h 12, 41 min, 4 days; in full 3 h 12 min. The sign is left to the words around it."""
    whole = int(abs(lasting.total_seconds()) // 60)
    hours, rest = divmod(whole, 60)
    if hours >= 96:
        return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}
    if not hours:
        return pgettext("duration", "%(minutes)d min") % {"minutes": rest}
    if not rest:
        return pgettext("duration", "%(hours)d h") % {"hours": hours}
    pattern = pgettext("duration", "%(hours)d h %(minutes)02d min") if full else pgettext("duration", "%(hours)d h %(minutes)02d")
    return pattern % {"hours": hours, "minutes": rest}
