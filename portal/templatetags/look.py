"""The signs and figures that every page shows alike: shape and word first, colour third. The shapes are in templates/parts/_signs.html."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from leads import filters
from leads.models import Cluster, Status
from listings import days
from portal.templatetags import words

register = template.Library()

STATUSES = dict(Status.choices)
CLUSTERS = dict(Cluster.choices)
HEALTH = {
    "healthy": pgettext_lazy("listing health", "Healthy"),
    "silent": pgettext_lazy("listing health", "Silent"),
    "failing": pgettext_lazy("listing health", "Failing"),
    "off": pgettext_lazy("listing health", "Off"),
    "unproven": pgettext_lazy("listing health", "Not connected yet"),
    "warned": pgettext_lazy("listing health", "Worth a look"),
}
DAY = timedelta(days=1)
NOTHING = mark_safe('<span class="none">–</span>')
CLOCK_HOURS, SOON_HOURS = 24, 6
CIRCLE = 37.70  # the circumference of the ring, radius 6


def _named(label: str) -> SafeString:
    """The attributes of a drawing: what it says, or that it says nothing which its neighbour does not say."""
    return format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')


def _sign(name: str, size: int, label: str = "") -> SafeString:
    return format_html('<svg class="sign" width="{}" height="{}" {}><use href="#{}"/></svg>', size, size, _named(label), name)


def drawn_once(sign: Callable[..., SafeString]) -> Callable[..., SafeString]:
    """A sign of few values is drawn once per language: a list shows the same ones in every row."""

    @lru_cache(5_000)
    def drawn(language: str | None, *values: Any, **named: Any) -> SafeString:
        return sign(*values, **named)

    @wraps(sign)
    def show(*values: Any, **named: Any) -> SafeString:
        return drawn(get_language(), *values, **named)

    return show


@register.simple_tag
def icon(name: str, size: int | None = None, label: str = "", **attributes: str) -> str:
    """A lucide icon in the colour of its text; with a label it speaks, without one it is beside a word."""
    attributes["class"] = f"i {attributes.pop('cls', '')}".strip()
    attributes.update({"role": "img", "aria-label": str(label)} if label else {"aria-hidden": "true"})
    return _lucide(str(name), size, tuple(attributes.items()))


@lru_cache(2_000)
def _lucide(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> str:
    return lucide(name, size=size, stroke_width="1.75", **dict(attributes))


@register.simple_tag
@drawn_once
def status(value: str | None) -> SafeString:
    """The pie: how far the lead has come."""
    if not value:
        return NOTHING
    shape = value if value in STATUSES else "new"
    return format_html('<span class="st">{}{}</span>', _sign(f"s-{shape}", 14), STATUSES.get(value, value))


@register.simple_tag
@drawn_once
def status_options(chosen: str = "") -> SafeString:
    """Every status as an option of a select."""
    return filters.options(Status.choices, {chosen})


@register.simple_tag
def options(choices: Iterable[tuple[Any, Any]], chosen: Any = "") -> SafeString:
    """Choices, each a value and its name, as the options of a select."""
    return filters.options(choices, {str(chosen)})


@register.simple_tag
@drawn_once
def cluster(value: str | None, word: bool = True, size: int = 14) -> SafeString:
    """The quadrant: intent to the right, fit upwards."""
    if not value or value not in CLUSTERS:
        return NOTHING
    if not word:
        return _sign(f"c-{value}", size, str(CLUSTERS[value]))
    return format_html('<span class="st">{}<span>{}</span></span>', _sign(f"c-{value}", size), CLUSTERS[value])


@register.simple_tag
def health(state: str | None, text: str = "") -> SafeString:
    """The dot, triangle, crossed square or ring, and the word that says it."""
    kind = state if state in HEALTH else "off"
    shape = {"unproven": "off", "warned": "silent"}.get(kind, kind)
    return format_html('<span class="st health-{}">{}{}</span>', shape, _sign(f"h-{shape}", 12), text or HEALTH[kind])


@register.simple_tag
@drawn_once
def storefront(slug: str | None, name: str = "") -> SafeString:
    """Solid for Azure Marketplace, hatched for AppSource; the same swatch in badge, legend and bars."""
    if not slug:
        return NOTHING
    shape = "sf-as" if "appsource" in slug else "sf-az"
    return format_html('<span class="sf">{}<span>{}</span></span>', _sign(shape, 10), name or slug)


@register.simple_tag
def clock(respond_by: datetime | None, first_response_at: datetime | None = None, long: bool = False, short: bool = False) -> SafeString:
    """The ring: what is left of the 24 hours to respond in. Short leaves out "left", for a column that says so; long is the ring of the record."""
    if first_response_at is not None:
        return _answered(first_response_at, long)
    if respond_by is None:
        return NOTHING
    left = respond_by - timezone.now()
    kind = "late" if left <= timedelta(0) else "soon" if left < timedelta(hours=SOON_HOURS) else "open"
    if long:
        return _long_clock(respond_by, left, kind)
    span = days.span(left)
    said = _late(span) if kind == "late" else span if short else _left(span)
    return format_html('<span class="st clock {}">{}{}</span>', kind, _ring(left, kind, 16), said)


def _left(span: str) -> str:
    return pgettext("clock", "%(time)s left") % {"time": span}


def _late(span: str) -> str:
    return pgettext("clock", "%(time)s late") % {"time": span}


def _answered(at: datetime, long: bool) -> SafeString:
    if not long:
        return format_html('<span class="st clock-answered">{}{}</span>', _sign("k-answered", 16), pgettext("clock", "answered"))
    said = format_html("<div><b>{}</b><span>{}</span></div>", pgettext("clock", "Answered"), words.moment(at))
    return format_html('<div class="clock-long">{}{}</div>', _sign("k-answered", 44), said)


def _long_clock(respond_by: datetime, left: timedelta, kind: str) -> SafeString:
    said = _late(days.span(left, full=True)) if kind == "late" else _left(days.span(left, full=True))
    due = _("Was due %(when)s") if kind == "late" else _("Respond by %(when)s")
    body = format_html('<div><b class="{}">{}</b><span>{}</span></div>', kind, said, due % {"when": words.moment(respond_by, clock_first=True)})
    return format_html('<div class="clock-long">{}{}</div>', _ring(left, kind, 44), body)


def _ring(left: timedelta, kind: str, size: int) -> SafeString:
    if kind == "late":
        return _sign("k-late", size)
    share = min(left / timedelta(hours=CLOCK_HOURS), 1)
    width, paint = ("2.6", "k-soon") if kind == "soon" else ("2.2", "k-on")
    arc = '<circle cx="8" cy="8" r="6" class="{}" stroke-width="{}" stroke-dasharray="{} {}" transform="rotate(-90 8 8)"/>'
    track = '<circle cx="8" cy="8" r="6" class="k-off" stroke-width="1.6" opacity=".7"/>'
    return format_html(
        '<svg class="sign" width="{}" height="{}" viewBox="0 0 16 16" aria-hidden="true">' + track + arc + "</svg>",
        *(size, size, paint, width, f"{share * CIRCLE:.2f}", f"{CIRCLE:.2f}"),
    )


@register.simple_tag
@drawn_once
def number(value: float | None, decimals: int | None = None) -> SafeString:
    """A figure in the user's locale, with a real minus; nothing known is a dash."""
    return NOTHING if value is None or value == "" else format_html("{}", words.number(value, decimals))


