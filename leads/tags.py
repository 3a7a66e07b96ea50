"""Tags: words that people and campaigns put on leads, to find them again and to ask for in conditions."""

from typing import Any

from django.db import transaction
from django.db.models import Func, QuerySet, Value
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from leads.models import Activity, Lead

LONGEST, MOST = 40, 30


def written(tag: str) -> str:
    """A tag as it is kept: without outer or doubled spaces and commas, in small letters, so that one word is one tag."""
    return " ".join(tag.replace(",", " ").split()).lower()[:LONGEST].strip()


def add_tag(leads: QuerySet[Lead], tag: str, by: User | None, **because: str) -> int:
    """Put a tag on those of these leads that have room for it and lack it, with a line on the timeline; returns how many. Locks the rows in id order."""
    room = leads.exclude(tags__contains=[tag]).exclude(tags__len__gte=MOST)
    return changed(room, Func("tags", Value(tag), function="array_append"), "tagged", by, {"tag": tag} | because)


def remove_tag(leads: QuerySet[Lead], tag: str, by: User | None, **because: str) -> int:
    """Take a tag off those of these leads that have it; returns how many. Locks the rows in id order."""
    return changed(leads.filter(tags__contains=[tag]), Func("tags", Value(tag), function="array_remove"), "untagged", by, {"tag": tag} | because)


def changed(leads: QuerySet[Lead], tags: Func, kind: str, by: User | None, data: dict[str, Any]) -> int:
    now = timezone.now()
    with transaction.atomic():
        keys = list(leads.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
        Lead.objects.among(keys).update(tags=tags, stale_since=Now(), last_activity_at=now)
        Activity.objects.bulk_create((Activity(lead_id=key, kind=kind, actor=by, at=now, data=data) for key in keys), batch_size=1_000)
    return len(keys)
