"""The action codes that Microsoft documents, and the first months of the archive."""

from typing import Any

from django.db import migrations

from leads.partitions import make_first_months


def add_codes(apps: Any, schema_editor: Any) -> None:
    code = apps.get_model("leads", "ActionCode")
    for known in ("INS", "PLT", "DNC", "Create", "StartTestDrive"):
        code.objects.get_or_create(code=known, defaults={"known": True})


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]
    operations = [migrations.RunPython(add_codes, migrations.RunPython.noop), make_first_months("leads_submission")]
