"""Every address of the portal, as everybody: who gets in is written down in policy.txt, and an address that is not there fails.

Two tests walk the whole URLconf, pages and API: one by role, against the policy; one as a seller who does not own the object, who must find nothing.
After adding an address: `POLICY=write python -m pytest tests/portal/test_access.py`, then read the difference.
"""

import os
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter
from django.utils import timezone

from accounts.models import Pace
from leads.models import Task
from portal import pipeline

POLICY = Path(__file__).with_name("policy.txt")
# Libraries that guard themselves; their own pages are tested with the sign-in and the back office.
ELSEWHERE = ("accounts/", "admin/", "language/")
NOBODY = {UUIDConverter: "01a1fcf1-0000-7000-8000-000000000000", IntConverter: "987654", SlugConverter: "nowhere", StringConverter: "nowhere"}


def routes(patterns=None, prefix=""):
    """(route, {parameter: converter}) of every address outside the libraries."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(ELSEWHERE):
            continue
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def converters(route):
    resolver = get_resolver()
    found = {}
    for part in route.split("<")[1:]:
        kind, _, name = part.split(">")[0].rpartition(":")
        found[name] = {"uuid": UUIDConverter, "int": IntConverter, "slug": SlugConverter}.get(kind, StringConverter)
    assert resolver
    return found


def address(route, values):
    """The path of a route with these values, and values of nothing where there is none."""
    path = "/" + route
    for name, converter in converters(route).items():
        start = path.index("<")
        path = path[:start] + str(values.get(name, NOBODY[converter])) + path[path.index(">") + 1 :]
    return path


def verdict(answer):
    """in: the door let them through, whatever they found; 405: there is no such door; login: sent to sign in; no: refused."""
    if answer.status_code == 405:
        return "405"
    if answer.status_code == 401 or (answer.status_code == 302 and "/accounts/login/" in answer["Location"]):
        return "login"
    return "no" if answer.status_code == 403 else "in"


def ask(client, method, path):
    Pace.objects.all().delete()
    client.raise_request_exception = False
    answer = client.generic(
        method, path, b"{}" if path.startswith("/api/") else b"", content_type="application/json" if path.startswith("/api/") else "text/plain"
    )
    assert answer.status_code < 500 or path == "/health/ready", f"{method} {path}: {answer.status_code}"
    return answer


def test_everybody_gets_in_where_the_policy_says_and_nowhere_else(publisher, sales, marketing, admin, api, signed_in):
    lines, users = [], (sales, marketing, admin)
    pages, machines = ({"anonymous": Client()} | {user.username: enters(user) for user in users} for enters in (signed_in, api))
    for route in sorted(set(routes())):
        for method in ("GET", "POST"):
            who = machines if route.startswith("api/v1") else pages
            verdicts = [f"{name}={verdict(ask(client, method, address(route, {})))}" for name, client in who.items()]
            lines.append(f"{method:4} /{route}  {' '.join(verdicts)}")
    if os.environ.get("POLICY") == "write":
        POLICY.write_text("\n".join(lines) + "\n")
    assert lines == POLICY.read_text().splitlines()


def test_no_address_lets_strangers_past_the_door_but_these():
    """Read by eye: what needs no sign-in."""
    open_to_all = {line.split()[1] for line in POLICY.read_text().splitlines() if "anonymous=in" in line}
    assert open_to_all == {
        "/in/<str:secret>", "/health/live", "/health/ready", "/unsubscribe/<str:token>/", "/mail-events/<slug:provider>/tracking/", "/mail-events/<slug:provider>/inbound/", "/c/<str:token>/", "/o/<str:token>/", "/go/<slug:code>/", "/campaigns/senders/verify/<str:token>/",
        "/api/v1/",  # where the API has nothing, and says so to everybody
    }  # fmt: skip


@pytest.fixture
def foreign(offer, sales, stranger, post):
    """A lead that `sales` owns, and every object that hangs on it."""
    post(offer, description="Only the owner may read this sentence.")
    pipeline.run()
    from campaigns.models import Enrollment
    from delivery.models import Delivery, Destination
    from leads.models import Lead

    lead = Lead.objects.get()
    Lead.objects.update(owner=sales)
    destination = Destination.objects.create(name="CRM", kind="https", config={"url": "https://crm.example"}, state="off")
    return {
        "lead": lead,
        "task": Task.objects.create(lead=lead, title="Call", due_at=timezone.now()),
        "delivery": Delivery.objects.create(lead=lead, destination=destination, revision=1),
        "enrollment": Enrollment.objects.get(),
        "activity": lead.activities.first(),
        "contact": lead.contact,
    }


def test_a_seller_finds_nothing_of_a_lead_that_is_not_theirs(foreign, stranger, api, signed_in):
    """Every address that takes an id is asked with every id of somebody else's lead, by GET and POST: nothing changes, and no word of it is shown."""
    words = ["Only the owner", "ada.novak@kolovrat.example", "+420555010203", "Kolovrat"]
    before, page, machine = snapshot(foreign), signed_in(stranger), api(stranger)
    for route in sorted(set(routes())):
        client = machine if route.startswith("api/v1") else page
        kinds = converters(route)
        for thing in foreign.values() if kinds else [foreign["lead"]]:
            values = dict.fromkeys(kinds, thing.pk)
            if kinds and not all(takes(kind, thing.pk) for kind in kinds.values()):
                continue
            for method in ("GET", "POST") if kinds else ("GET",):
                answer = ask(client, method, address(route, values))
                if kinds and UUIDConverter in kinds.values():
                    assert answer.status_code in (400, 403, 404, 405), f"{method} {route}: {answer.status_code}"
                text = b"".join(answer) if answer.streaming else answer.content
                assert not [word for word in words if word.encode() in text], f"{method} {route}"
    assert snapshot(foreign) == before


def takes(kind, key):
    """Whether an address with such a parameter can name something by this key."""
    return kind is StringConverter or (kind is UUIDConverter and isinstance(key, UUID)) or (kind is IntConverter and isinstance(key, int))


def snapshot(things):
    return {name: type(thing).objects.filter(pk=thing.pk).values().get() for name, thing in things.items()}
