"""Days in templates, as listings.days writes them."""

from datetime import date

from django import template

from listings.days import short

register = template.Library()


@register.filter
def short_day(day: date | None) -> str:
    """22 Oct."""
    return short(day) if day else ""
