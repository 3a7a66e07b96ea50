"""Behind step 4b of a lead's path: when a seller has room again, the leads that nobody could take are followed once more, oldest first."""

from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from leads.models import Lead, LeadQuerySet
from routing.assign import LOAD, SELLS

BATCH = 2_000


def wanted() -> bool:
    """Whether leads wait for a seller and one of them has room. One query."""
    return waiting().annotate(free=RawSQL(FREE, [])).filter(free__gt=0).exists()  # noqa: S611 - constant text


def waiting() -> LeadQuerySet:
    """The leads that nobody could take and that are not about to be followed anyway."""
    return Lead.objects.unroutable().filter(stale_since=None)


def free_seats() -> int:
    """How many more leads the sellers can take, 2,000 at most."""
    with connection.cursor() as cursor:
        cursor.execute(FREE)
        return int(cursor.fetchone()[0])


def fill_seats() -> int:
    """Make stale as many unroutable leads as there are free seats; returns how many. Locks leads, skipping those others hold."""
    with transaction.atomic():
        oldest = list(
            waiting().order_by("received_at", "pk").select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[: free_seats()]
        )
        return Lead.objects.filter(pk__in=oldest).update(stale_since=timezone.now())


# Loads are counted of the sellers with a limit only.
FREE = f"""
    SELECT least({BATCH}, coalesce(sum(CASE WHEN r.capacity IS NULL THEN {BATCH} ELSE greatest(r.capacity - {LOAD}, 0) END), 0))
    FROM routing_seller r JOIN accounts_user u ON u.id = r.user_id WHERE r.takes_leads AND {SELLS}
"""
