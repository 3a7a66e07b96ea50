"""The action codes that Microsoft documents."""

from typing import Any

from django.db import migrations


def add_codes(apps: Any, schema_editor: Any) -> None:
    code = apps.get_model("leads", "ActionCode")
    for known in ("INS", "PLT", "DNC", "Create", "StartTestDrive"):
        code.objects.get_or_create(code=known, defaults={"known": True})


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]
    operations = [migrations.RunPython(add_codes, migrations.RunPython.noop)]
