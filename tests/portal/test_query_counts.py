"""No page and no list of the API asks the database more often because there is more to show: every address without a parameter, before and after."""

from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessRecord, Pace, User
from campaigns.models import DemandActivity, Suppression
from leads.models import Lead
from tests.portal.test_access import converters, routes

# Files and what changes something by being asked for, or measures the database itself.
OTHER = ("api/schema", "api/docs", "metrics", "health/", "in/", "static", "leads/export", "search")

# A line of "Needs you" that was not there before asks once for its reason.
MORE = {"/overview/": 3}


def plant(leads, seed):
    call_command("seed_demo", leads=leads, seed=seed, stdout=StringIO())


def asked(browser, path):
    """How many queries a warm look makes; none for what is no page."""
    counts = []
    for _ in range(2):
        cache.clear()
        Pace.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(path)
            if answer.streaming:
                return None
        counts.append(len(queries))
    return counts[-1] if answer.status_code == 200 else None


@pytest.fixture
def browser(db, signed_in):
    plant(80, 1)
    return signed_in(User.objects.get(username="admin"))


def test_no_page_asks_more_often_when_there_is_more(browser):
    paths = [f"/{route}" for route in sorted(set(routes())) if not converters(route) and not route.startswith(OTHER)]
    few = {path: n for path in paths if (n := asked(browser, path)) is not None}
    before = Lead.objects.count()
    plant(240, 2)
    admin = User.objects.get(username="admin")
    AccessRecord.objects.bulk_create(AccessRecord(user=admin, kind="changed", subject=f"lead {n}") for n in range(60))
    Suppression.objects.bulk_create(Suppression(digest=bytes([n] * 32), reason="by_hand") for n in range(60))
    one = DemandActivity.objects.first()
    DemandActivity.objects.bulk_create(
        DemandActivity(name=f"Ad {n}", code=f"ad-{n}", channel="search", listing=one.listing, url=one.url) for n in range(30)
    )
    assert Lead.objects.count() >= before + 200
    many = {path: asked(browser, path) for path in few}
    assert {path: (few[path], n) for path, n in many.items() if n > few[path] + MORE.get(path, 0)} == {}
    assert len(few) > 40