@register.simple_tag
def percent(part: float | None, whole: float | None, decimals: int = 0) -> SafeString:
    """A share in the locale's spacing; of nothing there is none, and a little is not written as none."""
    if part is None or not whole:
        return NOTHING
    share, least = float(part) / float(whole), 0.1 ** (decimals + 2)
    return format_html("{}", words.percent(share, decimals) if share == 0 or abs(share) >= least / 2 else f"< {words.percent(least, decimals)}")


@register.simple_tag
def points(value: int | None) -> SafeString:
    """Signed points of a score: +12, −5."""
    return NOTHING if value is None else format_html('<span class="points">{}</span>', words.signed(value))


@register.simple_tag
def minutes(value: float | None) -> SafeString:
    """A duration given in minutes: 3 h 12, 41 min; of many days the nearest whole number of them."""
    if value is None:
        return NOTHING
    span = timedelta(minutes=float(value))
    return format_html('<span class="num">{}</span>', days.span(timedelta(days=round(span / DAY)) if span >= 3.5 * DAY else span))


@register.simple_tag
def delta(now: float | None, before: float | None, good: str = "up", unit: str = "") -> SafeString:
    """The change against the period before. Green and red say good and bad, not up and down. Units: "" (was N), minutes, pt."""
    if now is None or before is None:
        return format_html('<span class="delta">{}</span>', _("nothing to compare"))
    change = round(now) - round(before) if unit == "minutes" else now - before
    if not change:
        return format_html('<span class="delta">{}</span>', _("no change"))
    paint = "good" if (change > 0) == (good == "up") else "late"
    if unit == "pt":
        return format_html('<span class="{} num">{}</span>', paint, _("%(points)s pt") % {"points": words.signed(change)})
    arrow = icon("arrow-up" if change > 0 else "arrow-down", size=12)
    said, was = (_speed(change), "") if unit == "minutes" else (words.number(abs(change)), _("was %(figure)s") % {"figure": words.number(before)})
    return format_html('<span class="delta"><b class="{}">{}{}</b> {}</span>', paint, arrow, said, was)


def _speed(change: float) -> str:
    span = days.span(timedelta(minutes=abs(change)), full=True)
    return _("%(time)s slower") % {"time": span} if change > 0 else _("%(time)s faster") % {"time": span}


