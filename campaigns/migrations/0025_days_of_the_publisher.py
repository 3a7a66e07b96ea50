"""A day that nobody chose is the publisher's, no longer that of UTC. No column changes."""

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

from listings.models import today

SENSIBLE_DAYS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 12, 31))]


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0024_every_day")]

    operations = [
        migrations.AlterField("cost", "day", models.DateField(default=today, validators=SENSIBLE_DAYS, verbose_name="day")),
        migrations.AlterField("demandactivity", "starts", models.DateField(default=today, validators=SENSIBLE_DAYS, verbose_name="first day")),
    ]
