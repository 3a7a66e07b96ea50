"""What the checks of a listing say, in a constant number of queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from delivery.models import Delivery, DeliveryAttempt, Destination
from leads.models import Disposition
from listings.health import BAD, OFF, OK, WARN, health_of
from listings.links import page
from listings.models import LeadUrl, Listing
from portal import pipeline


def checks(listing):
    return {check.name: check for check in health_of([listing])[listing.pk].checks}


@pytest.fixture
def settled(offer):
    """The offer's secret was made a while ago."""
    LeadUrl.objects.update(created_at=timezone.now() - timedelta(hours=1))
    return offer


@pytest.fixture
def crm(offer):
    made = Destination.objects.create(name="Your CRM", kind="https", config={"url": "https://crm.example"})
    made.listings.add(offer)
    return made


def test_a_fresh_listing_waits_for_its_test_lead(offer):
    found = checks(offer)
    assert (found["test_lead"].state, found["test_lead"].title) == (WARN, "No test lead yet")
    assert found["last_lead"].title == "No lead has come in yet"
    health = health_of([offer])[offer.pk]
    assert (health.state, health.text) == ("unproven", "Not connected yet")
    assert "neither a test nor a lead" in health.story


def test_a_test_lead_proves_the_secret_until_it_is_rotated(settled, offer, post):
    post(offer, email="MSFT_TEST_1@test.com", firstName="MSFT_TEST_1")
    pipeline.run()
    assert checks(offer)["test_lead"].state == OK
    offer.rotate_lead_url()
    assert checks(offer)["test_lead"].title == "No test lead since the secret was changed"


def test_a_real_lead_proves_it_as_well_but_not_within_the_overlap(settled, offer, arrive):
    arrive(offer)
    assert "in_use" in checks(offer)
    offer.rotate_lead_url()
    arrive(offer, email="second@hold.example")
    assert "in_use" not in checks(offer)  # it may have come by the old secret


def test_the_last_real_lead_is_named_and_linked(offer, arrive):
    lead = arrive(offer)
    check = checks(offer)["last_lead"]
    assert check.why == "Ada Novák, Kolovrat s.r.o., Get it now"
    assert check.url == f"/leads/{lead.pk}/"


def test_quarantine_is_counted_and_says_why(offer, post):
    submission = post(offer, b"{")
    pipeline.run()
    submission.refresh_from_db()
    assert submission.disposition == Disposition.QUARANTINED
    check = checks(offer)["failures"]
    assert (check.state, check.title) == (WARN, "1 in quarantine")
    assert check.why == submission.reason


def test_secrets_grow_old_and_may_be_missing(offer):
    LeadUrl.objects.update(created_at=timezone.now() - timedelta(days=366))
    assert checks(offer)["secret"].state == WARN
    LeadUrl.objects.all().delete()
    assert checks(offer)["secret"].state == BAD
    assert health_of([offer])[offer.pk].state == "failing"


def test_a_paused_destination_fails_its_listing(offer, app, crm):
    Destination.objects.update(state="paused", pause_reason="401 Unauthorized")
    found = health_of([offer, app])
    assert (found[offer.pk].state, found[offer.pk].text) == ("failing", "Failing")
    assert found[app.pk].state == "unproven"
    assert checks(offer)[f"destination-{crm.pk}"].why == "401 Unauthorized"


def test_dead_deliveries_fail_their_own_listing_only(offer, app, crm, arrive):
    crm.listings.add(app)
    lead = arrive(offer)
    Delivery.objects.filter(lead=lead).update(state="dead", last_error="422 no")
    found = health_of([offer, app])
    assert (found[offer.pk].state, found[app.pk].state) == ("failing", "unproven")


def test_an_answering_destination_tells_its_last_answer(offer, crm, arrive):
    lead = arrive(offer)
    Delivery.objects.filter(lead=lead).update(state="delivered")
    DeliveryAttempt.objects.create(delivery=lead.deliveries.get(), revision=1, outcome="delivered", status=200, took_ms=180)
    check = checks(offer)[f"destination-{crm.pk}"]
    assert (check.title, check.why) == ("Your CRM answers", "200 in 180 ms; none dead")


def test_a_destination_that_is_off_does_not_turn_the_listing_off(offer, crm, arrive):
    other = Destination.objects.create(name="Other", kind="https")
    other.listings.add(offer)
    Destination.objects.filter(pk=crm.pk).update(state="off")
    assert checks(offer)[f"destination-{crm.pk}"].state == OFF
    arrive(offer)
    assert health_of([offer])[offer.pk].state == "healthy"


def test_that_every_destination_of_a_listing_is_off_is_marked(offer, crm, arrive):
    """Somebody meant it, so the listing is well; but its leads go nowhere, which no green tick says."""
    arrive(offer)
    Destination.objects.update(state="off")
    assert checks(offer)[f"destination-{crm.pk}"].state == WARN
    assert health_of([offer])[offer.pk].state == "healthy"


def test_what_a_destination_left_undone_shows_even_when_it_is_off(offer, crm, arrive):
    lead = arrive(offer)
    assert health_of([offer])[offer.pk].state == "healthy"
    Delivery.objects.filter(lead=lead).update(state="dead", last_error="422 no")
    Destination.objects.update(state="off")
    health = health_of([offer])[offer.pk]
    assert (health.state, health.text) == ("warned", "1 dead delivery")


def test_queries_do_not_grow_with_listings(offer, app, crm, arrive):
    from tests.conftest import listing

    arrive(offer)
    with CaptureQueriesContext(connection) as one:
        health_of([offer])
    asked = len(one)
    for number in range(5):
        more = listing(f"more-{number}", f"More {number}", "appsource", "app")
        crm.listings.add(more)
        arrive(more, email=f"p{number}@hold.example")
    every = list(Listing.objects.for_display())
    with CaptureQueriesContext(connection) as many:
        health_of(every)
    assert len(many) == asked


def test_what_is_the_matter_with_a_destination_leads_to_it(offer, crm, admin, signed_in):
    Destination.objects.update(state="paused", pause_reason="404: gone")
    check = checks(offer)[f"destination-{crm.pk}"]
    assert check.url == reverse("delivery:detail", args=[crm.pk])
    assert f'href="{check.url}"' in signed_in(admin).get("/listings/edge-firewall/").text


def test_a_page_that_is_not_there_is_a_mistake():
    with pytest.raises(NoReverseMatch):
        page("delivery:nowhere")
