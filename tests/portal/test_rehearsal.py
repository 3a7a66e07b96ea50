"""A rehearsal walks the real path and leaves nothing behind."""

import base64
from functools import cache

import pytest
from django.apps import apps
from django.db import connection

from campaigns.models import Campaign
from delivery.contract import Answer, Misconfigured, connectors
from delivery.models import Destination
from leads.intake import LOCK
from listings.models import LeadUrl
from portal import pipeline
from portal.rehearsal import rehearse


@cache
def tables():
    return sorted(
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label not in ("sessions", "contenttypes")
    )


def everything():
    """Every row of every table, as one digest per table."""
    with connection.cursor() as cursor:
        found = {}
        for table in tables():
            cursor.execute(f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t")
            found[table] = cursor.fetchone()
        return found


@pytest.fixture
def crm(offer, monkeypatch):
    made = Destination(name="Your CRM", kind="https", config={"url": "https://crm.example/leads"})
    made.keep_secret("whsec_" + base64.b64encode(b"0" * 24).decode())
    made.save()
    made.listings.add(offer)
    calls = []
    monkeypatch.setattr(type(connectors()["https"]), "send", lambda self, *args: calls.append(args) or Answer(200, "ok"))
    made.calls = calls
    return made


def test_every_step_is_walked_and_told(offer, sales, crm):
    steps = {step.name: step for step in rehearse(offer)}
    assert list(steps) == ["Received", "Understood", "Scored", "Owner", "Enrolled", "Sent on", "Counted", "Delivered"]
    assert all(step.ok for step in steps.values())
    assert steps["Received"].text.startswith("202, ")
    assert steps["Understood"].text == "Azure Marketplace, Contact me, this listing"
    assert steps["Scored"].text.endswith("Act now")
    assert steps["Owner"].text == "Sales: Azure Marketplace; lowest load: 0 open"
    assert steps["Enrolled"].text == f"{Campaign.objects.get(kind='demand').name}, stage 1"
    assert steps["Sent on"].text == "Your CRM"
    assert steps["Delivered"].text == "Your CRM test call, 200"


def test_nothing_is_left_behind(offer, sales, crm, arrive):
    arrive(offer)
    before = everything()
    rehearse(offer)
    assert everything() == before


def test_the_destination_gets_a_marked_test_event(offer, crm):
    rehearse(offer)
    [(destination, message_id, event)] = crm.calls
    assert (destination, event["type"]) == (crm, "portal.test")
    assert message_id.startswith("test-")


def test_a_nurtured_lead_has_nobody_yet(app, sales):
    app.call_to_action = "get_it_now"
    app.save()
    steps = {step.name: step for step in rehearse(app)}
    assert steps["Understood"].text == "AppSource, Get it now, this listing"
    assert (steps["Sent on"].text, steps["Sent on"].ok, steps["Sent on"].empty) == ("nowhere: no destination wants it", True, True)


def test_a_destination_that_is_off_is_no_success(offer, crm):
    assert not {step.name: step for step in rehearse(offer)}["Sent on"].empty
    Destination.objects.update(state="off")
    sent = {step.name: step for step in rehearse(offer)}["Sent on"]
    assert (sent.text, sent.empty) == ("Your CRM (off)", True)


def test_a_refused_test_call_is_told_and_harms_nothing(offer, crm, monkeypatch):
    def refuse(self, *args):
        raise Misconfigured("401 Unauthorized")

    monkeypatch.setattr(type(connectors()["https"]), "send", refuse)
    last = rehearse(offer)[-1]
    assert (last.ok, last.text) == (False, "Your CRM: 401 Unauthorized")
    assert Destination.objects.get().state == "on"


def test_without_a_secret_it_stops_and_says_so(offer):
    LeadUrl.objects.all().delete()
    [step] = rehearse(offer)
    assert (step.ok, step.text) == (False, "This listing has no secret lead URL.")


def test_a_step_that_fails_stops_the_walk_and_keeps_nothing(offer, monkeypatch):
    def broken(leads):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(pipeline, "assign", broken)
    before = everything()
    steps = rehearse(offer)
    assert [step.name for step in steps] == ["Received", "Understood", "Stopped"]
    assert "division by zero" in steps[-1].text
    assert everything() == before


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_it_does_not_wait_for_intake(request):
    """Another session holds the intake lock, as a long drain does."""
    offer = request.getfixturevalue("offer")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            assert all(step.ok for step in rehearse(offer))
    finally:
        other.close()


def test_the_page_walks_remembers_and_shows(offer, marketing, sales, signed_in):
    assert signed_in(sales).post("/listings/edge-firewall/rehearsal/").status_code == 403
    browser = signed_in(marketing)
    answer = browser.post("/listings/edge-firewall/rehearsal/")
    assert (answer.status_code, answer["Location"]) == (302, "/listings/edge-firewall/#rehearsal")
    page = browser.get("/listings/edge-firewall/").content.decode()
    assert "Last test, walked through and rolled back" in page
    assert "sha256" in page
    assert browser.get("/listings/edge-firewall/rehearsal/")["Location"] == "/listings/edge-firewall/"
