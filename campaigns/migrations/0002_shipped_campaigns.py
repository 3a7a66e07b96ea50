"""The shipped campaigns, one for each storefront's playbook, as drafts: they enroll and hold until a person publishes them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import migrations

from leads.partitions import make_first_months

SHIPPED = Path(__file__).resolve().parent.parent / "shipped"
# Ready for sales: they came back, and mean it. (Act now and "contact me" get an owner without waiting for nurture.) Demand: a seller made it an opportunity.
GOALS = {
    "appsource-nurture": {"all": [{"field": "interactions", "op": "at_least", "value": 2}, {"field": "intent", "op": "at_least", "value": 25}]},
    "azure-demand": {"field": "status", "op": "in", "value": ["opportunity", "won"]},
}
PLACES = (("appsource-nurture", "nurture", "appsource"), ("azure-demand", "demand", "azure-marketplace"))


def add_campaigns(apps: Any, schema_editor: Any) -> None:
    campaigns, storefronts = apps.get_model("campaigns", "Campaign"), apps.get_model("listings", "Storefront")
    for slug, kind, storefront in PLACES:
        shipped = json.loads((SHIPPED / f"{slug}.json").read_text("utf-8"))
        campaign = campaigns.objects.create(
            slug=slug, name=shipped["name"], kind=kind, storefront=storefronts.objects.get(slug=storefront), goal=GOALS[slug]
        )
        for position, stage in enumerate(shipped["stages"]):
            add_stage(apps, campaign, position, stage)


def add_stage(apps: Any, campaign: Any, position: int, stage: dict[str, Any]) -> None:
    made = apps.get_model("campaigns", "Stage").objects.create(
        campaign=campaign, position=position, kind=stage["kind"], name=stage["name"], holds_for=timedelta(hours=stage["holds_for_hours"])
    )
    text = apps.get_model("campaigns", "StageText")
    text.objects.bulk_create(
        text(stage=made, language=language, subject=said["subject"], body=said["body"]) for language, said in stage.get("texts", {}).items()
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("listings", "0002_storefront_playbooks")]
    operations = [migrations.RunPython(add_campaigns, migrations.RunPython.noop), make_first_months("campaigns_transition")]
