"""What the overview is asked for in its address: `period` (7, 30, quarter, custom), `from` and `to` of a custom one, and `storefront`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from insights.offers import Period

DAYS = {"7": 7, "30": 30, "quarter": 91}  # a quarter is 13 whole weeks, so that weekdays compare with themselves
DEFAULT = "30"
LONGEST = 731
EARLIEST, FURTHEST = date(2000, 1, 1), timedelta(days=366)
LABELS = {
    "7": gettext_lazy("7 days"),
    "30": gettext_lazy("30 days"),
    "quarter": pgettext_lazy("period", "Quarter"),
    "custom": pgettext_lazy("period", "Custom"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, the key of the switch that stands on it, and the storefront looked at, if one."""

    key: str
    period: Period
    storefront: str = ""
    error: str = ""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Asked":
        """What these parameters ask for; what can't be read is said, and the last 30 days are shown."""
        storefront = str(query.get("storefront", ""))[:50]
        key = query.get("period") or ("custom" if query.get("from") or query.get("to") else DEFAULT)
        if key in DAYS:
            return cls(key, Period.last(DAYS[key]), storefront)
        last = Period.last(DAYS[DEFAULT])
        first_day, last_day = day_of(query.get("from"), last.first), day_of(query.get("to"), last.last_day)
        if first_day is None or last_day is None:
            return cls("custom", last, storefront, _("A date looks like 2026-11-20."))
        if not all(EARLIEST <= day <= last.last_day + FURTHEST for day in (first_day, last_day)):
            return cls("custom", last, storefront, _("That day is too far away."))
        if first_day > last_day:
            return cls("custom", last, storefront, _("The first day is after the last."))
        if (last_day - first_day).days >= LONGEST:
            return cls("custom", last, storefront, _("That is more than two years."))
        return cls("custom", Period(first_day, last_day), storefront)

    def query(self, **changes: str) -> str:
        """The address's parameters with these changes."""
        own = {"period": self.key, "storefront": self.storefront} | changes
        if own["period"] == "custom":
            own |= {"from": self.period.first.isoformat(), "to": self.period.last_day.isoformat()}
        return urlencode({name: value for name, value in own.items() if value})

    @property
    def by_week(self) -> bool:
        """Longer periods are drawn in weeks."""
        return self.period.days > 100


def day_of(text: str | None, default: date) -> date | None:
    """The date written here, the default for nothing, and none for what is no date."""
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
