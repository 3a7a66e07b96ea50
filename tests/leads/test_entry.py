"""A lead by hand: one more way in, the same path; and what people bring is no sign of life of a lead URL."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessRecord
from insights.health import tallies
from insights.tally import rebuild
from leads import importing
from leads.models import Lead, Submission
from listings.health import checks_for, health_of
from listings.models import LeadUrl, Publisher
from portal import pipeline

NEW = "/leads/new/"
ADA = {
    "firstName": "Ada",
    "lastName": "Novák",
    "email": "ada.novak@kolovrat.example",
    "phone": "555 010 203",
    "country": "CZ",
    "company": "Kolovrat",
    "title": "CIO",
}


@pytest.fixture
def browser(marketing, signed_in):
    return signed_in(marketing)


def test_what_is_entered_is_archived_understood_scored_and_owned(offer, sales, browser, marketing):
    page = browser.post(NEW, {**ADA, "listing": offer.pk, "actionCode": "PLT", "description": "Met at the fair."}, follow=True)
    lead = Lead.objects.for_list().get()
    assert page.redirect_chain[-1][0] == lead.get_absolute_url()
    assert "Lead added" in page.content.decode()
    pipeline.run()
    lead = Lead.objects.for_list().get()
    assert (lead.contact.phone, lead.contact.country, lead.owner, lead.is_brought) == ("+420555010203", "CZ", sales, True)
    assert lead.score > 0
    act = lead.interactions.get()
    assert (act.source, act.action, act.description, act.extra) == ("By hand", "PLT", "Met at the fair.", {"enteredBy": "Marketing"})
    assert Submission.objects.get().is_brought
    assert AccessRecord.objects.filter(user=marketing, subject="lead entered by hand for edge-firewall").count() == 1
    record = browser.get(lead.get_absolute_url()).content.decode()
    assert "Entered by hand" in record
    assert "Shared by Azure Marketplace" not in record
    assert "brought by a person" in browser.get("/leads/quarantine/everything/").content.decode()


def test_whoever_is_known_gets_one_more_act_and_the_same_again_none(offer, sales, browser, arrive):
    lead = arrive(offer)
    entered = {**ADA, "listing": offer.pk, "description": "Called us."}
    for _ in range(2):
        page = browser.post(NEW, entered, follow=True)
    assert "This was here already" in page.content.decode()
    lead.refresh_from_db()
    assert (Lead.objects.count(), lead.interaction_count, lead.is_brought) == (1, 2, False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "ada@"}, "email"), ({"email": "", "phone": ""}, "__all__"), ({"email": "", "phone": "1234"}, "__all__"), ({"email": "", "phone": "none"}, "__all__"), ({"country": "QQ"}, "country"), ({"listing": "999999"}, "listing"),
        ({"listing": ""}, "listing"), ({"actionCode": "DNC"}, "actionCode"), ({"firstName": "x" * 151}, "firstName"),
    ],
    ids=["no address", "no way to reach them", "too short a number", "no number", "no country", "no such listing", "no listing", "no act of a buyer here", "too long"],
)  # fmt: skip
def test_what_makes_no_lead_is_refused_beside_its_field_and_the_input_stays(offer, browser, changes, field):
    page = browser.post(NEW, {**ADA, "listing": offer.pk, **changes})
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert "Kolovrat" in page.content.decode()
    assert not Submission.objects.exists()


def test_it_is_the_offices(offer, sales, client, signed_in):
    assert client.get(NEW).status_code == 302
    assert signed_in(sales).get(NEW).status_code == signed_in(sales).post(NEW, {**ADA, "listing": offer.pk}).status_code == 403
    assert "New lead" not in signed_in(sales).get("/leads/").content.decode()
    assert not Submission.objects.exists()


def checks(listing):
    return {check.name: check for check in checks_for([listing])[listing.pk]}


def brought(offer, count):
    file = "Email\n" + "".join(f"p{number}@x{number}.example\n" for number in range(count))
    importing.take_in(io.StringIO(file), offer)
    pipeline.run()


def test_what_people_bring_proves_no_secret_and_is_not_the_last_real_lead(offer, sales, browser, arrive):
    LeadUrl.objects.update(created_at=timezone.now() - timedelta(days=1))
    brought(offer, 3)
    browser.post(NEW, {**ADA, "listing": offer.pk})
    assert Lead.objects.filter(is_brought=True).count() == 4
    found = checks(offer)
    assert "in_use" not in found
    assert found["last_lead"].title == "No lead has come in yet"
    real = arrive(offer, email="real@hold.example")
    found = checks(offer)
    assert "in_use" in found
    assert found["last_lead"].url == real.get_absolute_url()


def test_an_import_neither_breaks_a_silence_nor_makes_a_rate(offer, app, sales, arrive):
    for number in range(12):  # one every other day, up to eight days ago
        lead = arrive(offer, email=f"p{number}@hold{number}.example")
        moment = timezone.now() - timedelta(days=8 + 2 * number)
        Lead.objects.filter(pk=lead.pk).update(received_at=moment)
        Submission.objects.filter(lead=lead).update(received_at=moment)
    rebuild()
    before = health_of([offer])[offer.pk]
    brought(offer, 40)
    after = health_of([offer])[offer.pk]
    assert (after.state, after.text) == (before.state, before.text)
    assert after.arrivals == before.arrivals + 40  # as the list behind the figure has them
    assert after.silence.title == before.silence.title
    # And a listing that knows imports alone has no usual interval.
    brought(app, 40)
    assert checks(app)["silence"].title == "Too little has come in to know a usual interval"


def test_an_act_through_the_url_of_somebody_brought_first_is_a_sign_of_life(offer, sales, arrive):
    LeadUrl.objects.update(created_at=timezone.now() - timedelta(days=1))
    brought(offer, 1)
    assert "in_use" not in checks(offer)
    lead = arrive(offer, email="p0@x0.example")
    assert lead.is_brought
    found = checks(offer)
    assert "in_use" in found
    assert found["last_lead"].url == lead.get_absolute_url()


def test_brought_demand_makes_no_rate(offer, sales):
    file = "Email,actionCode\n" + "".join(f"p{number}@x{number}.example,DNC\n" for number in range(9))
    importing.take_in(io.StringIO(file), offer)
    pipeline.run()
    assert set(Submission.objects.values_list("disposition", flat=True)) == {"do_not_contact"}
    assert tallies([offer.pk], timezone.localdate() - timedelta(days=3))[offer.pk] == {Publisher.current().today: (0, 0)}


def test_days_that_only_an_import_had_make_no_listing_older(offer, sales, arrive):
    """Something came on each of the last 20 days; a list was brought two months ago."""
    brought(offer, 5)
    Lead.objects.filter(is_brought=True).update(received_at=timezone.now() - timedelta(days=60))
    for number in range(20):
        lead = arrive(offer, email=f"real{number}@hold{number}.example")
        Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(days=number))
    rebuild()
    assert checks(offer)["silence"].title == "Usually a lead every 1 day"
