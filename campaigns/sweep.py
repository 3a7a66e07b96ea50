"""Once a day, and after somebody changed them, a campaign's conditions are asked of all leads: days pass and lists change without anything happening
on a lead. Whoever should be in it enters, by the same statement as on the lead's path (campaigns.enroll); whoever else is out of line becomes stale and takes that
path, so that both ways come to the same."""

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.enroll import HOLD_STILL, enter
from campaigns.models import Campaign, Enrollment, Stage
from leads.conditions import matching
from leads.models import CLOSED, Lead
from leads.models import Status as LeadStatus
from listings.models import CampaignKind

Status = Enrollment.Status
BATCH = 250_000


def sweep() -> int:
    """Let in the leads that should enter, set-wise; make those stale that should leave, have reached the goal or need wait no longer, and those that are
    nurturing now. Returns how many.

    Locks the campaign against publishing and pausing while it lets in, as following does, then the rows it makes stale.
    """
    found = 0
    for campaign in Campaign.objects.unswept(timezone.now()).select_related("current").order_by("pk"):
        found += let_in(campaign)
        for leads in out_of_line(campaign):
            wanted = Lead.objects.filter(pk__in=leads.order_by().values("pk"), stale_since=None)
            found += wanted.update(stale_since=Now())
        Campaign.objects.filter(pk=campaign.pk).update(swept_at=timezone.now())
    return found


def let_in(campaign: Campaign) -> int:
    """Enroll all leads that should be in the campaign and never were, some at a time; returns how many."""
    at_an_hour = Stage.objects.filter(version__campaign=campaign, options__has_key="minute").exists()
    entered = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(HOLD_STILL)
            some = enter(Campaign.objects.select_related("current").get(pk=campaign.pk), Lead.objects.all(), at_an_hour, most=BATCH)
        entered += some
        if some < BATCH:
            return entered


def out_of_line(campaign: Campaign) -> Iterator[QuerySet[Lead]]:
    """The leads whose enrollment in this campaign is not what its conditions say, reason by reason."""
    leads, here = Lead.objects.filter(listing__storefront=campaign.storefront_id), Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk"))
    yield Lead.objects.filter(status__in=CLOSED).filter(Exists(here.filter(status__in=(Status.ACTIVE, Status.HELD))))
    yield (
        leads.filter(Exists(here.filter(status=Status.ACTIVE)), status=LeadStatus.NEW, owner=None)
        if campaign.kind == CampaignKind.NURTURE
        else leads.none()
    )
    if campaign.exit:
        yield matching(Lead.objects.filter(Exists(here.filter(status__in=(Status.ACTIVE, Status.HELD)))), campaign.exit)
    if campaign.goal:
        yield matching(leads.filter(Exists(here.filter(status=Status.ACTIVE))), campaign.goal)
    for stage in Stage.objects.filter(version__campaign=campaign, options__has_key="until"):
        waiting = here.filter(stage=stage, status=Status.ACTIVE, due_at__gt=Now())
        yield matching(Lead.objects.filter(Exists(waiting)), stage.options["until"])
