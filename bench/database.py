"""What the measurements do to the database besides measuring."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

FIXED = (
    "scoring_scoreversion",
    "scoring_scorerule",
    "campaigns_sender",
    "campaigns_strategy",
    "campaigns_campaign",
    "campaigns_version",
    "campaigns_stage",
    "campaigns_stagetext",
    "delivery_destination",
    "delivery_destination_listings",
    "routing_seller",
    "leads_actioncode",
)
GROWING = """
    SELECT string_agg(relname, ', ') FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    AND relname ~ '^(leads|scoring|routing|campaigns|delivery|insights)_' AND relname <> ALL (%s)
"""


def run(statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> int:
    """Run one statement; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def rows(statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def value(statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> Any:
    return rows(statement, parameters)[0][0]


def empty() -> None:
    """Empty every table that leads fill."""
    run(f"TRUNCATE {value(GROWING, [list(FIXED)])} CASCADE")


def settle(*tables: str) -> None:
    """Vacuum and analyse, so that what one measurement left doesn't slow down the next."""
    for table in tables:
        run(f"VACUUM (ANALYZE) {table}")
    run("SELECT pg_stat_force_next_flush()")


def keep(*tables: str) -> None:
    """Copy these tables, plain and without indexes, to `kept_...`."""
    for table in tables:
        run(f"DROP TABLE IF EXISTS kept_{table}")
        run(f"CREATE UNLOGGED TABLE kept_{table} AS TABLE {table}")
        run(f"ANALYZE kept_{table}")


def drop_kept(*tables: str) -> None:
    for table in tables:
        run(f"DROP TABLE IF EXISTS kept_{table}")
