"""The figures of the overview: every offer's leads, qualified, opportunities, won, demand without a lead and median response of a quarter.

Reference: the same figures by GROUP BY over the leads themselves. Both must be exactly equal.
"""

from collections.abc import Iterator
from typing import Any

from bench import crowd
from bench.database import rows
from bench.rows import Bench, Row, measures, median_seconds
from insights.offers import Period, offers
from listings.models import Publisher

OVERVIEW = "overview figures of a quarter"
BETWEEN = "received_at >= %(first)s::timestamp AT TIME ZONE %(zone)s AND received_at < (%(last)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s"
LIVE = f"""
    SELECT listing_id, count(*), count(qualified_at), count(opportunity_at), count(won_at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, floor(extract(epoch FROM first_response_at - received_at) / 60))::int)
        FILTER (WHERE first_response_at IS NOT NULL)
    FROM leads_lead WHERE {BETWEEN} GROUP BY listing_id
"""
LIVE_DEMAND = f"""
    SELECT listing_id, count(*) FILTER (WHERE kind = 'anonymous'), count(*) FILTER (WHERE kind = 'asked_neighbour') FROM leads_demand
    WHERE {BETWEEN} GROUP BY listing_id
"""


def live(period: Period) -> dict[int, tuple[Any, ...]]:
    span = {"first": period.first, "last": period.last_day, "zone": Publisher.current().time_zone}
    demand = {listing: (anonymous, neighbour) for listing, anonymous, neighbour in rows(LIVE_DEMAND, span)}
    return {listing: (*figures, *demand.get(listing, (0, 0)), median) for listing, *figures, median in rows(LIVE, span)}


def tallied(period: Period) -> dict[int, tuple[Any, ...]]:
    return {
        one.pk: (one.leads, one.qualified, one.opportunities, one.won, one.anonymous, one.asked_neighbour, one.median_first_response_minutes)
        for one in offers(period).lines
    }


@measures(OVERVIEW)
def overview(bench: Bench) -> Iterator[Row]:
    crowd.grow(bench.scale.many_leads)
    period = Period.last(91)
    assert tallied(period) == live(period), "the tallies differ from the leads"
    ours, reference = median_seconds(lambda: tallied(period), 11), median_seconds(lambda: live(period), 3)
    yield Row(OVERVIEW, ours * 1000, reference * 1000, "ms", 1 / 50, 1 / 150, more_is_better=False, note="exactly equal")
