"""What people bring is told from what the lead URLs were sent. Two columns with a default: done in an instant, however much there is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leads", "0009_saved_views")]

    operations = [
        migrations.AddField("lead", "is_brought", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("submission", "is_brought", models.BooleanField(db_default=False, default=False)),
    ]
