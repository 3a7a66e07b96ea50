"""Why a message was withheld, failed or is uncertain, in words."""

from django.utils.translation import gettext as _


def because(reason: str) -> str:
    """The words of `Message.reason`; what the mail server said stays as it said it."""
    words = {
        "no_address": _("the person has no e-mail address"),
        "suppressed": _("the person does not want mail"),
        "not_published": _("the campaign was not running"),
        "held": _("a seller is on it"),
        "reached": _("the goal was reached before"),
        "exited": _("the person had left the campaign"),
        "lead_closed": _("the lead was closed"),
        "throttled": _("the person got enough mail lately"),
        "domain": _("their mail provider got enough within the hour"),
        "quiet": _("outside working hours there"),
        "no_text": _("the stage has no text"),
        "worker_lost": _("the sending process ended before it heard from the mail server"),
        "seen_sent": _("a person found that it went out"),
        "seen_unsent": _("a person found that it did not go out"),
    }
    return words.get(reason, reason)
