"""What the pipeline is compared with: a Celery app that handles one lead in a task, through the ORM, the way such portals are usually written.

It does the work of the path for one submission: contact, company, lead, interaction, score, owner, enrollment, delivery, tally, timeline. It is no part
of the portal.
"""

import os
from typing import Any

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Count, F, Q  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns.models import Campaign, Enrollment  # noqa: E402
from delivery.models import Delivery, Destination  # noqa: E402
from insights.models import Counted, DailyTally  # noqa: E402
from leads import normal  # noqa: E402
from leads.models import CLOSED, Activity, Company, Contact, Disposition, Interaction, Lead, Submission  # noqa: E402
from leads.reading import Reading, read  # noqa: E402
from routing.models import Assignment, Seller  # noqa: E402
from scoring.models import ScoreRule, ScoreVersion  # noqa: E402

app = Celery("plain", broker=settings.CELERY_BROKER_URL)
app.conf.update(task_ignore_result=True, task_default_queue="plain", broker_connection_retry_on_startup=True)


@app.task(name="plain.handle")
def handle(pk: str) -> None:
    """One submission, all the way."""
    with transaction.atomic():
        submission = Submission.objects.select_for_update().get(pk=pk)
        reading = read(submission)
        if reading.disposition == Disposition.LEAD:
            lead = keep(submission, reading)
            score(lead)
            assign(lead)
            enroll(lead)
            owe(lead)
            count(lead)
            submission.lead = lead
        submission.disposition, submission.reason = reading.disposition, reading.reason
        submission.save()


def keep(submission: Submission, reading: Reading) -> Lead:
    act = reading.act
    assert act is not None
    said = act.person
    company, _ = Company.objects.get_or_create(key=reading.company, defaults={"name": said["company"], "country": reading.country})
    contact, _ = Contact.objects.update_or_create(
        key=reading.contact,
        defaults={
            "first_name": said["firstname"], "last_name": said["lastname"], "email": reading.email, "phone": reading.phone, "title": said["title"],
            "country": reading.country, "company": company, "company_said": said["company"], "email_kind": normal.email_kind(reading.email),
            "seniority": normal.seniority(said["title"]),
            "words": normal.search_words(said["firstname"], said["lastname"], reading.email, said["company"], phone=reading.phone),
        },
    )  # fmt: skip
    lead, is_new = Lead.objects.get_or_create(contact=contact, listing_id=submission.listing_id)
    Interaction.objects.create(
        id=submission.pk, lead=lead, received_at=submission.received_at, source=act.source, action=act.action, description=act.description
    )
    Activity.objects.create(lead=lead, kind="acted", data={"source": act.source, "action": act.action, "new": is_new})
    lead.interaction_count = lead.interactions.count()
    lead.last_action, lead.last_interaction_at = act.action, submission.received_at
    lead.save()
    return lead


def score(lead: Lead) -> None:
    """Add up the rules in Python."""
    version = ScoreVersion.in_force()
    points = {part: sum(rule.points for rule in version.rules.all() if rule.part == part and holds(rule, lead)) for part in ScoreRule.Part.values}
    lead.fit, lead.intent = min(version.fit_cap, points["fit"]), min(version.intent_cap, points["intent"])
    lead.score, lead.score_version = lead.fit + lead.intent, version.number
    lead.cluster = "act_now" if lead.fit >= version.fit_high and lead.intent >= version.intent_high else "nurture"
    lead.save()
    Activity.objects.create(lead=lead, kind="scored", data={"score": lead.score})


def holds(rule: ScoreRule, lead: Lead) -> bool:
    """Enough of the condition language for the comparison: one leaf on a column of the contact or the lead."""
    leaf: dict[str, Any] = rule.condition
    found = getattr(lead.contact, str(leaf.get("field")), None) or getattr(lead, str(leaf.get("field")), None)
    return bool(found) and found == leaf.get("value")


def assign(lead: Lead) -> None:
    """The seller with the fewest open leads."""
    if lead.owner_id or lead.listing.storefront.owner_when != "at_once":
        return
    open_leads = Count("user__leads", filter=~Q(user__leads__status__in=CLOSED))
    seller = Seller.objects.filter(takes_leads=True).annotate(load=open_leads).order_by("load", "last_assigned_at").first()
    if seller:
        lead.owner, lead.owner_reason, lead.assigned_at = seller.user, {"code": "lowest_load"}, timezone.now()
        lead.save()
        Seller.objects.filter(pk=seller.pk).update(last_assigned_at=timezone.now())
        Assignment.objects.create(lead=lead, owner=seller.user, reason=lead.owner_reason)
        Activity.objects.create(lead=lead, kind="assigned", data={"owner": seller.user_id})


def enroll(lead: Lead) -> None:
    for campaign in Campaign.objects.filter(storefront=lead.listing.storefront_id, state=Campaign.State.PUBLISHED):
        stage = campaign.version.stages.order_by("position").first()
        if stage and Enrollment.objects.get_or_create(lead=lead, campaign=campaign, defaults={"stage": stage})[1]:
            Activity.objects.create(lead=lead, kind="enrolled", data={"campaign": campaign.name})


def owe(lead: Lead) -> None:
    lead.revision += 1
    lead.save()
    for destination in Destination.objects.filter(listings=lead.listing_id, state=Destination.State.ON):
        Delivery.objects.update_or_create(lead=lead, destination=destination, defaults={"revision": lead.revision, "state": Delivery.State.DUE})


def count(lead: Lead) -> None:
    day = lead.received_at.date()
    if Counted.objects.get_or_create(lead=lead, defaults={"day": day, "listing_id": lead.listing_id})[1]:
        DailyTally.objects.get_or_create(day=day, listing_id=lead.listing_id)
        DailyTally.objects.filter(day=day, listing_id=lead.listing_id).update(leads=F("leads") + 1)
