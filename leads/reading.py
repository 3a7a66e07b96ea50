"""A submission on its way through intake: its bytes parsed, its people normalised, its kind decided. No database."""

import logging
from dataclasses import dataclass, field
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from leads import dialects, normal, reasons
from leads.dialects import Act, Unreadable
from leads.models import Disposition, Submission

log = logging.getLogger(__name__)


NOBODY = ("", "n/a", "na", "none", "null", "nil", "-", "--", "---", "no", "unknown", "not provided")  # an address that says there is none


@dataclass(slots=True)
class Reading:
    """A submission on its way through a batch."""

    submission: Submission
    id: str = field(init=False)
    act: Act | None = None
    disposition: str = ""
    reason: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    contact: str = ""
    company: str = ""
    lead: str | None = None
    row: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = str(self.submission.pk)


def read(submission: Submission) -> Reading:
    """Parse and normalise one submission; whatever is wrong with it becomes its reason."""
    reading = Reading(submission)
    try:
        reading.act = dialects.read(submission.readable, submission.content_type)
        judge(reading, reading.act)
    except Unreadable as error:
        reading.disposition, reading.reason = Disposition.QUARANTINED, str(error)
    except SoftTimeLimitExceeded:  # the worker's time is over, whatever the row
        raise
    except Exception as error:  # a parser's surprise must not cost the lead: it waits in quarantine, with the surprise as its reason
        log.exception("submission %s could not be read", submission.pk)
        reading.disposition, reading.reason = Disposition.QUARANTINED, reasons.SURPRISE % {"error": type(error).__name__}
    return reading


def judge(reading: Reading, act: Act) -> None:
    """Decide what an act is before looking at what else is known: test, asked a neighbour, anonymous, or a lead and by which key."""
    if act.is_test:
        reading.disposition = Disposition.TEST
        return
    said = act.person
    reading.country = normal.country_of(said["country"])
    reading.email = normal.email_key(said["email"])
    reading.phone = normal.phone_of(said["phone"], reading.country)
    if said["email"] and not reading.email:
        act.extra = {**act.extra, "email": said["email"]}  # what was said is not lost where a phone makes it a lead
    digits = normal.phone_key(reading.phone)
    reading.contact = reading.email or (f"phone:{digits}" if digits else "")
    if act.asked_neighbour:
        reading.disposition = Disposition.DO_NOT_CONTACT
    elif reading.contact:
        reading.disposition = Disposition.LEAD
        reading.company = normal.company_key(said["company"], normal.own_domain(reading.email))
    elif said["email"] and normal.fold(said["email"]).strip(" .") not in NOBODY:
        raise Unreadable(reasons.NO_ADDRESS % {"email": said["email"][:80]})
    else:
        reading.disposition, reading.reason = Disposition.ANONYMOUS, reasons.ANONYMOUS
