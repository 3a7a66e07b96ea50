from typing import Any

from django.db import migrations

from accounts.crypto import seal_anew


def bind(apps: Any, schema_editor: Any) -> None:
    """Each sealed secret says from now on whose it is."""
    for one in apps.get_model("delivery", "Destination").objects.exclude(sealed_secret=None):
        one.sealed_secret = seal_anew(one.sealed_secret, f"destination {one.uid}")
        one.save(update_fields=["sealed_secret"])


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_uid_and_failing_since"),
    ]

    operations = [
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
