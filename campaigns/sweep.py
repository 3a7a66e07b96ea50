"""Once a day, and after somebody changed them, a campaign's conditions are asked of all leads: days pass and lists change without anything happening
on a lead. Whoever is out of line becomes stale and takes the lead's path (campaigns.enroll), so that both ways come to the same."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.models import Campaign, Enrollment, Stage
from leads.conditions import matching
from leads.models import Lead

Status = Enrollment.Status


def sweep() -> int:
    """Make those leads stale that should enter, leave, have reached the goal or need wait no longer; returns how many. Locks their rows, campaign by campaign."""
    found = 0
    for campaign in Campaign.objects.unswept(timezone.now()).order_by("pk"):
        for leads in out_of_line(campaign):
            wanted = Lead.objects.filter(pk__in=leads.order_by().values("pk"), stale_since=None)
            found += wanted.update(stale_since=Now())
        Campaign.objects.filter(pk=campaign.pk).update(swept_at=timezone.now())
    return found


def out_of_line(campaign: Campaign) -> Iterator[QuerySet[Lead]]:
    """The leads whose enrollment in this campaign is not what its conditions say, reason by reason."""
    leads, here = Lead.objects.filter(listing__storefront=campaign.storefront_id), Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk"))
    yield matching(leads.open().exclude(Exists(here)), campaign.entry)
    if campaign.exit:
        yield matching(Lead.objects.filter(Exists(here.filter(status__in=(Status.ACTIVE, Status.HELD)))), campaign.exit)
    if campaign.goal:
        yield matching(leads.filter(Exists(here.filter(status=Status.ACTIVE))), campaign.goal)
    for stage in Stage.objects.filter(version__campaign=campaign, options__has_key="until"):
        waiting = here.filter(stage=stage, status=Status.ACTIVE, due_at__gt=Now())
        yield matching(Lead.objects.filter(Exists(waiting)), stage.options["until"])
