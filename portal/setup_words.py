"""The words of the setup pages: what each page is for, what the periodic work does, what is stored about people."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import User
from listings.links import page


@dataclass(frozen=True, slots=True)
class Card:
    """One page of the set-up."""

    icon: str
    title: str
    text: str
    url: str


Group = tuple[str, list[Card]]


def cards(user: User) -> list[Group]:
    """Groups of cards, without those whose page the user may not open or that is not there."""
    groups = [
        (_("How leads are handled"), handling()),
        (_("The outside"), outside()),
        (_("People and machines"), people(user)),
        (_("The portal itself"), itself(user)),
    ]
    return [(title, [card for card in found if card.url]) for title, found in groups if any(card.url for card in found)]


def handling() -> list[Card]:
    playbooks = _("What each storefront wants: audience, campaign, listings, follow-up, owner and clock")
    return [
        Card("book-open", _("Playbooks"), playbooks, page("listings:playbooks")),
        Card("calculator", _("Scoring"), _("The rules in force, their points, and how often each counts"), page("scoring:version")),
        Card("route", _("Routing"), _("Who takes leads, how many at once, and who has how many"), page("routing:sellers")),
    ]


def outside() -> list[Card]:
    return [
        Card("inbox", _("Quarantine and action codes"), _("What could not be read, and what new codes mean"), page("leads:quarantine")),
        Card("send", _("Destinations"), _("The systems that are told about leads"), page("delivery:list")),
        Card("at-sign", _("Senders"), _("Addresses that campaigns write from, verified by their owners"), page("campaigns:senders")),
    ]


def people(user: User) -> list[Card]:
    admin = user.is_portal_admin
    return [
        Card("users", _("People and teams"), _("Who signs in, with which roles, and who leads whom"), page("accounts:people") if admin else ""),
        Card("key-round", _("API tokens"), _("Keys for machines: scopes, expiry, last use"), page("accounts:tokens")),
        Card("scroll-text", _("Audit"), _("Who signed in, saw a secret, read or changed what"), page("accounts:audit") if admin else ""),
    ]


def itself(user: User) -> list[Card]:
    admin = user.is_portal_admin
    return [
        Card("building-2", _("Publisher"), _("Name, time zone of all figures, countries served"), page("portal:publisher") if admin else ""),
        Card("shield", _("Privacy"), _("What is stored about people, and for how long"), page("portal:privacy")),
        Card("activity", _("System health"), _("Promises at risk, due work, the broker"), page("portal:system") if admin else ""),
    ]


def work_in_words(name: str) -> tuple[str, str]:
    """A kind of periodic work: its title and what it does."""
    words = {
        "leads": (_("Leads"), _("reads what came in; scores, assigns, enrolls, dispatches and counts")),
        "notices": (_("Notices"), _("tells colleagues that a lead has come to a stage")),
        "segments": (_("Conditions"), _("asks once a day who should enter a campaign, leave it or has reached its goal")),
        "splits": (_("Splits"), _("lets the better way of a test win once the figures are clear")),
        "alarms": (_("Alarms"), _("looks for unusually many reads, secrets and failed sign-ins")),
        "seals": (_("Seals of the audit"), _("closes its new lines, so that nobody can rewrite them unseen")),
        "deliveries": (_("Deliveries"), _("carries leads to their destinations")),
        "campaigns": (_("Campaigns"), _("moves people to their next stage")),
        "states": (_("Started, paused, ended"), _("carries out for everybody in a campaign what was said of it")),
        "mail": (_("Mail"), _("sends what is planned, each at most once")),
        "uncertain_mail": (_("Uncertain mail"), _("shows what may have gone out to a person")),
        "rescore": (_("Scoring anew"), _("scores every open lead again after the countries you serve were changed")),
        "recount": (_("Counting anew"), _("counts every figure again after the time zone of the days was changed")),
        "decay": (_("Decay"), _("lets the points of old acts fade")),
        "seats": (_("Free seats"), _("looks for sellers with room again for the leads that nobody could take")),
        "paces": (_("Callers of the API"), _("forgets how fast they called an hour ago")),
        "months": (_("Months"), _("prepares the tables of the coming months")),
    }
    return words[name]


def kept_data() -> list[tuple[str, str, str]]:
    """(what, why, how long) of everything that is kept about people."""
    return [
        (_("Contacts and companies"), _("to answer the buyer and tell their requests apart"), _("as long as their leads")),
        (_("Acts and their words"), _("to know what the buyer wants; for the score"), _("with the lead")),
        (_("The exact bytes as they came"), _("so that no lead is lost and every reading can be repeated"), _("until an operator drops their month")),
        (_("Timeline"), _("who did what with the lead, when and why"), _("with the lead")),
        (_("Campaign mail"), _("subject, language and outcome of each; at most one per stage"), _("with the lead")),
        (
            _("Deliveries and attempts"),
            _("what your own systems were told, and what they answered"),
            _("with the lead; attempts until an operator drops their month"),
        ),
        (_("What people chose about their mail"), _("language, and whether it may be seen that they open it; by keyed hash"), _("for good")),
        (_("Who must not be written to"), _("keyed hashes that name nobody; read again at every sending"), _("for good")),
        (_("Audit"), _("who signed in, saw a secret or read personal data"), _("for good")),
    ]
