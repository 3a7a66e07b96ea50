"""Names of the shipped campaigns and their stages, which live in rows: marked here, so that they are translated until somebody gives another name."""

from django.utils.translation import gettext, gettext_noop

SHIPPED = (
    gettext_noop("Business nurture"), gettext_noop("Welcome"), gettext_noop("Wait 5 days"), gettext_noop("What others did first"),
    gettext_noop("Wait 7 days"), gettext_noop("One question"), gettext_noop("Call and ask what is missing"), gettext_noop("Ready for sales"),
    gettext_noop("End of nurture"), gettext_noop("In-demand generation"), gettext_noop("First steps"), gettext_noop("Wait 3 days"),
    gettext_noop("Where others get stuck"), gettext_noop("Call: how did the first days go?"), gettext_noop("Wait 10 days"), gettext_noop("Next step"),
    gettext_noop("Opportunity"), gettext_noop("End of in-demand generation"),
)  # fmt: skip
# Those of the gallery: written in the language of whoever begins a campaign with them.
GALLERY = (
    gettext_noop("Win back who fell silent"),
    gettext_noop("Two mails to people who did nothing for two months. Who answers or opens a link is handed to sales, everybody else is left in peace."),
    gettext_noop("Wait for a morning"), gettext_noop("Still of interest?"), gettext_noop("Wait for an answer"), gettext_noop("Did they answer?"),
    gettext_noop("Yes"), gettext_noop("Somebody calls them"), gettext_noop("A last word"), gettext_noop("Wait 14 days"),
    gettext_noop("Mark as dormant"), gettext_noop("End of winning back"), gettext_noop("Try two openings"),
    gettext_noop("Half get a question first, half an example. The better one wins by itself, as soon as its share at the goal is surely higher."),
    gettext_noop("Question or example"), gettext_noop("Question"), gettext_noop("Begin with a question"), gettext_noop("Example"),
    gettext_noop("Begin with an example"), gettext_noop("Call first, then write"),
    gettext_noop("A call within the day. Who was not reached gets one mail the next working morning, and a second call."),
    gettext_noop("Call within the day"), gettext_noop("Tell the owner"), gettext_noop("Wait for the next working morning"),
    gettext_noop("Was somebody reached?"), gettext_noop("Not yet"), gettext_noop("We tried to reach you"), gettext_noop("Wait 2 days"),
    gettext_noop("Call a second time"), gettext_noop("Towards a first session"),
    gettext_noop("For consulting services: what a first hour looks like, what to bring, then a call to find a day."),
    gettext_noop("What a first session looks like"), gettext_noop("Wait 4 days"), gettext_noop("Three things to bring"),
    gettext_noop("Call and find a day"), gettext_noop("From trial to purchase"),
    gettext_noop("Asks after two days how it goes, and reminds before the trial ends, at working hours. In between it waits for an answer."),
    gettext_noop("Wait for the second working morning"), gettext_noop("How is the trial going?"), gettext_noop("Before the trial ends"),
    gettext_noop("Call before the trial ends"),
)  # fmt: skip


def shown(name: str) -> str:
    """A shipped name in the reader's language, any other as it is."""
    return gettext(name) if name in SHIPPED else name
