"""The shipped rule for a company says what it asks: a company may be known by the address alone, unnamed."""

from typing import Any

from django.db import migrations


def rename(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("scoring", "ScoreRule").objects.filter(name="Company named", version__number=1).update(name="Company known")


class Migration(migrations.Migration):
    dependencies = [("scoring", "0002_first_version")]
    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
