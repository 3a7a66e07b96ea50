"""Saved views: filters of the list of leads under a name, a person's own or shared by the office."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import User
from accounts.roles import OFFICE

LONGEST_NAME, LONGEST_QUERY, MOST = 60, 1_000, 30
UNDO_FOR = timedelta(days=1)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> Self:
        """One's own; and for those who see all leads, what others share who still are of them. Field sales is shown nobody else's: a filter may name a
        person."""
        if not user.sees_all:
            return self.of(user)
        office = User.objects.filter(is_active=True, groups__name__in=OFFICE)
        return self.filter(models.Q(owner=user) | models.Q(is_shared=True, owner__in=office), removed_at=None).order_by("name", "pk")

    def of(self, user: User) -> Self:
        """Those that this user made and did not remove."""
        return self.filter(owner=user, removed_at=None).order_by("name", "pk")


class SavedView(models.Model):
    """Filters and order of the list of leads, as its address says them, under a name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY)
    is_shared = models.BooleanField(_("shared"), default=False)
    made_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], condition=models.Q(removed_at=None), name="one_saved_view_per_name")]
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")

    def __str__(self) -> str:
        return self.name


def keep(owner: User, name: str, query: str, is_shared: bool) -> SavedView | None:
    """Keep these filters under this name; the owner's view of that name is replaced. None when the owner has too many already.

    Locks the owner, so that two tabs can't make two of one name. What was removed a day ago is gone for good.
    """
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=owner.pk)
        SavedView.objects.filter(owner=owner, removed_at__lt=timezone.now() - UNDO_FOR).delete()
        own = SavedView.objects.of(owner)
        said = {"query": query, "is_shared": is_shared}
        if own.filter(name=name).update(**said):
            return own.get(name=name)
        return SavedView.objects.create(owner=owner, name=name, **said) if own.count() < MOST else None


def seen_by(request: HttpRequest, user: User) -> list[SavedView]:
    """The views that this user is shown, looked up once per request: the navigation lists them, and the list of leads may be one."""
    kept: list[SavedView] | None = getattr(request, "saved_views", None)
    if kept is None:
        kept = list(SavedView.objects.visible_to(user))
        request.saved_views = kept  # type: ignore[attr-defined]
    return kept


def remove(view: SavedView) -> None:
    SavedView.objects.filter(pk=view.pk).update(removed_at=timezone.now())


def put_back(view: SavedView) -> bool:
    """Undo `remove`, unless another view has that name by now; returns whether it is there again."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=view.owner_id)
        if SavedView.objects.filter(owner=view.owner_id, name=view.name, removed_at=None).exclude(pk=view.pk).exists():
            return False
        SavedView.objects.filter(pk=view.pk).update(removed_at=None)
    return True
