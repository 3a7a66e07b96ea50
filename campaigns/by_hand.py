"""A person puts leads into a campaign, or takes one out of it."""

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from campaigns.enroll import HOLD_STILL, enter
from campaigns.models import Campaign, Enrollment
from leads.models import Activity, Lead
from listings.models import Publisher


def enroll_by_hand(campaign: Campaign, leads: QuerySet[Lead], by: User) -> int:
    """Let these leads in, whatever the entry condition says; closed ones, those of another storefront and those that are in it stay as they are; nobody
    enters a campaign that takes nobody on.

    Returns how many entered. Locks the lead rows in id order, then holds the campaigns still, as following does.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        keys = list(leads.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
        cursor.execute(HOLD_STILL)
        current = Campaign.objects.select_related("current").get(pk=campaign.pk)
        entered = enter(current, Lead.objects.among(keys), by=by) if current.takes_on(Publisher.current().today) else 0
        Lead.objects.among(keys).update(stale_since=timezone.now())
    return entered


def take_out(enrollment: Enrollment, by: User) -> bool:
    """End an enrollment that is running, and say who did; false when it is over already. Locks the lead, then the enrollment."""
    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True).get(pk=enrollment.lead_id)
        running = Enrollment.objects.filter(pk=enrollment.pk).running()
        if not running.update(status=Enrollment.Status.EXITED, reason="by_hand", due_at=None, ended_at=timezone.now()):
            return False
        Activity.objects.create(lead_id=enrollment.lead_id, kind="left_campaign", actor=by, data={"campaign": enrollment.campaign.name})
    return True
