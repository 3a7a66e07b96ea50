"""Rows on their way into the database by COPY, table by table, and UUIDv7 ids dated at the row's own time."""

import io
from datetime import UTC, datetime
from random import Random
from typing import Any

TABLES = {
    "leads_company": "id key name domain country",
    "leads_contact": "id key first_name last_name email phone country country_said title company_id company_said email_kind seniority words created_at",
    "leads_lead": "id contact_id listing_id status received_at last_activity_at interaction_count active_days last_interaction_at last_action actions "
    "asked_contact_at said_length asked_neighbour_at score cluster score_points owner_id owner_reason assigned_at respond_by first_response_at "
    "goal_reached_at qualified_at opportunity_at won_at closed_at revision follow_error value",
    "leads_submission": "id received_at listing_id content_type size sha256 body disposition reason attempts content_key lead_id",
    "leads_interaction": "id lead_id received_at source action lead_source offer offer_title description extra deliveries",
    "leads_activity": "id lead_id at kind actor_id data",
    "leads_task": "id lead_id title due_at made_by_id done_at",
    "leads_demand": "id listing_id kind received_at action counted",
    "routing_assignment": "id lead_id owner_id reason made_by_id made_at ended_at",
    "campaigns_enrollment": "id campaign_id lead_id stage_id status reason entered_at stage_since due_at ended_at",
    "campaigns_transition": "id enrollment_id from_stage_id to_stage_id at",
    "campaigns_message": "id enrollment_id stage_id stage_key state reason due_at claimed_at sent_at language subject",
    "delivery_delivery": "id lead_id destination_id revision delivered_revision state due_at owed_since fence attempts delivered_at last_error",
    "delivery_deliveryattempt": "id delivery_id revision at outcome status took_ms answer",
}
Value = str | int | None


def at(moment: float | None) -> str | None:
    """A moment, in seconds since 1970, as PostgreSQL reads it."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(" ", "milliseconds")


def plain(text: str) -> str:
    """Text as COPY wants it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def bytea(raw: bytes) -> str:
    return "\\\\x" + raw.hex()


def array(values: list[str]) -> str:
    """A text array; every element quoted."""
    return "{" + ",".join('"' + plain(plain(value).replace('"', '\\"')) + '"' for value in values) + "}"


class Rows:
    """The rows of one chunk. `add` takes values that are already fit for COPY."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: dict[str, list[str]] = {table: [] for table in TABLES}

    def id(self, moment: float) -> str:
        """A UUIDv7 of that moment, as 32 hexadecimal digits."""
        chance = self.random.getrandbits(74)
        return f"{int(moment * 1000):012x}7{chance >> 62:03x}{0x8000 | (chance >> 48 & 0x3FFF):04x}{chance & 0xFFFFFFFFFFFF:012x}"

    def add(self, table: str, *values: Value) -> None:
        self.lines[table].append("\t".join(["\\N" if value is None else value if value.__class__ is str else str(value) for value in values]))  # type: ignore[misc]

    def write(self, cursor: Any) -> dict[str, int]:
        """COPY everything into its tables, parents first; returns how many rows each got."""
        for table, lines in self.lines.items():
            if lines:
                columns = ", ".join(TABLES[table].split())
                cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("\n".join(lines) + "\n"))
        return {table: len(lines) for table, lines in self.lines.items() if lines}
