"""Marks what imports have brought so far, and makes the indexes beside the writers: the lead URLs go on."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from leads.partitions import index_beside_writers

COLUMNS = "listing_id, disposition, is_brought, received_at DESC"


def mark(apps: Any, schema_editor: Any) -> None:
    """The submissions of each import, told by its range of ids and its content type, and the leads that began with them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, listing_id, first_id, last_id FROM leads_import WHERE first_id IS NOT NULL")
        for pk, listing, first, last in cursor.fetchall():
            cursor.execute(
                """WITH brought AS (
                       UPDATE leads_submission SET is_brought = true
                       WHERE id BETWEEN %s AND %s AND listing_id = %s AND content_type = %s RETURNING lead_id, received_at)
                   UPDATE leads_lead l SET is_brought = true FROM brought b WHERE b.lead_id = l.id AND b.received_at = l.received_at""",
                [first, last, listing, f"application/json; import={pk}"],
            )


def index(apps: Any, schema_editor: Any) -> None:
    index_beside_writers("leads_submission", "submission_came", COLUMNS)
    schema_editor.execute("DROP INDEX IF EXISTS submission_by_listing")


def back(apps: Any, schema_editor: Any) -> None:
    index_beside_writers("leads_submission", "submission_by_listing", "listing_id, disposition, received_at DESC")
    schema_editor.execute("DROP INDEX IF EXISTS submission_came")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("leads", "0010_brought")]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(index, back)],
            [
                migrations.RemoveIndex("submission", "submission_by_listing"),
                migrations.AddIndex(
                    "submission", models.Index(fields=["listing", "disposition", "is_brought", "-received_at"], name="submission_came")
                ),
            ],
        ),
        AddIndexConcurrently("lead", models.Index(condition=models.Q(is_brought=True), fields=["listing", "received_at"], name="lead_brought")),
    ]
