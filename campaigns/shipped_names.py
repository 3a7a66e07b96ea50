"""Names of the shipped campaigns and their stages, which live in rows: marked here, so that they are translated until somebody gives another name."""

from django.utils.translation import gettext, gettext_noop

SHIPPED = (
    gettext_noop("Business nurture"), gettext_noop("Welcome"), gettext_noop("Wait 5 days"), gettext_noop("What others did first"),
    gettext_noop("Wait 7 days"), gettext_noop("One question"), gettext_noop("Call and ask what is missing"), gettext_noop("Ready for sales"),
    gettext_noop("End of nurture"), gettext_noop("In-demand generation"), gettext_noop("First steps"), gettext_noop("Wait 3 days"),
    gettext_noop("Where others get stuck"), gettext_noop("Call: how did the first days go?"), gettext_noop("Wait 10 days"), gettext_noop("Next step"),
    gettext_noop("Opportunity"), gettext_noop("End of in-demand generation"),
)  # fmt: skip


def shown(name: str) -> str:
    """A shipped name in the reader's language, any other as it is."""
    return gettext(name) if name in SHIPPED else name
