"""Figures and times as the user's locale writes them."""

from datetime import date, datetime
from functools import lru_cache

from babel import Locale, dates, numbers
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from listings.days import locale

MINUTE, HOUR, DAY = 60, 3600, 86400


def number(value: float, decimals: int | None = None) -> str:
    places = "0" * decimals if decimals else ""
    pattern = "#,##0" + (f".{places}" if places else "") if decimals is not None else None
    return numbers.format_decimal(value, format=pattern, locale=locale()).replace("-", "−")


def money(amount: float, currency: str) -> str:
    return numbers.format_currency(amount, currency, locale=locale()).replace("-", "−") if currency else number(amount, 2)


def money_short(amount: float, currency: str) -> str:
    """The same where there is little room: €1.4M, €79K."""
    if abs(amount) < 10_000:
        return money(amount, currency)
    return numbers.format_compact_currency(amount, currency, locale=locale(), fraction_digits=1) if currency else number(amount, 0)


def signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def percent(share: float, decimals: int = 0) -> str:
    pattern = locale().percent_formats[None].pattern
    return numbers.format_percent(share, format=pattern.replace("0", f"0.{'0' * decimals}") if decimals else pattern, locale=locale()).replace(
        "-", "−"
    )


def time_of_day(when: datetime) -> str:
    return f"{when:%H:%M}"


def day(when: date) -> str:
    """19 Nov; with the year when it is another one."""
    return _short(when.toordinal(), "MMMd" if when.year == timezone.localdate().year else "yMMMd", locale())


# A list writes the same few days in every row.
@lru_cache(5_000)
def _short(ordinal: int, skeleton: str, language: Locale) -> str:
    return dates.format_skeleton(skeleton, date.fromordinal(ordinal), locale=language)


@lru_cache(5_000)
def _full(ordinal: int, language: Locale) -> str:
    return dates.format_date(date.fromordinal(ordinal), "full", locale=language)


def moment(when: datetime, clock_first: bool = False) -> str:
    """Today 08:31, Yesterday 14:38, 17 Nov 09:10; clock first it reads inside a sentence: 14:32 today."""
    local = timezone.localtime(when)
    distance = (local.date() - timezone.localdate()).days
    named = _named_day(distance, clock_first) if abs(distance) < 2 else day(local)
    return f"{time_of_day(local)} {named}" if clock_first else f"{named} {time_of_day(local)}"


def _named_day(distance: int, inside: bool) -> str:
    """Of yesterday, today and tomorrow."""
    if distance == 0:
        return pgettext("after the time", "today") if inside else pgettext("before the time", "Today")
    if distance < 0:
        return pgettext("after the time", "yesterday") if inside else pgettext("before the time", "Yesterday")
    return pgettext("after the time", "tomorrow") if inside else pgettext("before the time", "Tomorrow")


def exact(when: datetime) -> str:
    local = timezone.localtime(when)
    return f"{_full(local.toordinal(), locale())}, {time_of_day(local)}"


def ago(when: datetime) -> str:
    """42 min ago, 2 h ago, yesterday, 4 days ago; beyond a month the day itself."""
    seconds = (when - timezone.now()).total_seconds()
    past, size = seconds < 0, abs(seconds)
    if size < MINUTE:
        return pgettext("relative time", "now")
    if size < HOUR:
        return (_("%(count)d min ago") if past else _("in %(count)d min")) % {"count": size // MINUTE}
    if size < DAY:
        return (_("%(count)d h ago") if past else _("in %(count)d h")) % {"count": size // HOUR}
    if size < 2 * DAY:
        return pgettext("relative time", "yesterday") if past else pgettext("relative time", "tomorrow")
    return _days(int(size // DAY), past) if size < 31 * DAY else day(timezone.localtime(when))


def _days(count: int, past: bool) -> str:
    text = ngettext("%(count)d day ago", "%(count)d days ago", count) if past else ngettext("in %(count)d day", "in %(count)d days", count)
    return text % {"count": count}
