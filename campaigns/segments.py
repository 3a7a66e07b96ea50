"""What conditions can ask about a lead and its campaign mail."""

from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.models import Click, Enrollment, MailEvent, Message
from leads.conditions import field


def how_many(rows: QuerySet[Any], lead: str) -> Coalesce:
    """The number of rows that belong to the lead."""
    counted = rows.filter(**{lead: OuterRef("pk")}).order_by().values(lead).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


field("mails_sent", _("campaign mails they got"), "number", how_many(Message.objects.filter(state=Message.State.SENT), "enrollment__lead"))
field("clicks", _("links they opened"), "number", how_many(Click.objects.filter(by_program=False), "message__enrollment__lead"))
field("bounced", _("their mail bounced"), "flag", Exists(MailEvent.objects.filter(kind="bounced", message__enrollment__lead=OuterRef("pk"))))
field("opened", _("they opened a mail"), "flag", Exists(MailEvent.objects.filter(kind="opened", message__enrollment__lead=OuterRef("pk"))))
field("replied", _("they replied to a mail"), "flag", Exists(MailEvent.objects.filter(kind="replied", message__enrollment__lead=OuterRef("pk"))))
field(
    "unsubscribed",
    _("they unsubscribed or complained"),
    "flag",
    Exists(MailEvent.objects.filter(kind__in=["unsubscribed", "complained"], message__enrollment__lead__contact=OuterRef("contact"))),
)
field("campaigns_now", _("campaigns they are in"), "number", how_many(Enrollment.objects.filter(Q(status="active") | Q(status="held")), "lead"))
