"""A lead that a person brings: written as the marketplace would have sent it, archived, and taken down the one path like any other."""

import json
from typing import Any

from accounts.ids import uuid7
from accounts.models import User
from leads import dialects, door, importing
from leads.intake import intake
from leads.models import Submission
from listings.models import Listing

SOURCE = "By hand"


def enter(listing: Listing, said: dict[str, str], by: User) -> Submission:
    """Archive what the person says of a buyer, and read it at once unless another session drains; returns the submission.

    `said` has the marketplace's names for the person's fields, `actionCode` and `description`.
    """
    person = {name: said.get(name, "") for name in ("firstName", "lastName", "email", "phone", "country", "company", "title")}
    lead: dict[str, Any] = {
        "userDetails": person, "leadSource": SOURCE, "actionCode": said.get("actionCode", ""), "offerTitle": listing.title,
        "description": said.get("description", ""), "enteredBy": by.full_name,
    }  # fmt: skip
    pk = uuid7()
    importing.insert([(pk, json.dumps(lead, ensure_ascii=False).encode("utf-8", "replace"))], listing, dialects.JSON)
    intake(only=pk)
    door.nudge()
    return Submission.objects.get(pk=pk)
