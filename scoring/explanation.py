"""A score in words: the lines of its addition, from the lead's points and the version's rules."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from leads.models import Lead
from leads.wording import country_name, phone_number
from listings.days import short
from scoring.models import ScoreRule, ScoreVersion

# Names of the shipped rules, marked here because they live in rows.
SHIPPED = (
    gettext_noop("Business e-mail"), gettext_noop("Disposable e-mail"), gettext_noop("Company known"), gettext_noop("Decides alone"),
    gettext_noop("Decides with others"), gettext_noop("Recommends"), gettext_noop("Country we serve"), gettext_noop("Right audience"),
    gettext_noop("Can be called"), gettext_noop("Purchased in the Azure portal"), gettext_noop("Asked to be contacted"), gettext_noop("Get it now"),
    gettext_noop("Test drive"), gettext_noop("Another act"), gettext_noop("Acted within 2 days"), gettext_noop("Two acts or more"),
    gettext_noop("Four acts or more"), gettext_noop("Acted on several days"), gettext_noop("Says what they need"), gettext_noop("Says it in detail"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the addition."""

    part: str
    rule: str
    points: int
    reason: str


@lru_cache(16)
def rules_of(number: int) -> tuple[ScoreVersion, tuple[ScoreRule, ...]]:
    """A published version never changes, so a process reads it once."""
    version = ScoreVersion.objects.get(number=number)
    return version, tuple(version.rules.order_by("position"))


def explain(lead: Lead) -> list[Line]:
    """The lines with points, caps included; their points sum to the lead's score exactly. Empty before the first scoring."""
    if lead.score_version is None:
        return []
    version, rules = rules_of(lead.score_version)
    lines = [
        Line(rule.part, _(rule.name), points, reason(lead, rule, points)) for rule, points in zip(rules, lead.score_points, strict=False) if points
    ]
    fit_over, intent_over, bonus = (*lead.score_points[len(rules) :], 0, 0, 0)[:3]
    if bonus:
        lines.append(Line("intent", _("Campaign"), bonus, _(lead.bonus_from) if lead.bonus_from else _("taken back since")))
    for part, cap, points in (("fit", version.fit_cap, fit_over), ("intent", version.intent_cap, intent_over)):
        if points:
            why = _("at most %(cap)d points") % {"cap": cap} if points < 0 else _("at least 0 points")
            lines.append(Line(part, _("Cap"), points, why))
    return lines


def reason(lead: Lead, rule: ScoreRule, points: int) -> str:
    """What about this lead earned the points."""
    contact = lead.contact
    facts = {
        "domain": contact.email.rpartition("@")[2],
        "company": contact.company_name,
        "title": contact.title,
        "country": country_name(contact.country),
        "audience": lead.listing.storefront.get_audience_display(),
        "phone": phone_number(contact.phone),
        "acts": ngettext("%(n)d act", "%(n)d acts", lead.interaction_count) % {"n": lead.interaction_count},
        "days": ngettext("on %(n)d day", "on %(n)d days", lead.active_days) % {"n": lead.active_days},
        "said": ngettext("%(n)d character", "%(n)d characters", lead.said_length) % {"n": lead.said_length},
        "acted": short(localtime(lead.last_interaction_at).date()) if lead.last_interaction_at else "",
        "code": lead.last_action or _("no code"),
    }
    why = facts.get(rule.shows) or _("holds")
    if rule.half_life_days and points < rule.points:
        why = _("%(when)s, faded from %(points)d") % {"when": why, "points": rule.points}
    return str(why)
