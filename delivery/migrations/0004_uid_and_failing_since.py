from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    """An id for the outside, and since when a destination fails."""

    dependencies = [
        ("delivery", "0003_losses"),
    ]

    operations = [
        migrations.AddField("destination", "failing_since", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("destination", "uid", models.UUIDField(editable=False, null=True)),
        migrations.RunSQL("UPDATE delivery_destination SET uid = uuidv7()", migrations.RunSQL.noop),
        migrations.AlterField("destination", "uid", models.UUIDField(default=accounts.ids.uuid7, editable=False, unique=True)),
    ]
