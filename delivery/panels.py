"""Beside a lead: the systems that are told about it, and how far each is."""

from delivery.models import Delivery
from leads.panels import Context, Data, panel


@panel("deliveries", 40, "rail", "delivery/_deliveries.html")
def deliveries(context: Context) -> Data | None:
    """The delivery to each destination; what waits or died can be sent again by marketing and admins."""
    lead = context.lead
    if lead is None:
        return None
    found = list(Delivery.objects.visible_to(context.user).filter(lead=lead).select_related("destination").order_by("destination__name"))
    return {"deliveries": found, "revision": max(one.revision for one in found), "may_send": context.user.sees_all} if found else None
