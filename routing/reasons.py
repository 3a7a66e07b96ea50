"""Why a lead has its owner, or none, in half sentences joined by semicolons."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def because(reason: dict[str, Any]) -> str:
    """The words of `Lead.owner_reason`, in the reader's language."""
    code = reason.get("code")
    if code == "lowest_load":
        load = ngettext("lowest load: %(n)d open", "lowest load: %(n)d open", reason["open"]) % {"n": reason["open"]}
        return "; ".join(filter(None, (reason["storefront"], why_now(reason.get("because", "")), load)))
    if code == "by_hand":
        return _("given by %(name)s") % {"name": reason["by"]}
    if code == "by_campaign":
        return _("given by %(name)s") % {"name": _(reason["campaign"]) if reason.get("campaign") else ""}
    if code == "taken":
        return _("taken from everybody by %(name)s") % {"name": reason["by"]}
    if code == "no_seller":
        return _("no seller can take it: nobody takes leads, or all are full")
    if code == "below_act_now":
        return _("nurture: below act now")
    return _("not looked at yet")


def why_now(cause: str) -> str:
    return {"asked": _("asked to be contacted"), "goal": _("reached the nurture goal"), "act_now": _("act now")}.get(cause, "")
