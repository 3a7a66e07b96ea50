"""Follow-up in the browser: who may, what it shows of failures, replay, handling by hand, set-up whose secret never comes out."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessRecord
from delivery.connectors.https.connector import Connector
from delivery.contract import Answer, RetryLater
from delivery.dead import handle
from delivery.forms import DestinationForm, config_form, keep
from delivery.models import Delivery, DeliveryAttempt, Destination
from leads import story

SECRET = "whsec_" + "QUJD" * 12
OTHER = "whsec_" + "REVG" * 12


@pytest.fixture
def crm(offer):
    made = Destination(name="Your CRM", kind="https", config={"url": "https://crm.example/leads"})
    made.keep_secret(SECRET)
    made.save()
    made.listings.add(offer)
    return made


@pytest.fixture
def dead(crm, offer, sales, arrive):
    """A delivery that the CRM refused, with its attempt."""
    one = Delivery.objects.get(lead=arrive(offer))
    Delivery.objects.filter(pk=one.pk).update(state="dead", last_error='422 {"error": "<b>country</b>"}', attempts=1)
    DeliveryAttempt.objects.create(delivery=one, revision=1, outcome="refused", status=422, took_ms=80, answer="<script>alert(1)</script>")
    one.refresh_from_db()
    return one


@pytest.fixture
def office(marketing, signed_in):
    return signed_in(marketing)


@pytest.fixture
def boss(admin, signed_in):
    return signed_in(admin)


def test_the_office_sees_all_and_sellers_nothing(dead, crm, marketing, admin, sales, signed_in):
    paths = ["", "deliveries/", f"deliveries/{dead.pk}/", f"{crm.pk}/"]
    for path in paths:
        for user in (marketing, admin):
            assert signed_in(user).get(f"/follow-up/{path}").status_code == 200
        assert signed_in(sales).get(f"/follow-up/{path}").status_code == 403
        assert Client().get(f"/follow-up/{path}").status_code == 302


def test_only_admins_change_destinations(crm, office):
    for path in ("new/https/", f"{crm.pk}/edit/"):
        assert office.get(f"/follow-up/{path}").status_code == 403
    for path in (f"{crm.pk}/state/", f"{crm.pk}/test/", f"{crm.pk}/edit/"):
        assert office.post(f"/follow-up/{path}", {"on": "0"}).status_code == 403
    crm.refresh_from_db()
    assert crm.state == "on"


def test_the_list_counts_and_a_pause_speaks_the_other_side_s_words(crm, dead, office):
    Destination.objects.update(state="paused", pause_reason="401 Unauthorized: unknown <key>")
    text = office.get("/follow-up/").text
    assert "It answered “401 Unauthorized: unknown &lt;key&gt;”" in text
    assert f"?state=dead&amp;destination={crm.pk}" in text


def test_a_closed_breaker_says_when_it_tries_again(crm, office):
    Destination.objects.update(failures_in_row=6, closed_until=timezone.now() + timedelta(minutes=5))
    assert "Tries again" in office.get("/follow-up/").text


def test_attempts_are_shown_as_text(dead, office):
    text = office.get(f"/follow-up/deliveries/{dead.pk}/").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert dead.message_id in text


def test_replay_keeps_the_message_id_and_is_audited(dead, office):
    was = dead.message_id
    office.post("/follow-up/deliveries/replay/", {"pick": str(dead.pk)})
    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.message_id) == ("due", 0, was)
    assert AccessRecord.objects.filter(subject="deliveries replayed: 1").exists()


def test_replay_of_all_follows_the_filters_and_touches_only_dead_ones(dead, crm, offer, arrive, office):
    other = arrive(offer, email="b@kolovrat.example").deliveries.get()
    Delivery.objects.filter(pk=other.pk).update(state="delivered")
    office.post("/follow-up/deliveries/replay/", {"all": "1", "sure": "1", "state": "dead", "destination": str(crm.pk + 1)})
    dead.refresh_from_db()
    assert dead.state == "dead"
    asked = office.post("/follow-up/deliveries/replay/", {"all": "1", "state": "dead", "destination": str(crm.pk)}).text
    dead.refresh_from_db()
    assert (dead.state, "1 delivery." in asked, f'name="destination" value="{crm.pk}"' in asked) == ("dead", True, True)
    office.post("/follow-up/deliveries/replay/", {"all": "1", "sure": "1", "destination": str(crm.pk)})
    dead.refresh_from_db()
    other.refresh_from_db()
    assert (dead.state, other.state) == ("due", "delivered")


def test_handling_by_hand_needs_a_reason_that_goes_on_the_timeline(dead, office, marketing):
    path = "/follow-up/deliveries/handled/"
    assert "How was it handled?" in office.post(path, {"pick": str(dead.pk)}).text
    assert office.post(path, {"pick": str(dead.pk), "reason": "  "}).status_code == 422
    assert office.post(path, {"pick": str(dead.pk), "reason": "Entered by hand"}).status_code == 302
    dead.refresh_from_db()
    assert (dead.state, dead.last_error) == ("handled", "Entered by hand")
    line = dead.lead.activities.get(kind="handled")
    assert (line.actor, story.tell(line)) == (marketing, ("Your CRM: handled by hand", "Entered by hand"))


def test_handling_many_asks_as_often_as_handling_few(crm, offer, arrive, marketing):
    asked = []
    for count in (2, 12):
        for number in range(count):
            arrive(offer, email=f"p{count}.{number}@kolovrat.example")
        dead = list(Delivery.objects.filter(state="due").values_list("pk", flat=True))
        Delivery.objects.filter(pk__in=dead).update(state="dead")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert handle(dead, marketing, "by phone") == count
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_a_destination_that_was_paused_while_its_form_stood_open_stays_paused(crm, offer):
    Destination.objects.update(state="paused", pause_reason="401")
    form, config = DestinationForm({"name": "Renamed", "listings": [offer.pk]}, instance=crm), config_form("https")
    config = config({"url": "https://crm.example/v2"}, destination=crm)
    assert form.is_valid() and config.is_valid()
    keep(form, config)
    crm.refresh_from_db()
    assert (crm.name, crm.config["url"], crm.state, crm.pause_reason) == ("Renamed", "https://crm.example/v2", "paused", "401")


def test_everything_wrong_with_a_destination_is_said_at_once(offer, boss):
    answer = boss.post("/follow-up/new/https/", {"name": "CRM", "url": "http://crm.example", "secret": ""})
    assert set(answer.context["config"].errors) == {"url", "secret"}


def test_what_is_not_dead_is_neither_replayed_nor_handled(dead, office):
    Delivery.objects.update(state="delivered")
    for path in ("replay/", "handled/"):
        office.post(f"/follow-up/deliveries/{path}", {"pick": str(dead.pk), "reason": "x"})
    dead.refresh_from_db()
    assert dead.state == "delivered"


def test_a_destination_is_made_with_its_secret_sealed(offer, boss):
    given = {"name": "CRM", "listings": [offer.pk], "url": "https://crm.example/leads", "secret": SECRET}
    assert boss.post("/follow-up/new/https/", given).status_code == 302
    made = Destination.objects.get()
    assert (made.secret, made.config, list(made.listings.all())) == (SECRET, {"url": "https://crm.example/leads"}, [offer])
    assert SECRET.encode() not in bytes(made.sealed_secret)


def test_the_connector_s_own_words_stand_beside_the_field_and_input_is_kept(offer, boss):
    answer = boss.post("/follow-up/new/https/", {"name": "CRM", "url": "http://crm.example/leads", "secret": SECRET})
    assert answer.status_code == 422
    assert "Needs https. Change http to https." in answer.text
    assert 'value="http://crm.example/leads"' in answer.text
    assert not Destination.objects.exists()


def test_an_empty_secret_keeps_the_old_one_and_a_new_one_replaces_it(crm, boss):
    path, given = f"/follow-up/{crm.pk}/edit/", {"name": "Your CRM", "url": "https://crm.example/v2"}
    boss.post(path, given)
    crm.refresh_from_db()
    assert (crm.secret, crm.config["url"]) == (SECRET, "https://crm.example/v2")
    boss.post(path, given | {"secret": OTHER})
    crm.refresh_from_db()
    assert crm.secret == OTHER


def test_the_secret_is_in_no_page_and_no_api_answer(crm, dead, boss, admin, api):
    for path in ("", "deliveries/", f"deliveries/{dead.pk}/", f"{crm.pk}/", f"{crm.pk}/?show=payload", f"{crm.pk}/edit/"):
        assert SECRET not in boss.get(f"/follow-up/{path}").text
    for path in ("destinations/", "deliveries/"):
        assert SECRET not in api(admin).get(f"/api/v1/{path}").text


def test_a_generated_secret_is_filled_in_and_not_kept(crm, boss):
    given = {"name": "Renamed", "url": "https://crm.example/v3", "generate": "1"}
    answer = boss.post(f"/follow-up/{crm.pk}/edit/", given)
    assert 'value="whsec_' in answer.text
    assert 'value="https://crm.example/v3"' in answer.text
    crm.refresh_from_db()
    assert (crm.name, crm.secret) == ("Your CRM", SECRET)


def test_off_and_resume(crm, boss):
    boss.post(f"/follow-up/{crm.pk}/state/", {"on": "0"})
    crm.refresh_from_db()
    assert crm.state == "off"
    Destination.objects.update(state="paused", pause_reason="401")
    boss.post(f"/follow-up/{crm.pk}/state/", {"on": "1"})
    crm.refresh_from_db()
    assert (crm.state, crm.pause_reason) == ("on", "")


def test_the_connection_test_shows_the_answer_or_the_failure(crm, boss, monkeypatch):
    monkeypatch.setattr(Connector, "test", lambda self, destination: Answer(200, "hello <b>"))
    text = boss.post(f"/follow-up/{crm.pk}/test/", follow=True).text
    assert "It answered 200" in text
    assert "hello &lt;b&gt;" in text

    def fails(self, destination):
        raise RetryLater("503 Service Unavailable")

    monkeypatch.setattr(Connector, "test", fails)
    assert "It said: “503 Service Unavailable”" in boss.post(f"/follow-up/{crm.pk}/test/", follow=True).text
    assert not Delivery.objects.exists()


def test_the_payload_preview_is_what_is_sent_and_audited(crm, dead, office):
    text = office.get(f"/follow-up/{crm.pk}/?show=payload").text
    assert json.dumps("lead.state")[1:-1] in text
    assert "ada.novak@kolovrat.example" in text
    assert AccessRecord.objects.filter(kind="personal_data_read", subject__contains="payload preview").count() == 1
    assert "ada.novak" not in office.get(f"/follow-up/{crm.pk}/").text


@pytest.mark.parametrize("query", ["?destination=x", "?destination=99999999999999999999", "?state=nothing", "?before=x"])
def test_odd_filters_find_nothing_rather_than_fail(dead, office, query):
    assert office.get(f"/follow-up/deliveries/{query}").status_code == 200


def test_lists_cost_the_same_however_long(crm, offer, sales, arrive, office):
    def costs(path):
        with CaptureQueriesContext(connection) as queries:
            assert office.get(path).status_code == 200
        return len(queries)

    paths = ("/follow-up/", "/follow-up/deliveries/", f"/follow-up/{crm.pk}/")
    arrive(offer)
    few = [costs(path) for path in paths]
    for number in range(6):
        arrive(offer, email=f"a{number}@kolovrat{number}.example")
    for number in range(3):
        Destination.objects.create(name=f"CRM {number}", kind="https").listings.add(offer)
    assert [costs(path) for path in paths] == few


def test_older_pages_go_on_where_the_first_ends(crm, offer, sales, arrive, office, monkeypatch):
    monkeypatch.setattr("accounts.newest.newest.__defaults__", (2,))
    for number in range(5):
        arrive(offer, email=f"a{number}@kolovrat{number}.example")
    seen, path = [], "?"
    while path:
        page = office.get(f"/follow-up/deliveries/{path}").context["page"]
        seen += [row.pk for row in page.rows]
        path = page.older_url
    assert seen == list(Delivery.objects.order_by("-pk").values_list("pk", flat=True))


def test_sending_again_is_audited_and_says_when_there_is_nothing_to_send(dead, office):
    where = reverse("delivery:send_again", args=[dead.pk])
    assert "It is sent again now" in office.post(where, follow=True).text
    assert AccessRecord.objects.filter(subject=f"delivery {dead.pk} sent again").count() == 1
    Delivery.objects.update(state="delivered")
    assert "Nothing to send again" in office.post(where, follow=True).text
    assert AccessRecord.objects.filter(subject=f"delivery {dead.pk} sent again").count() == 1


def test_replaying_to_what_is_off_says_that_it_waits(dead, crm, office):
    Destination.objects.update(state="off")
    page = office.post(reverse("delivery:replay"), {"pick": [str(dead.pk)]}, follow=True)
    assert "is due again" in page.text and "gets what is due when it is on again" in page.text


def test_a_delivery_to_a_destination_that_is_paused_says_what_it_waits_for(dead, crm, office):
    Delivery.objects.filter(pk=dead.pk).update(state="retrying")
    Destination.objects.filter(pk=crm.pk).update(state="paused")
    assert "when the destination is on again" in office.get(f"/follow-up/deliveries/{dead.pk}/").text
