"""Pages that show figures of campaigns: the results of one, and what will be sent in the coming days."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.access import allow
from accounts.roles import OFFICE
from campaigns.coming import coming
from campaigns.figures import figures_of
from campaigns.found import campaign_of
from campaigns.models import MailRules
from campaigns.results import chart, earned, mails, moved_on, parts, tallied, times
from listings.days import weekday


@allow(*OFFICE)
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """What a campaign did so far."""
    campaign = campaign_of(slug)
    figures = figures_of(campaign.version)
    stood, went = times(figures.flow.steps), moved_on(figures.flow.steps)
    rows = tallied(campaign)
    context = {
        "campaign": campaign, "version": campaign.version, "chart": chart(campaign), "earned": earned(campaign, rows), "mails": mails(campaign),
        "stages": [(one, stood.get(one.stage.pk, (None, 0))[0], went.get(one.stage.pk)) for one in figures.standings], "entered": figures.entered,
        "breakdowns": [(_("By listing"), parts(campaign, "listing", rows)), (_("By country"), parts(campaign, "country", rows))],
        "tracks_opens": MailRules.current().tracks_opens,
    }  # fmt: skip
    return render(request, "campaigns/results.html", context)


@allow(*OFFICE)
def calendar(request: HttpRequest) -> HttpResponse:
    """What campaigns will send in the coming 14 days, as far as it is known now."""
    days = coming()
    return render(
        request,
        "campaigns/calendar.html",
        {
            "days": [(one, weekday(one.date)) for one in days],
            "has_any": any(one.sendings for one in days),
            "has_possible": any(one.possible for one in days),
        },
    )
