"""Whether the books balance: the archive against the ledger, the leads against the archive, the CRM and the mail against the leads, the figures too."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.marketplace import Ledger
from tests.chaos.world import World

# Everything that still waits, whether or not its time has come.
WAITING = {
    "pending submissions": "SELECT count(*) FROM leads_submission WHERE disposition = 'pending'",
    "stale leads": "SELECT count(*) FROM leads_lead WHERE stale_since IS NOT NULL",
    "uncounted demand": "SELECT count(*) FROM leads_demand WHERE NOT counted",
    "waiting deliveries": "SELECT count(*) FROM delivery_delivery WHERE state IN ('due', 'retrying')",
    "leased deliveries": "SELECT count(*) FROM delivery_delivery WHERE lease_until > now()",
    "people on their way": "SELECT count(*) FROM campaigns_enrollment WHERE status = 'active'",
    "words not carried out": "SELECT count(*) FROM campaigns_campaign WHERE said_at IS NOT NULL",
    "notices on their way": "SELECT count(*) FROM campaigns_notice WHERE claimed_at IS NULL",
    "mails on their way": "SELECT count(*) FROM campaigns_message WHERE state IN ('planned', 'sending')",
}
# Retries, leases, breakers and put-off leads wait for minutes or hours; this is how these pass. Rows that the portal holds at this moment are left to
# the next time, as waiting for them here might have the portal wait for us.
TIME_PASSES = tuple(
    f"UPDATE {table} SET {changes} WHERE id IN (SELECT id FROM {table} WHERE {which} FOR UPDATE SKIP LOCKED)"
    for table, changes, which in (
        ("delivery_delivery", "due_at = least(due_at, now()), lease_until = NULL", "state IN ('due', 'retrying') OR lease_until IS NOT NULL"),
        ("delivery_destination", "closed_until = NULL", "true"),
        ("leads_lead", "stale_since = now()", "stale_since > now()"),
        ("campaigns_notice", "due_at = now()", "claimed_at IS NULL"),
        ("campaigns_message", "claimed_at = claimed_at - interval '1 hour'", "state = 'sending'"),
    )
)
# Rows that must not exist.
WRONG = {
    "submissions that are neither a lead nor a redelivery": "SELECT count(*) FROM leads_submission WHERE disposition NOT IN ('lead', 'redelivery') OR lead_id IS NULL",
    "leads never scored": "SELECT count(*) FROM leads_lead WHERE score IS NULL",
    "leads of Azure Marketplace without an owner": """SELECT count(*) FROM leads_lead l JOIN listings_listing g ON g.id = l.listing_id
        JOIN listings_storefront s ON s.id = g.storefront_id WHERE l.owner_id IS NULL AND s.owner_when = 'at_once'""",
    "owners without an open assignment": """SELECT count(*) FROM leads_lead l WHERE owner_id IS NOT NULL
        AND (SELECT count(*) FROM routing_assignment a WHERE a.lead_id = l.id AND a.ended_at IS NULL AND a.owner_id = l.owner_id) <> 1""",
    "leads that are not in one campaign": "SELECT count(*) FROM leads_lead l WHERE (SELECT count(*) FROM campaigns_enrollment e WHERE e.lead_id = l.id) <> 1",
    "people stuck on their way": """SELECT count(*) FROM campaigns_enrollment WHERE status = 'active'""",
    "moves made twice": "SELECT count(*) - count(DISTINCT (enrollment_id, from_stage_id)) FROM campaigns_transition",
    "moves that the passages miscount": """SELECT count(*) FROM (SELECT from_stage_id, to_stage_id, count(*) AS n FROM campaigns_transition GROUP BY 1, 2) t
        FULL JOIN campaigns_passage p ON p.from_stage_id = t.from_stage_id AND p.to_stage_id IS NOT DISTINCT FROM t.to_stage_id
        WHERE p.count IS DISTINCT FROM t.n""",
    "tasks that do not match the moves": """SELECT abs((SELECT count(*) FROM leads_task) - (SELECT count(*) FROM campaigns_transition t
        JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE s.kind = 'task'))""",
    "mails that do not match the moves": """SELECT abs((SELECT count(*) FROM campaigns_message) - (SELECT count(*) FROM campaigns_transition t
        JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE s.kind = 'email'))""",
    "choices that do not match the moves": """SELECT abs((SELECT count(*) FROM campaigns_choice) - (SELECT count(*) FROM campaigns_transition t
        JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE s.kind = 'split'))""",
    "notices that do not match the moves": """SELECT abs((SELECT count(*) FROM campaigns_notice) - (SELECT count(*) FROM campaigns_transition t
        JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE s.kind = 'notify'))""",
    "leads that were to be told to the hook and are not": """SELECT abs((SELECT count(*) FROM delivery_delivery d JOIN delivery_destination h ON h.id = d.destination_id
        WHERE h.name = 'Hook' AND d.state = 'delivered') - (SELECT count(DISTINCT e.lead_id) FROM campaigns_transition t
        JOIN campaigns_stage s ON s.id = t.from_stage_id JOIN campaigns_enrollment e ON e.id = t.enrollment_id WHERE s.kind = 'webhook'))""",
    "leads handed to sales without an owner": """SELECT count(*) FROM leads_lead l WHERE owner_id IS NULL AND EXISTS (SELECT FROM campaigns_enrollment e
        JOIN campaigns_transition t ON t.enrollment_id = e.id JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE e.lead_id = l.id AND s.kind = 'hand_over')""",
    "leads that passed the tag and do not have it": """SELECT count(*) FROM leads_lead l WHERE NOT tags @> ARRAY['walked']::varchar[] AND EXISTS (
        SELECT FROM campaigns_enrollment e JOIN campaigns_transition t ON t.enrollment_id = e.id JOIN campaigns_stage s ON s.id = t.from_stage_id
        WHERE e.lead_id = l.id AND s.name = 'Tag')""",
    "leads not delivered in their last revision": """SELECT count(*) FROM leads_lead l LEFT JOIN delivery_delivery d ON d.lead_id = l.id
        WHERE d.state IS DISTINCT FROM 'delivered' OR d.delivered_revision IS DISTINCT FROM l.revision""",
    "interactions whose deliveries are miscounted": """SELECT count(*) FROM leads_interaction i JOIN leads_submission f ON f.id = i.id WHERE i.deliveries <>
        (SELECT count(*) FROM leads_submission s WHERE s.listing_id = f.listing_id AND s.content_key = f.content_key)""",
    "leads whose acts are miscounted": "SELECT count(*) FROM leads_lead l WHERE interaction_count <> (SELECT count(*) FROM leads_interaction i WHERE i.lead_id = l.id)",
    "tallies that differ from the leads": """SELECT count(*) FROM (
        SELECT day, listing_id, leads, qualified, opportunities, won FROM insights_dailytally WHERE leads > 0) t FULL JOIN (
        SELECT (received_at AT TIME ZONE (SELECT time_zone FROM listings_publisher))::date AS day, listing_id, count(*) AS leads, count(qualified_at) AS qualified,
            count(opportunity_at) AS opportunities, count(won_at) AS won FROM leads_lead GROUP BY 1, 2) l USING (day, listing_id)
        WHERE (t.leads, t.qualified, t.opportunities, t.won) IS DISTINCT FROM (l.leads, l.qualified, l.opportunities, l.won)""",
}  # fmt: skip


@dataclass
class Verdict:
    """The figures of a run, and what is wrong in words."""

    acknowledged: int = 0
    durable: int = 0
    lost: int = 0
    unexpected: int = 0
    leads_doubled: int = 0
    records_doubled: int = 0
    mails_doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def figures(self) -> str:
        return (
            f"A={self.acknowledged} D={self.durable} L={self.lost} U={self.unexpected} "
            f"Dl={self.leads_doubled} De={self.records_doubled} Dm={self.mails_doubled}"
        )

    @property
    def is_clean(self) -> bool:
        return not (self.wrong or self.lost or self.unexpected or self.leads_doubled or self.records_doubled or self.mails_doubled)


def waiting(world: World) -> dict[str, int]:
    """What still waits, by name."""
    counts = {name: int(world.sql(statement)[0][0]) for name, statement in WAITING.items()}
    return {name: count for name, count in counts.items() if count}


def judge(world: World, ledger: Ledger) -> Verdict:
    archive = {str(pk): bytes(sha256) for pk, sha256 in world.sql("SELECT id, sha256 FROM leads_submission WHERE sha256 = sha256(body)")}
    verdict = Verdict(acknowledged=len(ledger.acknowledged), wrong=list(ledger.odd))
    verdict.durable = sum(archive.get(pk) == sha256 for pk, sha256 in ledger.acknowledged.items())
    verdict.lost = verdict.acknowledged - verdict.durable
    unasked = Counter(sha256 for pk, sha256 in archive.items() if pk not in ledger.acknowledged)
    verdict.unexpected = sum((unasked - ledger.open).values())
    verdict.leads_doubled = int(world.sql(DOUBLED)[0][0])
    verdict.records_doubled, verdict.mails_doubled = world.crm.doubled, world.post.doubled
    look(world, ledger, archive, verdict.wrong)
    return verdict


PUT_ASIDE = "SELECT disposition, reason, count(*) FROM leads_submission WHERE disposition NOT IN ('lead', 'redelivery') GROUP BY 1, 2"
DOUBLED = """
    SELECT coalesce(sum(n - 1), 0) FROM (
        SELECT count(*) AS n FROM leads_lead l JOIN leads_contact c ON c.id = l.contact_id GROUP BY c.email, l.listing_id) AS same
