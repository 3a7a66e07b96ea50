"""What a batch of readings means, written set by set: redeliveries, companies, contacts, leads, interactions, demand, dispositions.

Each step is a statement or two over the whole batch. Rows are taken company -> contact -> lead, each in key order.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.ids import NEW_ID, array, first_id, uuid7
from leads import dialects, normal, reasons
from leads.models import Disposition, Submission
from leads.reading import Reading

SAME_WITHIN = timedelta(hours=24)
KNOWN_CODES = frozenset(dialects.KNOWN_ACTIONS.values())


def understand(readings: list[Reading]) -> None:
    """Write what a batch means, set by set. Locks company, contact and lead rows, each in key order."""
    mark_redeliveries(readings)
    leads = [one for one in readings if one.disposition == Disposition.LEAD]
    if leads:
        keep_companies(leads)
        changed = keep_contacts(leads)
        keep_interactions(leads, keep_leads(leads, neighbours(readings), changed))
    keep_demand(readings)
    keep_codes(readings)
    finish(readings)


@dataclass(slots=True)
class Original:
    """The first delivery of some content: when it came, its id, and the lead it became, which a reading of the same batch learns later."""

    received_at: datetime
    id: str
    lead: str | None = None
    reading: Reading | None = None

    @property
    def became(self) -> str | None:
        return self.reading.lead if self.reading else self.lead


def mark_redeliveries(readings: list[Reading]) -> None:
    """The same content at the same listing within 24 h of one that is settled is a redelivery of what that became. Reads the archive, locks nothing.

    The other one may have come later: when this one waited in quarantine, and was sent again meanwhile.
    Test leads prove the connection each time and are never redeliveries.
    """
    judged = [one for one in readings if one.act and one.disposition not in (Disposition.QUARANTINED, Disposition.TEST)]
    known, seen = originals(judged), dict[tuple[int, bytes], Original]()
    for one in judged:
        content = one.submission.listing_id, one.act.content_key if one.act else b""
        first = seen.get(content) or known.get(one.id)
        if first and abs(one.submission.received_at - first.received_at) < SAME_WITHIN:
            one.disposition, one.reason, one.row["first"] = Disposition.REDELIVERY, reasons.SAME_AS % {"id": first.id}, first
        else:
            seen[content] = Original(one.submission.received_at, one.id, reading=one)


def originals(readings: list[Reading]) -> dict[str, Original]:
    """Submission -> the newest original of its content that the archive understood, within 24 h."""
    asked = [(one.id, one.submission.listing_id, one.act.content_key, one.submission.received_at) for one in readings if one.act]
    if not asked:
        return {}
    since = [str(first_id(row[3] - 2 * SAME_WITHIN)) for row in asked]
    with connection.cursor() as cursor:
        cursor.execute(ORIGINALS, [*([row[i] for row in asked] for i in range(4)), since])
        return {str(pk): Original(at, str(first), lead and str(lead)) for pk, at, first, lead in cursor}


# The id of an original is no older than its moment: so only the months that it can be in are looked at.
ORIGINALS = """
    SELECT a.id, o.received_at, o.id, o.lead_id
    FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[], %s::timestamptz[], %s::uuid[]) AS a(id, listing_id, content_key, at, since)
    CROSS JOIN LATERAL (
        SELECT s.received_at, s.id, s.lead_id FROM leads_submission s
        WHERE s.listing_id = a.listing_id AND s.content_key = a.content_key AND s.received_at BETWEEN a.at - interval '24 hours' AND a.at + interval '24 hours'
            AND s.id >= a.since AND s.id <> a.id AND s.disposition NOT IN ('pending', 'redelivery', 'quarantined')
        ORDER BY s.received_at DESC LIMIT 1) AS o
