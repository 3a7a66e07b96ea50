"""The first months of the attempts' log."""

from django.db import migrations

from leads.partitions import make_first_months


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]
    operations = [make_first_months("delivery_deliveryattempt")]
