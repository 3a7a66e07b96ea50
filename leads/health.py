"""What the archive says about a listing's lead sharing: the last real lead, the last test lead, the last thing that went wrong.

What a person brought, from a file or by hand, is no sign of life of the lead URL and is not looked at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery, UUIDField
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.models import IS_DISCARDED, Disposition, Lead, Submission
from leads.story import action_words
from listings.days import short
from listings.health import OFF, OK, PROOF, WARN, Check, Found, collector
from listings.links import page
from listings.models import LeadUrl, Listing

FAILED = (Disposition.QUARANTINED, Disposition.REFUSED)


def newest(disposition: str, column: str) -> Subquery:
    """Of the newest submission of a listing with this disposition, unless a person discarded it: a few index probes per partition."""
    rows = Submission.objects.filter(listing=OuterRef("pk"), disposition=disposition, is_brought=False).exclude(IS_DISCARDED).order_by("-received_at")
    return Subquery(rows.values(column)[:1])


def of_lead(column: str) -> Subquery:
    """Of the newest lead that nobody brought: where the months of its submissions are gone."""
    rows = Lead.objects.filter(listing=OuterRef("pk"), is_brought=False).order_by("-received_at", "-id")
    return Subquery(rows.values(column)[:1])


def looked_at(listings: Sequence[Listing]) -> dict[int, dict[str, Any]]:
    """Listing id -> the ids and times of what came last. One query."""
    secrets = LeadUrl.objects.filter(listing=OuterRef("pk"))
    rows = Listing.objects.filter(pk__in=[one.pk for one in listings]).order_by()
    rows = rows.annotate(
        last_lead=Coalesce(newest(Disposition.LEAD, "lead_id"), of_lead("pk"), output_field=UUIDField()),
        last_act=Coalesce(newest(Disposition.LEAD, "received_at"), of_lead("received_at")),
        last_test=newest(Disposition.TEST, "received_at"),
        quarantined=newest(Disposition.QUARANTINED, "pk"),
        refused=newest(Disposition.REFUSED, "pk"),
        secret_since=Subquery(secrets.filter(ends_at=None).values("created_at")[:1]),
        old_until=Subquery(secrets.exclude(ends_at=None).order_by("-ends_at").values("ends_at")[:1]),
    )
    columns = ("pk", "last_lead", "last_act", "last_test", "quarantined", "refused", "secret_since", "old_until")
    return {row["pk"]: row for row in rows.values(*columns)}


@collector(20)
def arrivals(listings: Sequence[Listing]) -> Found:
    """Four queries: what came last, those leads, those failures, and how many wait in quarantine."""
    seen = looked_at(listings)
    leads = Lead.objects.select_related("contact", "contact__company").in_bulk([row["last_lead"] for row in seen.values() if row["last_lead"]])
    failures = Submission.objects.defer("body", "repair").in_bulk([row[kind] for row in seen.values() for kind in FAILED if row[kind]])
    waiting = dict(Submission.objects.quarantined().filter(listing__in=listings).order_by().values_list("listing").annotate(n=Count("pk")))
    return {pk: checks(row, leads.get(row["last_lead"]), failures, waiting.get(pk, 0)) for pk, row in seen.items()}


def checks(row: dict[str, Any], lead: Lead | None, failures: dict[UUID, Submission], waiting: int) -> list[Check]:
    failed = max((failures[row[kind]] for kind in FAILED if row[kind] in failures), key=lambda one: one.received_at, default=None)
    return [real_lead(lead, row["last_act"]), connection(row["last_test"], row["last_act"], row), failure(failed, waiting)]


def real_lead(lead: Lead | None, at: datetime | None) -> Check:
    if lead is None:
        return Check("last_lead", OFF, _("No lead has come in yet"))
    who = ", ".join(filter(None, (lead.contact.name, lead.contact.company_name, action_words(lead.last_action) if lead.last_action else "")))
    return Check("last_lead", OK, _("Last real lead"), who, when=at, verb=_("See it"), url=page("leads:detail", lead.pk))


def connection(at: datetime | None, real_at: datetime | None, row: dict[str, Any]) -> Check:
    """The present secret is proven by a real lead since the old secrets stopped working, or by a test lead since it was made."""
    since = row["secret_since"]
    if real_at and since and real_at >= max(filter(None, (since, row["old_until"]))):
        tested = _("Last test lead %(day)s") % {"day": short(timezone.localtime(at).date())} if at else _("Real leads come in through it")
        return Check("in_use", OK, _("The secret lead URL is in use"), tested)
    if at and since and at >= since:
        return Check(PROOF, OK, _("A test lead came through"), _("Partner Center’s Validate reaches this listing"), when=at)
    if at is None:
        sign = "" if real_at else _("Not connected yet")
        story = _("Nothing has come in through its lead URL yet, neither a test nor a lead.") if sign else ""
        return Check(
            PROOF, WARN, _("No test lead yet"), _("Press Validate in Partner Center"), verb=_("How"), url="#partner-center", sign=sign, story=story
        )
    last = _("Last test lead %(day)s") % {"day": short(timezone.localtime(at).date())}
    return Check(PROOF, WARN, _("No test lead since the secret was changed"), last, verb=_("How"), url="#partner-center")


def failure(failed: Submission | None, waiting: int) -> Check:
    if failed is None:
        return Check("failures", OK, _("Nothing failed to be read"))
    if not waiting:
        return Check("failures", OK, _("Nothing waits in quarantine"), _("Last: %(reason)s") % {"reason": failed.why[:160]}, when=failed.received_at)
    title = ngettext("%(count)d in quarantine", "%(count)d in quarantine", waiting) % {"count": waiting}
    return Check("failures", WARN, title, failed.why[:160], verb=_("Repair"), url=page("leads:quarantine"))
