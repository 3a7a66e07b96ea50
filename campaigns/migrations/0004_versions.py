"""Stages belong to versions: what every campaign has so far is its first one, published if the campaign ever was."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.ids


def first_versions(apps: Any, schema_editor: Any) -> None:
    """One version for each campaign, with its stages, each under a key of its own."""
    campaigns, versions, stages = (apps.get_model("campaigns", name) for name in ("Campaign", "Version", "Stage"))
    for campaign in campaigns.objects.all():
        version = versions.objects.create(
            campaign=campaign,
            number=1,
            made_at=campaign.created_at,
            changed_at=campaign.created_at,
            published_at=campaign.published_at,
            published_by_id=campaign.published_by_id,
        )
        for stage in stages.objects.filter(campaign=campaign):
            stages.objects.filter(pk=stage.pk).update(version=version, key=accounts.ids.uuid7())
        if campaign.published_at:
            campaigns.objects.filter(pk=campaign.pk).update(current=version)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0003_tries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("campaign", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="campaigns.campaign")),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"verbose_name": "version", "verbose_name_plural": "versions", "ordering": ["campaign", "number"]},
        ),
        migrations.AddConstraint("version", models.UniqueConstraint(fields=["campaign", "number"], name="one_version_per_number")),
        migrations.AddConstraint(
            "version", models.UniqueConstraint(condition=models.Q(published_at=None), fields=["campaign"], name="one_draft_per_campaign")
        ),
        migrations.AddField(
            "campaign",
            "current",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="campaigns.version"),
        ),
        migrations.AddField("campaign", "gathers", models.BooleanField(default=True)),
        migrations.AlterField("campaign", "gathers", models.BooleanField(default=False)),
        migrations.AddField("campaign", "swept_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("campaign", "exit", models.JSONField(blank=True, default=dict, verbose_name="exit")),
        migrations.AddField(
            "stage",
            "version",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="stages", to="campaigns.version"),
        ),
        migrations.AddField("stage", "key", models.UUIDField(editable=False, null=True)),
        migrations.RunPython(first_versions, migrations.RunPython.noop),
        # What the step above wrote is looked at before the table is changed.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", migrations.RunSQL.noop),
        migrations.RemoveConstraint("stage", "one_stage_per_position"),
        migrations.AlterModelOptions("stage", {"ordering": ["version", "position"], "verbose_name": "stage", "verbose_name_plural": "stages"}),
        migrations.RemoveField("stage", "campaign"),
        migrations.AlterField(
            "stage", "version", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="stages", to="campaigns.version")
        ),
        migrations.AlterField("stage", "key", models.UUIDField(default=accounts.ids.uuid7, editable=False)),
        migrations.AddField(
            "stage",
            "parent",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="children", to="campaigns.stage"),
        ),
        migrations.AddField("stage", "arm", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("stage", "options", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "stage",
            "then",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="campaigns.stage"),
        ),
        migrations.AlterField(
            "stage",
            "kind",
            models.CharField(
                choices=[
                    ("wait", "Wait"),
                    ("email", "E-mail"),
                    ("branch", "Branch"),
                    ("task", "Task"),
                    ("hand_over", "Hand over"),
                    ("set", "Set"),
                    ("goal", "Goal"),
                    ("exit", "Exit"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            "stage",
            models.UniqueConstraint(
                deferrable=models.Deferrable.DEFERRED,
                fields=["version", "parent", "arm", "position"],
                name="one_stage_per_place",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint("stage", models.UniqueConstraint(fields=["version", "key"], name="one_stage_per_key")),
        migrations.CreateModel(
            name="Passage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "from_stage",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="passages_from", to="campaigns.stage"),
                ),
                (
                    "to_stage",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="passages_to", to="campaigns.stage"),
                ),
            ],
            options={"verbose_name": "passage"},
        ),
        migrations.AddConstraint(
            "passage", models.UniqueConstraint(fields=["from_stage", "to_stage"], name="one_passage_per_pair", nulls_distinct=False)
        ),
        migrations.RunSQL(
            "INSERT INTO campaigns_passage (from_stage_id, to_stage_id, count)"
            " SELECT from_stage_id, to_stage_id, count(*) FROM campaigns_transition GROUP BY from_stage_id, to_stage_id",
            migrations.RunSQL.noop,
        ),
        migrations.AddField("message", "stage_key", models.UUIDField(null=True)),
        migrations.RunSQL(
            "UPDATE campaigns_message m SET stage_key = s.key FROM campaigns_stage s WHERE s.id = m.stage_id; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("message", "stage_key", models.UUIDField()),
        migrations.RemoveConstraint("message", "one_message_per_enrollment_and_stage"),
        migrations.AddConstraint("message", models.UniqueConstraint(fields=["enrollment", "stage_key"], name="one_message_per_enrollment_and_stage")),
    ]