"""


def keep_companies(leads: list[Reading]) -> None:
    """Make the companies not known yet; a known one keeps the name it has."""
    rows = {
        one.company: {
            "id": str(uuid7()),
            "key": one.company,
            "name": (one.act.person["company"] or one.company.partition(":")[2])[:255],
            "domain": one.company.removeprefix("domain:") if one.company.startswith("domain:") else "",
            "country": one.country,
        }
        for one in reversed(leads)
        if one.company and one.act
    }
    ids = insert_missing("leads_company", rows, "id uuid, key text, name text, domain text, country text")
    for one in leads:
        one.row["company_id"] = ids.get(one.company)


def keep_contacts(leads: list[Reading]) -> list[str]:
    """Make or complete the contacts: of what they said, the newest filled value counts. Returns the known ones that changed."""
    rows: dict[str, dict[str, Any]] = {}
    for one in leads:
        row = rows.setdefault(one.contact, {"id": str(uuid7()), "key": one.contact})
        complete(row, contact_fields(one))
    for row in rows.values():
        row["words"] = normal.search_words(row["first_name"], row["last_name"], row["email"], row["company_said"], phone=row["phone"])
    late = latecomers({one.contact: one.submission.received_at for one in leads})
    found = write_contacts(KEEP_CONTACTS, [row for key, row in rows.items() if key not in late])
    found += write_contacts(FILL_CONTACTS, [rows[key] for key in late])
    ids = {key: str(pk) for pk, key, _changed in found}
    for one in leads:
        one.row["contact_id"] = ids[one.contact]
    return [str(pk) for pk, _key, changed in found if changed]


RESTS_ON = {"seniority": "title", "country_said": "country"}


def complete(row: dict[str, Any], said: dict[str, Any]) -> None:
    """Of what a person said the newest filled value counts; a value that rests on another comes with that one."""
    for name, value in said.items():
        base = RESTS_ON.get(name, name)
        if said[base] or name not in row or (value and not row[base]):
            row[name] = value


def write_contacts(statement: str, rows: list[dict[str, Any]]) -> list[tuple[UUID, str, bool]]:
    """(id, key, whether a known one changed) of each. Takes contacts in key order."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(sorted(rows, key=lambda row: row["key"]))])
        return list(cursor)


def latecomers(acts: dict[str, datetime]) -> list[str]:
    """The contacts who said something newer than these acts, which are older than a day: such an act, repaired or run again, only fills gaps."""
    old = {key: at for key, at in acts.items() if timezone.now() - at > timedelta(days=1)}
    if not old:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LATECOMERS, [list(old), list(old.values())])
        return sorted(key for (key,) in cursor)


LATECOMERS = """
    SELECT a.key FROM unnest(%s::text[], %s::timestamptz[]) AS a(key, at) JOIN leads_contact c ON c.key = a.key
    WHERE EXISTS (SELECT 1 FROM leads_lead l WHERE l.contact_id = c.id AND l.last_interaction_at > a.at)
"""


def contact_fields(one: Reading) -> dict[str, Any]:
    said = one.act.person if one.act else {}
    return {
        "first_name": said["firstname"][:150],
        "last_name": said["lastname"][:150],
        "email": one.email,
        "phone": one.phone,
        "country": one.country,
        "country_said": said["country"][:100],
        "title": said["title"][:200],
        "company_id": one.row["company_id"],
        "company_said": said["company"][:255],
        "email_kind": normal.email_kind(one.email),
        "seniority": normal.seniority(said["title"]),
    }


SAID = ("first_name", "last_name", "phone", "country", "title", "company_said")


def contacts(wins: str, other: str) -> str:
    """The statement that makes contacts, or merges them with what is known: where both say something, `wins` counts of EXCLUDED and c."""
    said = ", ".join(f"{name} = COALESCE(NULLIF({wins}.{name}, ''), {other}.{name})" for name in SAID)
    was, is_now = (", ".join(f"{row}.{name}" for name in (*SAID, "country_said", "company_id")) for row in ("old", "new"))
    return f"""
        INSERT INTO leads_contact AS c (id, key, first_name, last_name, email, phone, country, country_said, title, company_id, company_said,
                                        email_kind, seniority, words, created_at)
        SELECT id, key, first_name, last_name, email, phone, country, country_said, title, company_id, company_said, email_kind, seniority, words, now()
        FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, key text, first_name text, last_name text, email text, phone text, country text,
             country_said text, title text, company_id uuid, company_said text, email_kind text, seniority int, words text[])
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET {said},
            country_said = CASE WHEN {wins}.country <> '' THEN {wins}.country_said WHEN {other}.country <> '' THEN {other}.country_said
                ELSE COALESCE(NULLIF({wins}.country_said, ''), {other}.country_said) END,
            seniority = CASE WHEN {wins}.title = '' THEN {other}.seniority ELSE {wins}.seniority END,
            company_id = COALESCE({wins}.company_id, {other}.company_id), words = ARRAY(SELECT DISTINCT w FROM unnest(c.words || EXCLUDED.words) AS w ORDER BY w)
        RETURNING id, key, old.id IS NOT NULL AND ({was}) IS DISTINCT FROM ({is_now})
    """


