"""Figures over time, from the tallies: leads per day and storefront, leads per week and listing. One query each."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Func, IntegerField, Sum, Value
from django.utils.translation import gettext as _

from insights.asked import Asked
from insights.models import DailyTally
from insights.offers import Offer, Offers, Period
from listings.days import between, short
from listings.links import page

MEAN = 7
WEEKS = 9
Daily = dict[str, dict[date, int]]


def per_day(first: date, last: date, listings: Iterable[int]) -> Daily:
    """Storefront -> day -> leads received."""
    found: Daily = defaultdict(dict)
    rows = DailyTally.objects.filter(listing__in=listings, day__gte=first, day__lte=last).order_by()
    for storefront, day, leads in rows.values_list("listing__storefront__slug", "day").annotate(n=Sum("leads")):
        found[storefront][day] = leads
    return found


def weeks(listings: Iterable[int], until: date) -> dict[int, list[int]]:
    """Listing -> leads in each of the last so many weeks, oldest first; the last week ends with `until`."""
    found: dict[int, list[int]] = defaultdict(lambda: [0] * WEEKS)
    rows = DailyTally.objects.filter(listing__in=listings, day__gt=until - timedelta(days=7 * WEEKS), day__lte=until).order_by()
    ago = Func(Value(until), F("day"), template="(%(expressions)s) / 7", arg_joiner=" - ", output_field=IntegerField())
    for listing, back, leads in rows.annotate(ago=ago).values_list("listing", "ago").annotate(n=Sum("leads")):
        found[listing][WEEKS - 1 - back] = leads
    return found


def chart(asked: Asked, offers: list[Offer]) -> dict[str, Any]:
    """Leads per day, or per week of a long period, stacked by storefront; the period before as its mean over 7 days."""
    period, before = asked.period, asked.period.before
    daily = per_day(before.first - timedelta(days=MEAN - 1), period.last_day, [one.pk for one in offers])
    steps = buckets(period, 7 if asked.by_week else 1)
    series = [
        {
            "name": name, "kind": "appsource" if "appsource" in slug else "azure",
            "values": (values := [sum(daily[slug].get(day, 0) for day in days) for days in steps]), "total": sum(values),
        }
        for slug, name in sorted({(one.storefront, one.storefront_name) for one in offers}, reverse=True)
    ]  # fmt: skip
    then = {"name": _("Before, by week") if asked.by_week else _("Before, 7-day mean"), "values": earlier(daily, before, asked.by_week)[: len(steps)]}
    return {
        "label": label(asked), "categories": [short(days[0]) for days in steps], "series": series, "before": then,
        "rows": rows(steps, series, then), "urls": [link(asked, days) for days in steps],
    }  # fmt: skip


def label(asked: Asked) -> str:
    days = between(asked.period.first, asked.period.last_day)
    return _("Leads received per week, %(days)s") % {"days": days} if asked.by_week else _("Leads received per day, %(days)s") % {"days": days}


def buckets(period: Period, size: int) -> list[list[date]]:
    """The days of a period in groups of this size; the last may be shorter."""
    days = [period.first + timedelta(days=n) for n in range(period.days)]
    return [days[at : at + size] for at in range(0, len(days), size)]


def earlier(daily: Daily, before: Period, by_week: bool) -> list[float]:
    """The period before, in the same places: whole weeks, or the mean of the 7 days that end with each day."""
    counts: dict[date, int] = defaultdict(int)
    for of_storefront in daily.values():
        for day, leads in of_storefront.items():
            counts[day] += leads
    if by_week:
        return [sum(counts[day] for day in days) for days in buckets(before, 7)]
    days = [days[0] for days in buckets(before, 1)]
    return [round(sum(counts[day - timedelta(days=back)] for back in range(MEAN)) / MEAN, 1) for day in days]


def rows(steps: list[list[date]], series: list[dict[str, Any]], then: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The same figures as a table."""
    columns = [one["values"] for one in series] + [then["values"]]
    return [(short(days[0]), *(values[at] if at < len(values) else None for values in columns)) for at, days in enumerate(steps)]


def link(asked: Asked, days: list[date]) -> str | None:
    """The leads behind one bar."""
    return page("leads:list", from_=days[0], to=days[-1], storefront=asked.storefront) or None


def funnel(now: Offers, was: Offer) -> list[dict[str, Any]]:
    """What became of the leads: each step by storefront, and how many percent of the step before moved on, now and before."""
    whole = now.total
    steps = (
        ("leads", _("Leads"), ""),
        ("qualified", _("Qualified"), "qualified"),
        ("opportunities", _("Opportunity"), "opportunity"),
        ("won", _("Won"), "won"),
    )
    found: list[dict[str, Any]] = []
    for at, (name, label, reached) in enumerate(steps):
        count = getattr(whole, name)
        hatched = sum(getattr(one, name) for one in now.lines if "appsource" in one.storefront)
        step = {"label": label, "reached": reached, "count": count, "solid": count - hatched, "hatched": hatched}
        if at:
            above = steps[at - 1][0]
            step |= {"moved": share(count, getattr(whole, above)), "moved_before": share(getattr(was, name), getattr(was, above))}
        found.append(step)
    return found


def share(part: int, whole: int) -> int | None:
    """Whole percent, half rounded up as a reader does; of nothing there is none."""
    return int(part * 100 / whole + 0.5) if whole else None
