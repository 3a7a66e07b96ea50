"""When a stage is due for somebody who arrives at it: after its time, and, where it says so, at an hour of the person's day.

The hour is that of the main time zone of their country, which is an assumption and is shown as one; without a country it is the publisher's.
"""

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global
from django.db import connection

from listings.models import Publisher

# Where most people live, in the countries that have several.
MAIN = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CD": "Africa/Kinshasa",
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa", "KZ": "Asia/Almaty", "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}  # fmt: skip


@lru_cache(1)
def main_zones() -> dict[str, str]:
    """The main time zone of every country, by its ISO code."""
    only: dict[str, str] = {}
    for zone, country in sorted(get_global("zone_territories").items()):
        if len(country) == 2 and country.isalpha() and country != "ZZ":
            only.setdefault(country, zone)
    return only | MAIN


def zone_of(country: str) -> str:
    """The time zone that a person of this country is taken to live by."""
    return main_zones().get(country) or Publisher.current().time_zone


@lru_cache(1)
def known_zones() -> frozenset[str]:
    """The time zones that the database knows; one that it does not know would stop every batch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        return frozenset(row[0] for row in cursor)


@lru_cache(1)
def zones_in_sql() -> str:
    """(country, zone) of every country as a list of rows."""
    pairs = (f"('{country}', '{zone}')" for country, zone in sorted(main_zones().items()) if zone in known_zones())
    return f"(VALUES {', '.join(pairs)}) AS clock(country, zone)"


def due_in_sql(options: str, lead: str, moment: str, at_an_hour: bool) -> str:
    """The moment an enrollment is due, in SQL: `options` are those of the stage, `lead` is an id, `moment` the end of the time there.

    `at_an_hour` says whether any stage in question waits for one; where none does, nothing is looked up.
    """
    if not at_an_hour:
        return moment
    ours = Publisher.current().time_zone
    elsewhere = ours if ours in known_zones() else "UTC"
    return f"""CASE WHEN NOT ({options} ? 'minute') THEN {moment} ELSE (
        SELECT min(slot) FROM (SELECT coalesce((SELECT clock.zone FROM leads_lead l JOIN leads_contact c ON c.id = l.contact_id JOIN {zones_in_sql()}
            ON clock.country = c.country WHERE l.id = {lead}), '{elsewhere}') AS zone) there,
        LATERAL (SELECT (date_trunc('day', ({moment}) AT TIME ZONE zone) + make_interval(days => ahead, mins => ({options}->>'minute')::int))
            AT TIME ZONE zone AS slot FROM generate_series(0, 8) AS ahead) slots
        WHERE slot >= ({moment}) AND ({options}->'weekdays') @> to_jsonb(extract(isodow FROM slot AT TIME ZONE zone)::int)) END"""


def next_hour(moment: datetime, options: dict[str, Any], zone: str) -> datetime:
    """The same in Python: the next time that the hour strikes on one of the days in this time zone, or the moment itself if it does just then."""
    there = moment.astimezone(ZoneInfo(zone))
    at = time(options["minute"] // 60, options["minute"] % 60)
    for ahead in range(9):
        slot = datetime.combine(there.date() + timedelta(days=ahead), at, ZoneInfo(zone))
        if slot >= there and slot.isoweekday() in options["weekdays"]:
            return slot.astimezone(moment.tzinfo)
    return moment