KEEP_CONTACTS, FILL_CONTACTS = contacts(wins="EXCLUDED", other="c"), contacts(wins="c", other="EXCLUDED")


def insert_missing(table: str, rows: dict[str, dict[str, Any]], columns: str) -> dict[str, str]:
    """Insert rows by unique `key` in key order, leave existing ones alone, and return key -> id of all of them."""
    if not rows:
        return {}
    names = ", ".join(part.split()[0] for part in columns.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS r({columns}) ORDER BY key ON CONFLICT (key) DO NOTHING",
            [json.dumps(sorted(rows.values(), key=lambda row: row["key"]))],
        )
        cursor.execute(f"SELECT key, id FROM {table} WHERE key = ANY(%s)", [sorted(rows)])
        return {key: str(pk) for key, pk in cursor}


def neighbours(readings: list[Reading]) -> str:
    """Whose note "asked a neighbour" may stand on a lead of theirs: contact keys and listings, as JSON."""
    asked = [one for one in readings if one.disposition == Disposition.DO_NOT_CONTACT and one.contact]
    return json.dumps([{"contact": one.contact, "listing_id": one.submission.listing_id} for one in asked])


def keep_leads(leads: list[Reading], asked: str, changed: list[str]) -> list[dict[str, Any]]:
    """One lead per contact and listing: find and lock the existing ones, in id order, after their contacts; return the new ones as rows.

    The leads that will get a neighbour's note (`asked`) are locked in the same go, since two goes would be two orders; so are all leads of the `changed`
    contacts, who are to be followed again.

    Those are inserted after their interactions, with the summary of these, because a second version of each row would cost every index of the table.
    The foreign key waits for the commit, and only one session drains.
    """
    first: dict[tuple[str, int], Submission] = {}
    for one in leads:
        first.setdefault((one.row["contact_id"], one.submission.listing_id), one.submission)
    rows: list[dict[str, Any]] = [
        {"id": str(uuid7()), "contact_id": contact, "listing_id": listing, "received_at": act.received_at.isoformat(), "is_brought": act.is_brought}
        for (contact, listing), act in sorted(first.items(), key=lambda pair: pair[0])
    ]
    with connection.cursor() as cursor:
        cursor.execute(LOCK_LEADS, [json.dumps(rows), asked, changed])
        ids = {(str(contact), listing): str(pk) for pk, contact, listing in cursor}
        if changed:
            cursor.execute("UPDATE leads_lead SET stale_since = now() WHERE contact_id = ANY(%s::uuid[]) AND stale_since IS NULL", [changed])
    fresh = {(row["contact_id"], row["listing_id"]): row for row in rows if (row["contact_id"], row["listing_id"]) not in ids}
    for one in leads:
        key = (one.row["contact_id"], one.submission.listing_id)
        one.row["new"] = key not in ids
        one.lead = ids.setdefault(key, fresh[key]["id"] if key in fresh else "")
    return list(fresh.values())


