"""What conditions can ask about a lead: its own columns, its contact's and its listing's."""

from django.db.models import Case, Exists, F, Func, IntegerField, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from leads.conditions import field
from leads.models import Contact
from listings.models import Publisher, Storefront


class DaysSince(Func):
    """Whole days between a moment and now; empty when there was no such moment."""

    template = "floor(extract(epoch from now() - %(expressions)s) / 86400)::int"
    output_field = IntegerField()


field("status", _("status"), "choice", "status")
field("listing", _("listing"), "choice", "listing__slug")
field("listing_kind", _("kind of listing"), "choice", "listing__kind")
field("storefront", _("storefront"), "choice", "listing__storefront__slug")
field("country", _("country"), "choice", "contact__country")
field("email", _("e-mail"), "text", "contact__email")
field("email_kind", _("kind of e-mail address"), "choice", "contact__email_kind")
field("phone", _("phone"), "text", "contact__phone")
field("title", _("job title"), "text", "contact__title")
field("seniority", _("seniority, 0 to 3"), "number", "contact__seniority")
field("company", _("company"), "text", "contact__company__name")
field("last_action", _("last act"), "choice", "last_action")
field("actions", _("acts"), "list", "actions")
field("tags", _("tags"), "list", "tags")
field("interactions", _("number of acts"), "number", "interaction_count")
field("active_days", _("days with an act"), "number", "active_days")
field("said_length", _("length of their message"), "number", "said_length")
field("score", _("score"), "number", "score")
field("fit", _("fit"), "number", "fit")
field("intent", _("intent"), "number", "intent")
field("value", _("expected value"), "number", "value")
field("cluster", _("cluster"), "choice", "cluster")
field("owner", _("owner"), "choice", "owner__username")
field("days_since_act", _("days since their last act"), "days", DaysSince("last_interaction_at"))
field("days_since_received", _("days since received"), "days", DaysSince("received_at"))
field(
    "right_audience",
    _("in the storefront's audience"),
    "flag",
    Case(
        When(Q(listing__storefront__audience=Storefront.Audience.ALL) | Q(contact__email_kind=Contact.EmailKind.BUSINESS), then=Value(True)),
        default=Value(False),
    ),
)
field(
    "country_served",
    _("in a country we serve"),
    "flag",
    Exists(
        Publisher.objects.annotate(
            place=Func(F("countries_served"), OuterRef("contact__country"), function="array_position", output_field=IntegerField())
        ).filter(Q(place__isnull=False) | Q(countries_served=[]))
    ),
)
