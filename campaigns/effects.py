"""What a stage does to the leads themselves, many at once: handing them to sales, setting their status. Each makes the leads stale, so that owner,
destinations and figures follow. The caller holds the lead rows."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from accounts.ids import NEW_ID, array
from campaigns.models import Stage
from leads.bulk import set_status_of_all
from leads.models import Lead

Effect = Callable[[Sequence[Any], Stage, str], None]


def hand_over(leads: Sequence[Any], stage: Stage, campaign: str) -> None:
    """Qualify them for sales; routing then finds each an owner, as if it had reached the goal. Closed ones are left alone."""
    with connection.cursor() as cursor:
        cursor.execute(HAND_OVER, {"leads": array(leads), "campaign": campaign, "stage": stage.name})


# What marketing says of a lead that it is done with; whatever came of it before stays.
READY_FOR_SALES = """goal_reached_at = coalesce(l.goal_reached_at, now()), qualified_at = coalesce(l.qualified_at, now()),
            status = CASE WHEN l.status IN ('new', 'nurturing') THEN 'qualified' ELSE l.status END"""
HAND_OVER = f"""
    WITH handed AS (
        UPDATE leads_lead l SET {READY_FOR_SALES}, stale_since = now()
        WHERE l.id = ANY(%(leads)s::uuid[]) AND l.status NOT IN ('won', 'lost', 'disqualified') RETURNING l.id
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {NEW_ID}, id, clock_timestamp(), 'handed_to_sales', jsonb_build_object('campaign', %(campaign)s::text, 'stage', %(stage)s::text) FROM handed
"""


def set_status(leads: Sequence[Any], stage: Stage, campaign: str) -> None:
    """Put them into the stage's status; those that are there already stay as they are."""
    set_status_of_all(Lead.objects.among(leads), stage.options["status"], by=None, campaign=campaign, stage=stage.name)


EFFECTS: dict[str, Effect] = {Stage.Kind.HAND_OVER: hand_over, Stage.Kind.SET: set_status}