LOCK_LEADS = """
    SELECT l.id, l.contact_id, l.listing_id FROM (
        SELECT contact_id, listing_id FROM jsonb_to_recordset(%s::jsonb) AS r(contact_id uuid, listing_id bigint)
        UNION SELECT c.id, r.listing_id FROM jsonb_to_recordset(%s::jsonb) AS r(contact text, listing_id bigint) JOIN leads_contact c ON c.key = r.contact
        UNION SELECT contact_id, listing_id FROM leads_lead WHERE contact_id = ANY(%s::uuid[])
    ) AS wanted JOIN leads_lead l USING (contact_id, listing_id) ORDER BY l.id FOR NO KEY UPDATE OF l
"""
SUMMARY = """
    SELECT lead_id, count(*) AS count, count(DISTINCT (received_at AT TIME ZONE 'UTC')::date) AS days, max(received_at) AS last_at,
           (array_agg(action ORDER BY received_at DESC, id DESC))[1] AS last_action, array_agg(DISTINCT action) AS actions,
           max(received_at) FILTER (WHERE action = 'PLT') AS asked_at, max(length(description)) AS said
    FROM leads_interaction WHERE lead_id = ANY(%s::uuid[]) GROUP BY lead_id
"""
KEEP_LEADS = f"""
    INSERT INTO leads_lead (id, contact_id, listing_id, is_brought, status, received_at, last_activity_at, interaction_count, active_days, last_interaction_at,
        last_action, actions, asked_contact_at, said_length, cluster, score_points, owner_reason, revision, follow_error, stale_since)
    SELECT r.id, contact_id, listing_id, is_brought, 'new', received_at, s.last_at, s.count, s.days, s.last_at, s.last_action, s.actions, s.asked_at, s.said,
        '', '{{}}', '{{}}', 0, '', now()
    FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, contact_id uuid, listing_id bigint, is_brought bool, received_at timestamptz)
    JOIN ({SUMMARY}) s ON s.lead_id = r.id ORDER BY contact_id, listing_id
"""


