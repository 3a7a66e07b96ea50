"""What a stage does to the leads themselves, many at once: handing them to sales, setting their status, a tag, a bonus to the score or the owner,
telling another system.
Each makes the leads stale, so that score, owner, destinations and figures follow. The caller holds the lead rows."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from accounts.ids import NEW_ID, array
from accounts.models import User
from campaigns.models import Campaign, Stage
from leads.bulk import set_status
from leads.models import CLOSED, Lead
from leads.tags import add_tag, remove_tag
from listings.models import CampaignKind, Listing
from routing.handover import hand_over as give_to

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


def set_something(leads: Sequence[Any], stage: Stage, campaign: str) -> None:
    """Set what the stage says; leads that are so already stay as they are."""
    these, why = Lead.objects.among(leads), {"campaign": campaign, "stage": stage.name}
    match stage.options:
        case {"status": status}:
            set_status(these.open(), status, by=None, **why)  # a closed one stays closed
        case {"tag": tag, "off": True}:
            remove_tag(these, tag, by=None, **why)
        case {"tag": tag}:
            add_tag(these, tag, by=None, **why)
        case {"bonus": points}:
            give_bonus(leads, points, stage, campaign)
        case {"owner": username}:
            owner = User.objects.sellers().filter(username=username).first()
            if owner:  # who left since is nobody's owner
                give_to(these.open(), owner, by=None, **why)
            these.update(stale_since=Now())


def gives_owner(stage: Stage) -> bool:
    """Whether leads get an owner here, as far as one can take them."""
    return stage.kind == Stage.Kind.HAND_OVER or (stage.kind == Stage.Kind.SET and "owner" in stage.options)


def holds(stage: Stage, campaign: Campaign) -> bool:
    """Whether leads of this campaign are sales' from this stage on, and held."""
    return campaign.kind == CampaignKind.NURTURE and gives_owner(stage)


def closes(stage: Stage) -> bool:
    """Whether leads are closed here."""
    return stage.kind == Stage.Kind.SET and stage.options.get("status") in CLOSED


def give_bonus(leads: Sequence[Any], points: int, stage: Stage, campaign: str) -> None:
    """Points for the score, one bonus per lead: this one takes the place of any other; none takes it away."""
    with connection.cursor() as cursor:
        cursor.execute(BONUS, {"leads": array(leads), "points": points, "campaign": campaign, "stage": stage.name})


BONUS = f"""
    WITH given AS (
        UPDATE leads_lead l SET bonus = %(points)s, bonus_from = CASE WHEN %(points)s <> 0 THEN %(campaign)s ELSE '' END, stale_since = now()
        WHERE l.id = ANY(%(leads)s::uuid[]) AND l.bonus <> %(points)s RETURNING l.id
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {NEW_ID}, id, clock_timestamp(), 'bonus',
        jsonb_build_object('points', %(points)s, 'campaign', %(campaign)s::text, 'stage', %(stage)s::text) FROM given
"""


def tell(leads: Sequence[Any], stage: Stage, campaign: str) -> None:
    """Let a system know of them, now and whenever something about them changes. Without a face they get a new revision, which delivery carries."""
    with connection.cursor() as cursor:
        cursor.execute(TELL, {"leads": array(leads), "destination": stage.options["destination"]})


TELL = """
    WITH asked AS (
        INSERT INTO campaigns_asked (lead_id, destination) SELECT id, %(destination)s::uuid FROM unnest(%(leads)s::uuid[]) AS id ON CONFLICT DO NOTHING
    )
    UPDATE leads_lead SET face = NULL, stale_since = now() WHERE id = ANY(%(leads)s::uuid[])
"""


def notify(leads: Sequence[Any], stage: Stage, campaign: str) -> None:
    """A word to a colleague about each of them: to a person by name, else to the lead's owner, else to who published the campaign."""
    with connection.cursor() as cursor:
        to = stage.options.get("to", "")
        cursor.execute(NOTIFY, {"leads": array(leads), "to": to, "campaign": campaign, "stage": stage.name, "version": stage.version_id})


NOTIFY = f"""
    INSERT INTO campaigns_notice (id, user_id, lead_id, campaign, stage, due_at)
    SELECT {NEW_ID}, person, lead, %(campaign)s, %(stage)s, now() FROM (
        SELECT l.id AS lead, CASE WHEN %(to)s = '' THEN coalesce(l.owner_id, v.published_by_id)
            ELSE (SELECT id FROM accounts_user WHERE username = %(to)s AND is_active) END AS person
        FROM leads_lead l, campaigns_version v WHERE l.id = ANY(%(leads)s::uuid[]) AND v.id = %(version)s
    ) AS told WHERE person IS NOT NULL
"""


def destinations() -> dict[str, str]:
    """The systems that can be told, by id. Delivery knows campaigns, and not the other way round: it is asked through its relation to the listings."""
    model: Any = Listing._meta.get_field("destinations").related_model
    return {str(uid): name for uid, name in model.objects.values_list("uid", "name")}


EFFECTS: dict[str, Effect] = {Stage.Kind.HAND_OVER: hand_over, Stage.Kind.SET: set_something, Stage.Kind.WEBHOOK: tell, Stage.Kind.NOTIFY: notify}
