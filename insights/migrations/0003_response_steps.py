import django.db.models.deletion
from django.db import migrations, models

STEPS = "{5,10,15,20,30,45,60,90,120,180,240,300,360,420,480,600,720,900,1080,1260,1440,2160,2880,4320,10080}"


class Migration(migrations.Migration):
    """Response counts by coarse steps, filled from those by minute."""

    dependencies = [
        ("insights", "0002_plural_names"),
        ("listings", "0002_storefront_playbooks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ResponseStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("step", models.SmallIntegerField()),
                ("leads", models.IntegerField(default=0)),
                ("listing", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="listings.listing")),
            ],
            options={
                "verbose_name": "response step",
                "verbose_name_plural": "response steps",
                "constraints": [models.UniqueConstraint(fields=("day", "listing", "step"), name="one_response_step")],
            },
        ),
        migrations.RunSQL(
            f"""INSERT INTO insights_responsestep (day, listing_id, step, leads)
                SELECT day, listing_id, width_bucket(minutes, '{STEPS}'::int[]), sum(leads) FROM insights_responsetally GROUP BY 1, 2, 3""",
            migrations.RunSQL.noop,
        ),
    ]
