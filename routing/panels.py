"""Beside a lead: the clock, whose it is and why, and who else could have it."""

from accounts.models import User
from leads.panels import Context, Data, panel
from routing.reasons import because


@panel("owner", 10, "rail", "routing/_owner.html")
def owner(context: Context) -> Data | None:
    """The response clock with what stops it, then the owner and the reason; marketing and admins hand the lead on."""
    lead = context.lead
    if lead is None:
        return None
    return {"reason": because(lead.owner_reason), "sellers": User.objects.sellers().names() if context.user.sees_all else []}
