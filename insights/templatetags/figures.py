"""Links from figures to the leads behind them, and the offers table of the back office."""

from typing import Any

from django import template

from insights.asked import Asked
from insights.offers import Offer, Period, offers
from listings.days import between
from listings.links import page

register = template.Library()


@register.simple_tag
def leads_of(asked: Asked, offer: Offer | None = None, reached: str = "") -> str:
    """The leads that a figure of the period counts; of one offer, or of all that are looked at."""
    period = asked.period
    listing, storefront = (offer.slug, "") if offer else ("", asked.storefront)
    return page("leads:list", listing=listing, storefront=storefront, from_=period.first, to=period.last_day, reached=reached)


@register.simple_tag
def demand_of(asked: Asked, disposition: str) -> str:
    """The submissions behind a figure of demand without a lead."""
    period = asked.period
    return page("leads:archive", disposition=disposition, storefront=asked.storefront, from_=period.first, to=period.last_day)


@register.simple_tag
def switched(asked: Asked, **changes: str) -> str:
    """The parameters of the page with another period or storefront."""
    return asked.query(**changes)


@register.simple_tag
def days(period: Period) -> str:
    """22 October – 20 November 2026."""
    return between(period.first, period.last_day)


@register.filter
def shows_minutes(value: float | None) -> bool:
    """Whether a duration ends in minutes that want their unit beside them."""
    return value is not None and 60 <= value < 96 * 60 and int(value) % 60 != 0


@register.inclusion_tag("admin/_offers.html", takes_context=True)
def offer_performance(context: Any) -> dict[str, Any]:
    """The offers of the last 30 days, for those who see all leads."""
    user = context["request"].user
    if not (user.is_authenticated and user.sees_all):
        return {"offers": None}
    period = Period.last(30)
    found = offers(period)
    return {"offers": found.lines, "total": found.total, "period": period}
