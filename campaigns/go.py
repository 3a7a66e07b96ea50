"""The tracked link of a demand activity: on to its page on the marketplace, with its code in Microsoft's own `ocid` and in the usual UTM fields."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.access import public
from campaigns.models import DemandActivity
from listings.models import Publisher

# The link leads here and nowhere else.
MARKETPLACES = ("azuremarketplace.microsoft.com", "appsource.microsoft.com", "marketplace.microsoft.com")
PROGRAM = re.compile(r"bot|crawl|spider|preview|scan|monitor|curl|wget|python", re.IGNORECASE)


@public
@require_safe
def go(request: HttpRequest, code: str) -> HttpResponse:
    """Count the visit, if it is a person's, and lead on."""
    activity = get_object_or_404(DemandActivity, code=code)
    if request.method == "GET" and not PROGRAM.search(request.headers.get("User-Agent", "bot")):
        count_visit(activity)
    response = HttpResponseRedirect(target(activity))
    response["Cache-Control"], response["X-Robots-Tag"] = "no-store", "noindex"
    return response


def target(activity: DemandActivity) -> str:
    """The page on the marketplace with the campaign's id."""
    parts = urlsplit(activity.url)
    carried = {"ocid": activity.code, "utm_source": activity.channel, "utm_medium": "portal", "utm_campaign": activity.code}
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in carried]
    return urlunsplit(parts._replace(query=urlencode([*kept, *carried.items()])))


def count_visit(activity: DemandActivity) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [activity.pk, Publisher.current().today])


COUNT = """
    INSERT INTO campaigns_visits (activity_id, day, count) VALUES (%s, %s, 1)
    ON CONFLICT (activity_id, day) DO UPDATE SET count = campaigns_visits.count + 1
"""
