"""Back office of scoring: versions are immutable once published, so they are only read here."""

from django.contrib import admin

from accounts.admin import ReadOnly
from scoring.models import ScoreRule, ScoreVersion


@admin.register(ScoreVersion)
class ScoreVersionAdmin(ReadOnly):
    list_display = ("number", "published_at", "fit_cap", "intent_cap", "fit_high", "intent_high")


@admin.register(ScoreRule)
class ScoreRuleAdmin(ReadOnly):
    list_display = ("name", "version", "position", "part", "points", "half_life_days")
    list_select_related = ("version",)
    list_filter = ("version", "part")