@register.simple_tag
def spark(values: Iterable[float | None], label: str = "") -> SafeString:
    """A small line without axes: grey, its end in the accent."""
    known = [float(value or 0) for value in values]
    if len(known) < 2:
        return NOTHING
    low, spread, step = min(known), (max(known) - min(known)) or 1, 50 / (len(known) - 1)
    at = [(i * step, 18 - (value - low) / spread * 15) for i, value in enumerate(known)]
    return format_html(
        '<svg class="sign" width="54" height="20" viewBox="-2 0 54 20" {}><path d="M{}" class="k-faint" stroke-width="1.4" stroke-linejoin="round"/>'
        '<circle cx="{}" cy="{}" r="2" class="f-on"/></svg>',
        *(_named(label), "L".join(f"{x:.1f} {y:.1f}" for x, y in at), f"{at[-1][0]:.1f}", f"{at[-1][1]:.1f}"),
    )


@register.simple_tag
def bar_split(azure: float | None, appsource: float | None, total: float | None = None, largest: float | None = None) -> SafeString:
    """A bar of the funnel on one scale: solid for Azure Marketplace, hatched for AppSource, in the track of the largest."""
    azure, appsource = azure or 0, appsource or 0
    scale = 100 / (largest or total or (azure + appsource) or 1)
    solid, hatched = azure * scale, appsource * scale
    gap = 0.35 if solid and hatched else 0
    rects = ((0, solid, "f-az"), (solid + gap, max(hatched - gap, 0), "hatch"))
    drawn = format_html_join(
        "",
        '<rect x="{}%" width="{}%" height="10" rx="1.5" class="{}" stroke-width=".75"/>',
        ((f"{x:.2f}", f"{w:.2f}", c) for x, w, c in rects if w > 0),
    )
    return format_html(
        '<svg class="bar" width="100%" height="10" aria-hidden="true"><rect width="100%" height="10" rx="2" class="f-soft"/>{}</svg>', drawn
    )


@register.simple_tag
def score_bar(fit: float | None, intent: float | None, each: float = 50, width: int = 150) -> SafeString:
    """Fit and intent side by side, each in its own track."""
    half = (width - 2) / 2
    parts = (
        (0, half, "f-soft"),
        (half + 2, half, "f-soft"),
        (0, half * (fit or 0) / each, "f-on"),
        (half + 2, half * (intent or 0) / each, "f-half"),
    )
    drawn = format_html_join("", '<rect x="{}" width="{}" height="8" rx="2" class="{}"/>', ((f"{x:.1f}", f"{w:.1f}", c) for x, w, c in parts))
    return format_html('<svg class="sign" width="{}" height="8" aria-hidden="true">{}</svg>', width, drawn)


@register.simple_tag
def step(state: str = "next") -> SafeString:
    """The sign of one stage on a person's way: done, now or next."""
    return _sign(f"step-{state if state in ('done', 'now', 'next') else 'next'}", 16)


@register.simple_tag
def day(when: date | None) -> SafeString:
    """A calendar day: 19 Nov."""
    return NOTHING if when is None else format_html('<time datetime="{}">{}</time>', when.isoformat(), words.day(when))


@register.simple_tag
def money(amount: float | None, currency: str = "") -> SafeString:
    """An amount as the locale writes it, with its currency where one is known; nothing known is a dash."""
    return NOTHING if amount is None else format_html("{}", words.money(amount, currency))


@register.simple_tag
def money_short(amount: float | None, currency: str = "") -> SafeString:
    """An amount where there is little room; the whole of it on hover."""
    if amount is None:
        return NOTHING
    return format_html('<span title="{}">{}</span>', words.money(amount, currency), words.money_short(amount, currency))


@register.simple_tag
def languages() -> Any:
    """Every language by the name it has for itself."""
    return settings.LANGUAGES


@register.simple_tag
def ago(when: datetime | None) -> SafeString:
    """How long ago, kept fresh in the page; the exact moment on hover."""
    if not when:  # what a template can't find is an empty text
        return NOTHING
    stamp, exact = when.isoformat(timespec="seconds"), words.exact(when)
    return format_html('<relative-time><time datetime="{}" title="{}">{}</time></relative-time>', stamp, exact, words.ago(when))


@register.simple_tag
def moment(when: datetime | None) -> SafeString:
    """The moment itself, as a timeline writes it: Today 08:31, 17 Nov 09:10."""
    if not when:
        return NOTHING
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(timespec="seconds"), words.exact(when), words.moment(when))


@register.simple_tag
def avatar(who: Any, size: str = "") -> SafeString:
    """Initials in a circle; the name stands beside it. Sizes: "", sm (20), lg (44)."""
    return _avatar(str(getattr(who, "full_name", "") or who or ""), size)


@lru_cache(2_000)
def _avatar(name: str, size: str) -> SafeString:
    initials = "".join(part[0] for part in (name.replace("@", " ").split() or ["?"])[:: max(len(name.split()) - 1, 1)][:2]).upper()
    return format_html('<span class="av {}" aria-hidden="true">{}</span>', f"av-{size}" if size else "", initials)


@register.filter
def undo_url(message: Any) -> str:
    """Where a message's Undo posts to: messages.success(request, text, extra_tags="undo:/leads/…/undo/")."""
    return next((tag.removeprefix("undo:") for tag in (message.extra_tags or "").split() if tag.startswith("undo:")), "")