"""


def look(world: World, ledger: Ledger, archive: dict[str, bytes], wrong: list[str]) -> None:
    """Say what doesn't agree."""
    letters = {sha256: ledger.known[sha256] for sha256 in set(archive.values()) if sha256 in ledger.known}
    leads: dict[str, Any] = {str(pk): (revision, f"{email} {slug}") for pk, revision, email, slug in world.sql(LEADS)}
    expect(wrong, "rows in the archive", int(world.sql("SELECT count(*) FROM leads_submission")[0][0]), len(archive))
    expect(wrong, "leads", sorted(key for _, key in leads.values()), sorted({letter.key for letter in letters.values()}))
    expect(wrong, "interactions", int(world.sql("SELECT count(*) FROM leads_interaction")[0][0]), len(letters))
    expect(wrong, "records of the CRM", world.crm.records, leads)
    told = {str(pk) for (pk,) in world.sql(HOOKED)}
    expect(wrong, "records of the hook", world.crm.hooked, {pk: state for pk, state in leads.items() if pk in told})
    wrong += [f"{count} {name}" for name, statement in WRONG.items() if (count := int(world.sql(statement)[0][0]))]
    wrong += [f"{count} {disposition} in the archive: {reason}" for disposition, reason, count in world.sql(PUT_ASIDE)]
    wrong += [f"{count} {name}" for name, count in waiting(world).items()]


LEADS = """
    SELECT l.id, l.revision, c.email, g.slug FROM leads_lead l JOIN leads_contact c ON c.id = l.contact_id JOIN listings_listing g ON g.id = l.listing_id
"""


HOOKED = """
    SELECT DISTINCT e.lead_id FROM campaigns_enrollment e JOIN campaigns_transition t ON t.enrollment_id = e.id
    JOIN campaigns_stage s ON s.id = t.from_stage_id WHERE s.kind = 'webhook'
"""


def expect(wrong: list[str], what: str, found: Any, wanted: Any) -> None:
    if found == wanted:
        return
    if isinstance(found, dict):
        different = {key: (found.get(key), wanted.get(key)) for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)}
        wrong.append(f"{what}: {len(different)} differ, such as {json.dumps(dict(list(different.items())[:3]))}")
    elif isinstance(found, list):
        wrong.append(
            f"{what}: {len(found)} found, {len(wanted)} expected, such as {list((Counter(found) - Counter(wanted)) or (Counter(wanted) - Counter(found)))[:3]}"
        )
    else:
        wrong.append(f"{what}: {found} found, {wanted} expected")
