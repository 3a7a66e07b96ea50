"""Once a day, and after somebody changed them, a campaign's conditions are asked of all leads: days pass and lists change without anything happening
on a lead. Whoever should be in it enters, by the same statement as on the lead's path (campaigns.enroll); whoever else is out of line becomes stale and takes that
path, so that both ways come to the same."""

import logging
from collections.abc import Iterator
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.locks import only_one
from campaigns.enroll import HOLD_STILL, enter, may_enter, unclaimed
from campaigns.models import Campaign, Enrollment, Stage
from leads.conditions import annotated, matching, to_q
from leads.models import CLOSED, Lead, Status
from listings.models import CampaignKind, Publisher

log = logging.getLogger(__name__)
LOCK = 0x5EE9
BATCH = 250_000
DAY = timedelta(days=1)


def sweep() -> int:
    """Let in the leads that should enter, set-wise; make those stale that should leave, have reached the goal or need wait no longer, and those that are
    nurturing now. Returns how many.

    Locks the campaign against publishing and pausing while it lets in, as following does, then the rows it makes stale. One session per campaign.
    """
    return sum(sweep_one(pk) for pk in Campaign.objects.unswept(timezone.now()).order_by("-priority", "pk").values_list("pk", flat=True))


def sweep_one(pk: int) -> int:
    """One campaign. Whose conditions can't be asked is logged and comes again tomorrow: it must not hold up the others.

    While it lasts the campaign counts as unswept since a moment of its own: so a sweep that dies begins again, and a change meanwhile is swept anew.
    """
    with only_one(LOCK, pk) as is_ours:
        begun = timezone.now() - 2 * DAY
        if not is_ours or not Campaign.objects.unswept(timezone.now()).filter(pk=pk).update(swept_at=begun):
            return 0
        found = ask_all(Campaign.objects.select_related("current").get(pk=pk))
        Campaign.objects.filter(pk=pk, swept_at=begun).update(swept_at=timezone.now())
        return found


def ask_all(campaign: Campaign) -> int:
    found = 0
    try:
        found += let_in(campaign) if campaign.takes_on(Publisher.current().today) else 0
        for leads in out_of_line(campaign):
            found += Lead.objects.filter(pk__in=leads.order_by().values("pk")).make_stale()
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception:
        log.exception("campaign %s could not be swept", campaign.slug)
    return found


def let_in(campaign: Campaign) -> int:
    """Enroll all leads that should be in the campaign, some at a time; returns how many."""
    entered = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(HOLD_STILL)
            current = Campaign.objects.select_related("current").get(pk=campaign.pk)
            leads = staying(unclaimed(Lead.objects.all(), current, Campaign.objects.filter(priority__gt=current.priority)), current)
            some = enter(current, leads, most=BATCH) if current.takes_on(Publisher.current().today) else 0
        entered += some
        if not some:
            return entered


def staying(leads: QuerySet[Lead], campaign: Campaign) -> QuerySet[Lead]:
    """Those who would not leave the campaign or reach its goal at once. The others are made stale: on a lead's path all three are asked in one transaction."""
    for tree in filter(None, (campaign.exit, campaign.goal)):
        leads = leads.exclude(Exists(matching(Lead.objects.filter(pk=OuterRef("pk")), tree)))
    return leads


def out_of_line(campaign: Campaign) -> Iterator[QuerySet[Lead]]:
    """The leads whose enrollment in this campaign is not what its conditions say, reason by reason."""
    leads, here = Lead.objects.filter(listing__storefront=campaign.storefront_id), Enrollment.objects.filter(campaign=campaign, lead=OuterRef("pk"))
    active = here.filter(status=Enrollment.Status.ACTIVE)
    yield Lead.objects.filter(Exists(here.running()), status__in=CLOSED)
    if campaign.kind == CampaignKind.NURTURE:
        yield leads.filter(Exists(active), status=Status.NEW, owner=None)
    if campaign.takes_on(Publisher.current().today):
        for tree in filter(None, (campaign.exit, campaign.goal)):
            wanted = may_enter(leads.exclude(status__in=CLOSED), campaign)
            yield annotated(wanted, campaign.entry, tree).filter(to_q(campaign.entry), to_q(tree))
    if campaign.exit:
        yield matching(Lead.objects.filter(Exists(here.running())), campaign.exit)
    if campaign.goal:
        yield matching(leads.filter(Exists(active)), campaign.goal)
    if campaign.fast_hours and campaign.kind == CampaignKind.DEMAND:
        soon = F("entered_at") + timedelta(hours=campaign.fast_hours)
        waiting = leads.filter(first_response_at=None, owner__isnull=False)
        yield waiting.filter(Exists(active.filter(lead__respond_by__gt=soon)))
    for stage in Stage.objects.filter(version__campaign=campaign, options__has_key="until"):
        yield matching(Lead.objects.filter(Exists(active.filter(stage=stage, due_at__gt=Now()))), stage.options["until"])
