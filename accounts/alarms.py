"""What somebody should hear of at once: unusually many reads of personal data, secrets shown or made, failed sign-ins, doors tried. An alarm is a line
of the audit and a mail to every admin, once an hour for each person or address."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Sum
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.ids import first_id
from accounts.locks import only_one
from accounts.models import AccessRecord, User
from accounts.roles import ADMIN

log = logging.getLogger(__name__)
Kind = AccessRecord.Kind
LOCK = 0xA1A53
SPAN = timedelta(hours=1)
LISTS = 10  # times as many as may be read may be listed: who looks for one sees the names of fifty
SECRETS = (Kind.SECRET_SHOWN, Kind.SECRET_ROTATED, Kind.TOKEN_ISSUED)


@dataclass(frozen=True, slots=True)
class Watch:
    """Kinds of lines, summed by `column` over the last hour, and how many are more than usual. An export counts as often as it has rows."""

    name: str
    kinds: tuple[str, ...]
    column: str
    most: int


def watches() -> tuple[Watch, ...]:
    """The most reads are a setting; the rest is far above what a person does, and far below what a program would."""
    return (
        Watch(gettext_noop("reads of personal data"), (Kind.PERSONAL_DATA_READ, Kind.EXPORTED), "user", settings.ALARM_READS),
        Watch(gettext_noop("people in lists"), (Kind.PERSONAL_DATA_LISTED,), "user", settings.ALARM_READS * LISTS),
        Watch(gettext_noop("secrets shown or made"), SECRETS, "user", 20),
        Watch(gettext_noop("doors tried"), (Kind.DENIED,), "user", 50),
        Watch(gettext_noop("failed sign-ins"), (Kind.SIGN_IN_FAILED,), "address", 30),
    )


def excesses() -> Iterator[tuple[Watch, int | str, int]]:
    """(watch, whom, how many) of the last hour, as far as nobody was told of it within that hour."""
    since = first_id(timezone.now() - SPAN)
    for watch in watches():
        lines = AccessRecord.objects.filter(pk__gte=since, kind__in=watch.kinds, **{f"{watch.column}__isnull": False}).order_by()
        told = AccessRecord.objects.filter(pk__gte=since, kind=Kind.ALARM, subject__startswith=watch.name).values(watch.column)
        counted = lines.exclude(**{f"{watch.column}__in": told}).values_list(watch.column).annotate(n=Sum("count"))
        yield from ((watch, whom, n) for whom, n in counted.filter(n__gt=watch.most) if watch.most)


def raise_alarms() -> int:
    """Write each excess down and tell the admins; returns how many. One session at a time, so that nobody is told twice."""
    raised: list[AccessRecord] = []
    with only_one(LOCK) as is_ours:
        for watch, whom, n in excesses() if is_ours else ():
            who = {"user_id" if watch.column == "user" else "address": whom}
            line = AccessRecord.objects.create(kind=Kind.ALARM, subject=f"{watch.name}: {n} in an hour", **who)
            log.warning("audit alarm: %s by %s", line.subject, whom)
            raised.append(line)
    if raised:
        tell_admins(raised)
    return len(raised)


def tell_admins(lines: list[AccessRecord]) -> None:
    """One mail to each, in their language, over one line to the mail server. What can't be sent is in the log and in the audit all the same."""
    admins = User.objects.filter(groups__name=ADMIN, is_active=True).exclude(email="")
    try:
        get_connection().send_messages([told(lines, admin) for admin in admins])
    except Exception as error:  # whatever it is, the alarm stands
        log.warning("the alarm did not reach every admin: %s", type(error).__name__)


def told(lines: list[AccessRecord], admin: User) -> EmailMessage:
    with translation.override(admin.language or settings.LANGUAGE_CODE):
        subject = _("Alarm: %(what)s") % {"what": in_words(lines[0].subject)}
        whom = ((line.user.full_name if line.user else line.address, in_words(line.subject)) for line in lines)
        body = "\n".join(_("%(whom)s: %(what)s. The lines are in the audit of the portal.") % {"whom": who, "what": what} for who, what in whom)
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [admin.email])


def in_words(subject: str) -> str:
    """A line of the audit, which is kept in English, in the reader's language."""
    name, _colon, rest = subject.partition(": ")
    return _("%(what)s: %(n)s in an hour") % {"what": _(name), "n": rest.partition(" ")[0]}
