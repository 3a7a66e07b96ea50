"""The steps of the response tallies are half an hour wide now: counted anew from the minutes."""

from django.db import migrations

STEPS = (5, 10, 15, 20, 30, 45, 60, *range(90, 1441, 30), 2160, 2880, 4320, 10080)


class Migration(migrations.Migration):
    dependencies = [("insights", "0004_covering")]

    operations = [
        migrations.RunSQL("DELETE FROM insights_responsestep", migrations.RunSQL.noop),
        migrations.RunSQL(
            f"""INSERT INTO insights_responsestep (day, listing_id, step, leads)
                SELECT day, listing_id, width_bucket(minutes, ARRAY[{", ".join(map(str, STEPS))}]), sum(leads) FROM insights_responsetally GROUP BY 1, 2, 3""",
            migrations.RunSQL.noop,
        ),
    ]
