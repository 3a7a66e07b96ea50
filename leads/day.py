"""A seller's day: who waits for an answer and what is to be done, by when, in one queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import User
from leads import keyset
from leads.lists import tonight
from leads.models import Interaction, Lead, LeadQuerySet, Task

MOST = 25


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: answer a lead, or a task about one."""

    due_at: datetime
    lead: Lead
    task: Task | None = None
    words: str = ""
    action: str = ""

    @property
    def is_late(self) -> bool:
        return self.due_at < timezone.now()


@dataclass(frozen=True, slots=True)
class Day:
    items: Sequence[Item]
    overdue: int
    due_today: int
    tasks: int
    open: keyset.Count

    @property
    def first(self) -> Item | None:
        return self.items[0] if self.items else None

    @property
    def rest(self) -> Sequence[Item]:
        return self.items[1:]


def day_of(user: User) -> Day:
    """What waits for this user now, the latest first: their leads with a running clock, and the tasks due by tonight."""
    now, evening = timezone.now(), tonight()
    mine = Lead.objects.visible_to(user).filter(owner=user)
    waiting = mine.open().filter(first_response_at=None, respond_by__isnull=False)
    late, today = Q(respond_by__lt=now), Q(respond_by__gte=now, respond_by__lt=evening)
    answers = waiting.aggregate(overdue=Count("pk", filter=late), due_today=Count("pk", filter=today))
    tasks = Task.objects.filter(lead__owner=user, lead__in=mine, done_at=None, due_at__lt=evening)
    todo = sorted([*to_answer(waiting), *to_do(tasks)], key=lambda item: item.due_at)
    return Day(todo[:MOST], **answers, tasks=tasks.count(), open=keyset.count(mine.open()))


def to_answer(waiting: LeadQuerySet) -> list[Item]:
    leads = with_words(waiting).order_by("respond_by", "pk")[:MOST]
    return [Item(lead.respond_by, lead, words=lead.said or "", action=lead.last_action) for lead in leads if lead.respond_by]


def with_words(leads: LeadQuerySet) -> Any:
    """Leads with what their buyers wrote last."""
    acts = Interaction.objects.filter(lead=OuterRef("pk")).order_by("-received_at")
    return leads.for_list().annotate(said=Subquery(acts.exclude(description="").values("description")[:1]))


def to_do(tasks: QuerySet[Task]) -> list[Item]:
    found = tasks.order_by("due_at").prefetch_related(Prefetch("lead", with_words(Lead.objects.all())))[:MOST]
    return [Item(task.due_at, task.lead, task, getattr(task.lead, "said", None) or "", task.lead.last_action) for task in found]
