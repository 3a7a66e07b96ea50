"""Figures and times as the reader's language writes them: shares, spans, days, moments, signs."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from portal.templatetags import look, words


def plain(drawn):
    return html.unescape(re.sub(r"<[^>]+>", "", str(drawn))).replace("\xa0", " ").replace("\u202f", " ").strip()


@pytest.mark.parametrize(("language", "text"), [("en", "36%"), ("cs", "36 %"), ("ru", "36 %"), ("nl", "36%"), ("es", "36 %"), ("pt-br", "36%")])
def test_a_share_is_written_as_the_language_does(language, text):
    with translation.override(language):
        assert plain(look.percent(9, 25)) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 10, "0%"), (9, 10_000, "< 1%"), (5, 1_000, "< 1%"), (6, 1_000, "1%"), (10, 10, "100%"), (1, 0, "–"), (None, 5, "–")],
)
def test_a_little_is_not_written_as_none(part, whole, text):
    assert plain(look.percent(part, whole)) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (192, "3 h 12"),
        (3.49 * 1440, "83 h 45"),
        (3.5 * 1440, "4 days"),
        (5.6 * 1440, "6 days"),
        (None, "–"),
    ],
)
def test_a_duration_of_many_days_is_rounded_and_not_cut(minutes, text):
    assert plain(look.minutes(minutes)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-30, "now"),
        (-125, "2 min ago"),
        (-7300, "2 h ago"),
        (-90_000, "yesterday"),
        (-3 * 86_400 - 60, "3 days ago"),
        (125, "in 2 min"),
        (90_060, "tomorrow"),
    ],
)
def test_how_long_ago(seconds, text):
    assert words.ago(timezone.now() + timedelta(seconds=seconds)) == text


def test_a_minus_is_a_minus():
    assert words.signed(-5) == "−5"
    assert words.signed(12) == "+12"
    assert words.number(-1234.5, 1) == "−1,234.5"


@pytest.mark.parametrize(("amount", "text"), [(9_999, "€9,999.00"), (79_000, "€79K"), (1_400_000, "€1.4M"), (-12, "−€12.00")])
def test_money_where_there_is_little_room(amount, text):
    assert words.money_short(amount, "EUR") == text


def test_a_moment_names_near_days_and_the_year_of_far_ones():
    with timezone.override(UTC):
        today = timezone.localtime().replace(hour=8, minute=5)
        assert words.moment(today) == "Today 08:05"
        assert words.moment(today, clock_first=True) == "08:05 today"
        assert words.moment(today - timedelta(days=1)) == "Yesterday 08:05"
        assert words.moment(datetime(2019, 3, 4, 5, 6, tzinfo=UTC)) == "4 Mar 2019 05:06"


@pytest.mark.parametrize(
    ("now", "before", "named", "text"),
    [
        (12, 9, {}, "3 was 9"), (9, 9, {}, "no change"), (9, None, {}, "nothing to compare"), (90, 60, {"unit": "minutes", "good": "down"}, "30 min slower"),
        (60, 90, {"unit": "minutes", "good": "down"}, "30 min faster"), (-2, 3, {"unit": "pt"}, "−5 pt"),
    ],
)  # fmt: skip
def test_a_change_says_how_much_and_what_was(now, before, named, text):
    assert plain(look.delta(now, before, **named)) == text


@pytest.mark.parametrize(
    ("now", "before", "good", "paint"), [(12, 9, "up", "good"), (9, 12, "up", "late"), (12, 9, "down", "late"), (9, 12, "down", "good")]
)
def test_green_and_red_say_good_and_bad_and_not_up_and_down(now, before, good, paint):
    assert f'class="{paint}"' in look.delta(now, before, good=good)


@pytest.mark.parametrize(
    ("left", "kind", "text"), [(timedelta(hours=20, seconds=9), "open", "20 h left"), (timedelta(hours=5, seconds=9), "soon", "5 h left"), (-timedelta(hours=2, minutes=5), "late", "2 h 05 late")]
)  # fmt: skip
def test_the_ring_says_what_is_left(left, kind, text):
    sign = look.clock(timezone.now() + left)
    assert f"clock {kind}" in sign
    assert plain(sign) == text


def test_an_answered_clock_stands():
    assert plain(look.clock(timezone.now() - timedelta(days=3), timezone.now())) == "answered"


@pytest.mark.parametrize(("who", "initials"), [("Ana Duarte", "AD"), ("Ana Maria Duarte", "AD"), ("ana", "A"), ("", "?"), ("ana@hold.example", "AH")])
def test_initials(who, initials):
    assert plain(look.avatar(who)) == initials
