from typing import Any

from django.db import migrations

from accounts.crypto import seal_anew


def bind(apps: Any, schema_editor: Any) -> None:
    """Each sealed lead URL says from now on whose it is."""
    for one in apps.get_model("listings", "LeadUrl").objects.all():
        one.sealed = seal_anew(one.sealed, f"lead url {bytes(one.digest).hex()}")
        one.save(update_fields=["sealed"])


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0002_storefront_playbooks"),
    ]

    operations = [
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
