"""Tables that only grow are range-partitioned by month on their UUIDv7 key and dropped by the month (facts of each model: its docstring).

A default partition catches what no month was made for; health says so when it is not empty. Months are attached, not created in place: ATTACH
takes SHARE UPDATE EXCLUSIVE on the parent, CREATE ... PARTITION OF would take ACCESS EXCLUSIVE and stop the lead endpoint.
"""

from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, migrations, transaction

from accounts.ids import first_id

PARTITIONED = ("leads_submission", "campaigns_transition", "delivery_deliveryattempt")
MONTHS_AHEAD = 3


class CreatePartitionedModel(migrations.CreateModel):
    """CreateModel whose table is PARTITION BY RANGE ("id"), with its default partition."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        template = schema_editor.sql_create_table
        schema_editor.sql_create_table = template + ' PARTITION BY RANGE ("id")'
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = template
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')


def start_of(day: date) -> str:
    """The smallest id of the first moment of a day (UTC)."""
    return str(first_id(datetime(day.year, day.month, day.day, tzinfo=UTC)))


def month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def months_from(start: date, count: int) -> list[date]:
    """`count` firsts of months, the month of `start` first."""
    months = [start.replace(day=1)]
    while len(months) < count:
        months.append(month_after(months[-1]))
    return months


def make_month(table: str, month: date) -> bool:
    """Attach one month to a partitioned table unless it is there. Returns whether it was made; raises OperationalError after 2 s of waiting for locks.

    Rows of that month which the default partition caught move over first: while it holds one, the month can't be attached.
    """
    name, bounds = f"{table}_{month:%Y_%m}", [start_of(month), start_of(month_after(month))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return False
        cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)')
        cursor.execute(f'LOCK TABLE "{table}_default" IN ACCESS EXCLUSIVE MODE')
        cursor.execute(
            f'WITH moved AS (DELETE FROM "{table}_default" WHERE id >= %s AND id < %s RETURNING *) INSERT INTO "{name}" SELECT * FROM moved', bounds
        )
        cursor.execute(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES FROM (%s) TO (%s)', bounds)
    return True


def make_first_months(table: str) -> migrations.RunPython:
    """The migration step that gives a new table this month and the next ones, so that its first row does not land in the default partition."""

    def make(apps: Any, schema_editor: Any) -> None:
        for month in months_from(datetime.now(UTC).date(), 1 + MONTHS_AHEAD):
            make_month(table, month)

    return migrations.RunPython(make, migrations.RunPython.noop)


def index_beside_writers(table: str, name: str, columns: str) -> None:
    """An index of a partitioned table, built month by month while rows go on coming in. Runs outside a transaction; safe to run again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1", [table])
        months = [row[0] for row in cursor.fetchall()]
        for month in months:
            cursor.execute(INVALID, [f"{month}_{name}"])
            if cursor.fetchone():  # a build that failed leaves one that nothing uses, and that would count as there
                cursor.execute(f'DROP INDEX CONCURRENTLY "{month}_{name}"')
            cursor.execute(f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{month}_{name}" ON "{month}" ({columns})')
        cursor.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON ONLY "{table}" ({columns})')
        for month in months:
            cursor.execute(f'ALTER INDEX "{name}" ATTACH PARTITION "{month}_{name}"')


INVALID = "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = %s AND NOT i.indisvalid"


def keep_months_ahead() -> int:
    """Make this month's partition and the next ones of every partitioned table; returns how many were made. Safe to run twice."""
    months = months_from(datetime.now(UTC).date(), 1 + MONTHS_AHEAD)
    return sum(make_month(table, month) for table in PARTITIONED for month in months)


def months_are_missing() -> bool:
    """Whether a month of now or soon has no partition yet; one look at the catalogue."""
    wanted = [f"{table}_{month:%Y_%m}" for table in PARTITIONED for month in months_from(datetime.now(UTC).date(), 1 + MONTHS_AHEAD)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL)", [wanted])
        return bool(cursor.fetchone()[0])


def drop_months(before: date) -> list[str]:
    """Drop every month of the partitioned tables that ended before a day, with all that is in it; returns their names. Waits 2 s for locks, then raises."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[]) ORDER BY 1", [list(PARTITIONED)])
        over = [name for (name,) in cursor if (month := month_of(name)) and month_after(month) <= before]
        for name in over:
            cursor.execute(f'DROP TABLE "{name}"')
    return over


def month_of(partition: str) -> date | None:
    """The month in the name of a partition; none for the default one."""
    year, month = partition.split("_")[-2:]
    return date(int(year), int(month), 1) if year.isdecimal() and month.isdecimal() else None


def rows_in_default() -> dict[str, bool]:
    """Which default partitions hold rows: a month was missing when they came."""
    with connection.cursor() as cursor:
        found = {}
        for table in PARTITIONED:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}_default")')
            found[table] = bool(cursor.fetchone()[0])
    return found
