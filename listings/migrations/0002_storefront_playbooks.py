"""The two storefronts and their playbooks, as Microsoft's page "Enable lead sharing" lays them out. Admins may edit them afterwards."""

from typing import Any

from django.db import migrations

PLAYBOOKS = (
    {
        "slug": "appsource",
        "name": "AppSource",
        "audience": "business",
        "campaign_kind": "nurture",
        "listing_kinds": ["app", "consulting_service"],
        "follow_up_systems": ["crm", "field_seller_crm"],
        "owner_when": "ready",
        "respond_within_hours": 24,
    },
    {
        "slug": "azure-marketplace",
        "name": "Azure Marketplace",
        "audience": "all",
        "campaign_kind": "demand",
        "listing_kinds": ["offer", "technology"],
        "follow_up_systems": ["azure_marketplace", "field_seller_crm"],
        "owner_when": "at_once",
        "respond_within_hours": 24,
    },
)


def add_storefronts(apps: Any, schema_editor: Any) -> None:
    storefront = apps.get_model("listings", "Storefront")
    for playbook in PLAYBOOKS:
        storefront.objects.get_or_create(slug=playbook["slug"], defaults=playbook)


class Migration(migrations.Migration):
    dependencies = [("listings", "0001_initial")]
    operations = [migrations.RunPython(add_storefronts, migrations.RunPython.noop)]
