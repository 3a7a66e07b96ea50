"""Part of step 4c of a lead's path: which demand activity brought an act of a buyer.

Certain when the act names the activity's code, as the tracked link hands it to the marketplace; else a guess, stated as one: an activity for the same
listing that ran at that time or ended at most a week before, the latest begun of several.
"""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array
from campaigns.models import DemandActivity, Touch
from listings.models import Publisher


def attribute(leads: Sequence[UUID]) -> int:
    """Attribute the acts of these leads that are not yet; returns how many were. The caller holds the lead rows; running it again changes nothing."""
    if not DemandActivity.objects.exists():
        return 0
    return run("i.lead_id = ANY(%(leads)s::uuid[])", {"leads": array(leads)})


def attribute_anew(activity: DemandActivity) -> int:
    """After an activity was made or changed: forget its touches and the guesses of its listing, and attribute again what came in its time and what was
    forgotten, of whichever listing. One transaction."""
    with transaction.atomic():
        before = Touch.objects.filter(activity=activity)
        forgotten = array(before.values_list("interaction", flat=True))
        before.delete()
        began = datetime.combine(activity.starts, time.min, Publisher.current().zone)
        Touch.objects.filter(lead__listing=activity.listing_id, is_certain=False, at__gte=began).delete()
        found = run(
            "l.listing_id = %(listing)s AND (i.received_at AT TIME ZONE %(zone)s)::date >= %(starts)s",
            {"listing": activity.listing_id, "starts": activity.starts},
        )
        return found + run("i.id = ANY(%(forgotten)s::uuid[])", {"forgotten": forgotten})


def run(which: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ATTRIBUTE.format(which=which), {**values, "zone": Publisher.current().time_zone})
        return cursor.rowcount


ATTRIBUTE = """
    INSERT INTO campaigns_touch (interaction_id, lead_id, activity_id, at, is_certain)
    SELECT DISTINCT ON (i.id) i.id, i.lead_id, a.id, i.received_at, named.is_certain
    FROM leads_interaction i JOIN leads_lead l ON l.id = i.lead_id
    CROSS JOIN LATERAL (SELECT lower(concat_ws(' ', i.description, i.lead_source, i.offer, i.extra::text)) AS said,
                               (i.received_at AT TIME ZONE %(zone)s)::date AS day) act
    JOIN campaigns_demandactivity a ON a.starts <= act.day
    CROSS JOIN LATERAL (SELECT position(a.code IN act.said) > 0 AND act.said ~ ('(^|[^a-z0-9-])' || a.code || '($|[^a-z0-9-])') AS is_certain) named
    WHERE {which} AND NOT EXISTS (SELECT FROM campaigns_touch t WHERE t.interaction_id = i.id)
      AND (named.is_certain OR (a.listing_id = l.listing_id AND act.day <= coalesce(a.ends, act.day) + 7))
    ORDER BY i.id, named.is_certain DESC, a.starts DESC, a.id DESC
    ON CONFLICT (interaction_id) DO NOTHING
"""