def keep_interactions(leads: list[Reading], fresh: list[dict[str, Any]]) -> None:
    """Every act on its lead, its line on the timeline, the `fresh` leads, and each lead's own summary of its acts, which makes it stale."""
    acts = [
        {
            "id": one.id, "lead_id": one.lead, "at": one.submission.received_at.isoformat(), "source": one.act.source,
            "action": one.act.action, "lead_source": one.act.lead_source, "offer": one.act.offer, "offer_title": one.act.offer_title,
            "description": one.act.description, "extra": one.act.extra, "activity": str(uuid7()),
            "data": {"source": one.act.source, "action": one.act.action, "said": one.act.description[:300], "new": one.row["new"]},
        }
        for one in leads
        if one.act
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(KEEP_INTERACTIONS, [json.dumps(acts)])
        new = [row["id"] for row in fresh]
        known = {one.lead for one in leads if one.lead}.difference(new)
        if fresh:
            cursor.execute(KEEP_LEADS, [json.dumps(fresh), array(new)])
        if known:
            cursor.execute(SUMMARISE, [array(sorted(known)), CAME_BACK])


KEEP_INTERACTIONS = """
    WITH act AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, lead_id uuid, at timestamptz, source text, action text, lead_source text,
            offer text, offer_title text, description text, extra jsonb, activity uuid, data jsonb)
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data) SELECT activity, lead_id, at, 'acted', data FROM act ORDER BY activity
    )
    INSERT INTO leads_interaction (id, lead_id, received_at, source, action, lead_source, offer, offer_title, description, extra, deliveries)
    SELECT id, lead_id, at, source, action, lead_source, offer, offer_title, description, extra, 1 FROM act ORDER BY id
"""
# A lost or disqualified buyer who acts after that is new again; "ever reached" figures stay as they were, and so does the first response. Their owner
# is told by a task, and whomever nobody ever answered is owed an answer from now on.
CAME_BACK = gettext_noop("They came back: answer them")
ACTS_AGAIN = "l.status IN ('lost', 'disqualified') AND s.last_at > coalesce(l.closed_at, '-infinity')"
SUMMARISE = f"""
    WITH summed AS (
        UPDATE leads_lead AS l SET
            interaction_count = s.count, active_days = s.days, last_interaction_at = s.last_at, last_action = s.last_action, actions = s.actions,
            asked_contact_at = s.asked_at, said_length = s.said, last_activity_at = greatest(l.last_activity_at, s.last_at),
            status = CASE WHEN {ACTS_AGAIN} THEN 'new' ELSE l.status END, closed_at = CASE WHEN {ACTS_AGAIN} THEN NULL ELSE l.closed_at END,
            respond_by = CASE WHEN {ACTS_AGAIN} AND l.first_response_at IS NULL THEN (
                SELECT now() + f.respond_within_hours * interval '1 hour' FROM listings_listing g JOIN listings_storefront f ON f.id = g.storefront_id
                WHERE g.id = l.listing_id AND l.owner_id IS NOT NULL) ELSE l.respond_by END,
            stale_since = now()
        FROM ({SUMMARY}) AS s WHERE l.id = s.lead_id
        RETURNING l.id, l.owner_id, old.status AS was, new.status AS status
    ), todo AS (
        INSERT INTO leads_task (id, lead_id, title, due_at) SELECT {NEW_ID}, id, %s, now() + interval '1 hour' FROM summed
        WHERE was <> status AND owner_id IS NOT NULL RETURNING lead_id, title
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data)
        SELECT {NEW_ID}, lead_id, clock_timestamp(), 'task_made', jsonb_build_object('stage', title) FROM todo
    )
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {NEW_ID}, id, clock_timestamp(), 'status', jsonb_build_object('was', was, 'status', status) FROM summed WHERE was <> status
"""


def keep_demand(readings: list[Reading]) -> None:
    """Demand without a lead: one row each, counted by insights. A neighbour's buyer who had a lead here already shows it as a note, and nothing else."""
    demand = [one for one in readings if one.disposition in (Disposition.ANONYMOUS, Disposition.DO_NOT_CONTACT)]
    rows = [
        {
            "id": one.id, "listing_id": one.submission.listing_id, "action": one.act.action if one.act else "",
            "kind": "anonymous" if one.disposition == Disposition.ANONYMOUS else "asked_neighbour", "contact": one.contact,
            "at": one.submission.received_at.isoformat(), "activity": str(uuid7()),
        }
        for one in demand
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(KEEP_DEMAND, [json.dumps(rows)])
            cursor.execute(NOTE_NEIGHBOUR, [json.dumps([row for row in rows if row["kind"] == "asked_neighbour" and row["contact"]])])


KEEP_DEMAND = """
    INSERT INTO leads_demand (id, listing_id, kind, received_at, action, counted)
    SELECT id, listing_id, kind, at, action, false FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, listing_id bigint, kind text, at timestamptz, action text)
"""
NOTE_NEIGHBOUR = """
    WITH note AS MATERIALIZED (
        SELECT l.id AS lead_id, r.at, r.activity FROM jsonb_to_recordset(%s::jsonb) AS r(listing_id bigint, contact text, at timestamptz, activity uuid)
        JOIN leads_contact c ON c.key = r.contact JOIN leads_lead l ON l.contact_id = c.id AND l.listing_id = r.listing_id
        WHERE l.received_at <= r.at ORDER BY l.id FOR NO KEY UPDATE OF l
    ), told AS (
        INSERT INTO leads_activity (id, lead_id, at, kind, data) SELECT activity, lead_id, at, 'asked_neighbour', '{}' FROM note
    )
    UPDATE leads_lead l SET asked_neighbour_at = note.at FROM note WHERE l.id = note.lead_id
"""


def keep_codes(readings: list[Reading]) -> None:
    """List the action codes that nobody knew yet, for the admin to name."""
    codes = sorted({one.act.action for one in readings if one.act and one.act.action and not one.act.is_test} - KNOWN_CODES)
    with connection.cursor() as cursor:
        if codes:
            cursor.execute(
                "INSERT INTO leads_actioncode (code, known, first_seen_at) SELECT unnest(%s::text[]), false, now() ON CONFLICT DO NOTHING", [codes]
            )


def finish(readings: list[Reading]) -> None:
    """Write each submission's disposition, reason and lead, and count redeliveries on the interaction they repeat."""
    rows = []
    for one in readings:
        first: Original | None = one.row.get("first")
        if first:
            one.lead = first.became
        rows.append(
            {
                "id": one.id, "disposition": one.disposition, "reason": one.reason[:2000], "lead_id": one.lead,
                "key": one.act.content_key.hex() if one.act else None, "first": first.id if first else None,
            }
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [json.dumps(rows)])
        cursor.execute(COUNT_REDELIVERIES, [[row["first"] for row in rows if row["first"]]])


FINISH = """
    UPDATE leads_submission s SET disposition = r.disposition, reason = r.reason, lead_id = r.lead_id, content_key = decode(r.key, 'hex')
    FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, disposition text, reason text, lead_id uuid, key text) WHERE s.id = r.id
"""
COUNT_REDELIVERIES = """
    UPDATE leads_interaction i SET deliveries = i.deliveries + n.count
    FROM (SELECT id, count(*) AS count FROM unnest(%s::uuid[]) AS id GROUP BY id) AS n WHERE i.id = n.id
"""
