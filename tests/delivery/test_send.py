"""Deliveries: what a CRM gets, how it is retried, and what it can't do to us. The CRM is a real server on loopback that misbehaves as told."""

import json
import socket
import threading
import time
from datetime import timedelta

import httpx2
import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from delivery import egress
from delivery import send as step
from delivery.connectors.https.connector import Connector, retry_after
from delivery.dead import handle, replay_all
from delivery.models import Delivery, DeliveryAttempt, Destination
from delivery.send import WINDOW, delay, replay, resume, send
from leads import reasons
from leads.bulk import set_status
from leads.models import Lead
from leads.work import add_note
from portal import pipeline
from tests.conftest import at_once
from tests.peers import dripping

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Crm:
    """Answers what it is told to, in order, then 200; keeps what it was sent."""

    def __init__(self, server: HTTPServer) -> None:
        self.server, self.plan, self.calls = server, [], []
        server.expect_request("/leads").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.calls.append((dict(request.headers), request.get_data()))
        return self.plan.pop(0) if self.plan else Response("thanks")

    @property
    def bodies(self):
        return [json.loads(body) for _, body in self.calls]

    @property
    def ids(self):
        return [headers["Webhook-Id"] for headers, _ in self.calls]


@pytest.fixture
def crm(httpserver, settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    return Crm(httpserver)


@pytest.fixture
def destination(crm, offer):
    made = Destination(name="Your CRM", kind="https", config={"url": crm.server.url_for("/leads")})
    made.keep_secret(SECRET)
    made.save()
    made.listings.add(offer)
    return made


def due_now():
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    Destination.objects.filter(closed_until__isnull=False).update(closed_until=timezone.now() - timedelta(seconds=1))


def test_a_lead_is_delivered_signed_with_its_full_state(destination, crm, offer, sales, arrive):
    lead = arrive(offer)
    assert send() == 1
    [(headers, body)] = crm.calls
    assert Webhook(SECRET).verify(body, {name.lower(): value for name, value in headers.items()})
    [state] = crm.bodies
    assert state["lead"]["contact"]["email"] == "ada.novak@kolovrat.example"
    assert state["lead"]["score"]["total"] == sum(line["points"] for line in state["lead"]["score"]["explanation"])
    assert state["lead"]["owner"] == "sales"
    delivery = lead.deliveries.get()
    assert (delivery.state, delivery.attempts, delivery.delivered_revision) == ("delivered", 1, 1)
    assert send() == 0


def test_a_retry_keeps_its_id_and_waits_as_asked(destination, crm, offer, sales, arrive):
    crm.plan = [Response("busy", 503, {"Retry-After": "7"}), Response("slow down", 429)]
    lead = arrive(offer)
    send()
    delivery = lead.deliveries.get()
    assert (delivery.state, delivery.last_error) == ("retrying", "503 busy")
    assert delivery.due_at >= timezone.now() + timedelta(seconds=6)
    for _ in range(2):
        due_now()
        send()
    assert len(crm.calls) == 3
    assert len(set(crm.ids)) == 1
    assert lead.deliveries.get().state == "delivered"
    assert list(DeliveryAttempt.objects.order_by("id").values_list("status", flat=True)) == [503, 429, 200]


def test_a_change_is_a_new_revision_with_a_new_id_and_a_note_is_none(destination, crm, offer, sales, arrive):
    lead = arrive(offer)
    send()
    add_note(lead, sales, "internal")
    pipeline.run()
    assert send() == 0
    set_status(Lead.objects.filter(pk=lead.pk), "opportunity", by=sales)
    pipeline.run()
    assert send() == 1
    assert [body["lead"]["status"] for body in crm.bodies] == ["new", "opportunity"]
    assert len(set(crm.ids)) == 2


def test_a_newer_revision_replaces_one_still_waiting(destination, crm, offer, sales, arrive):
    crm.plan = [Response("", 500)]
    lead = arrive(offer)
    send()
    set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=sales)
    pipeline.run()
    due_now()
    send()
    assert [body["revision"] for body in crm.bodies] == [1, 2]
    assert lead.deliveries.count() == 1


def test_a_result_under_an_old_fence_changes_nothing(destination, offer, sales, arrive):
    lead = arrive(offer)
    [call] = step.claim(destination, 10)
    Delivery.objects.update(fence=99, lease_until=timezone.now() + timedelta(minutes=1))
    step.finish(destination, step.perform(destination, call))
    delivery = lead.deliveries.get()
    assert (delivery.state, delivery.delivered_revision) == ("due", None)
    assert delivery.lease_until is not None
    assert DeliveryAttempt.objects.count() == 1


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refusal_is_dead_at_once_with_the_crms_words(destination, crm, offer, sales, arrive, status):
    crm.plan = [Response("company is mandatory", status)]
    lead = arrive(offer)
    send()
    delivery = lead.deliveries.get()
    assert (delivery.state, delivery.last_error) == ("dead", f"{status} company is mandatory")
    assert replay([delivery.pk]) == 1
    send()
    assert lead.deliveries.get().state == "delivered"
    assert len(set(crm.ids)) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410, 301])
def test_a_wrong_destination_is_paused_and_spends_no_attempts(destination, crm, offer, sales, arrive, status):
    crm.plan = [Response("who are you", status, {"Location": "http://127.0.0.1:1/"})]
    lead = arrive(offer)
    send()
    destination.refresh_from_db()
    assert destination.state == "paused"
    assert str(status) in destination.pause_reason
    assert (lead.deliveries.get().state, lead.deliveries.get().attempts) == ("retrying", 0)
    assert send() == 0
    resume(destination)
    send()
    assert lead.deliveries.get().state == "delivered"


def test_after_72_hours_it_is_dead(destination, crm, offer, sales, arrive):
    crm.plan = [Response("", 500)]
    lead = arrive(offer)
    Delivery.objects.update(owed_since=timezone.now() - WINDOW - timedelta(minutes=1))
    send()
    assert lead.deliveries.get().state == "dead"


def failing_for(seconds):
    """The destination has answered nothing but errors for so long."""
    Destination.objects.update(failures_in_row=step.BREAKER_FROM - 1, failing_since=timezone.now() - timedelta(seconds=seconds))


def test_in_the_first_half_minute_every_delivery_has_its_own_retries(destination, crm, offer, sales, post, monkeypatch):
    monkeypatch.setattr(step, "delay", lambda attempts, after: 60)
    crm.plan = [Response("", 503) for _ in range(24)]
    for number in range(12):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    for _ in range(2):
        due_now()
        assert send() == 12
    assert set(Delivery.objects.values_list("state", flat=True)) == {"retrying"}
    due_now()
    send()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    destination.refresh_from_db()
    assert (destination.failures_in_row, destination.failing_since, destination.closed_until) == (0, None, None)


def test_the_breaker_opens_after_five_failures_and_probes_with_one(destination, crm, offer, sales, post):
    crm.plan = [Response("", 500) for _ in range(8)]
    for number in range(8):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    failing_for(40)
    send()
    destination.refresh_from_db()
    assert destination.closed_until > timezone.now()
    made = len(crm.calls)
    assert send() == 0
    due_now()
    crm.plan = [Response("", 500)]
    assert send() == 1
    due_now()
    send()
    assert len(crm.calls) >= made + 9
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_connection_that_breaks_or_says_rubbish_is_retried(destination, offer, sales, arrive):
    """Accepted, then reset: we can't know, so it is sent again with the same id."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        destination.config = {"url": f"http://127.0.0.1:{server.getsockname()[1]}/leads"}
        destination.save()

        def reset():
            peer, _ = server.accept()
            peer.recv(65536)
            peer.close()

        thread = threading.Thread(target=reset)
        thread.start()
        lead = arrive(offer)
        send()
        thread.join()
    assert lead.deliveries.get().state == "retrying"
    assert DeliveryAttempt.objects.get().status is None


def test_a_huge_answer_is_cut(destination, crm, offer, sales, arrive):
    crm.plan = [Response(b"x" * 5_000_000, 422)]
    lead = arrive(offer)
    send()
    assert len(DeliveryAttempt.objects.get().answer) <= 4096
    assert lead.deliveries.get().state == "dead"


def test_the_first_delivery_is_told_though_a_newer_revision_came_meanwhile(destination, crm, offer, sales, arrive, monkeypatch):
    lead = arrive(offer)
    finish = step.finish

    def meanwhile(*call):
        set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=sales)
        pipeline.run()
        finish(*call)

    with monkeypatch.context() as patched:
        patched.setattr(step, "finish", meanwhile)
        send()
    assert lead.deliveries.get().state in ("due", "delivered")
    send()
    assert [line.data["destination"] for line in lead.activities.filter(kind="delivered")] == [destination.name]


def test_test_and_neighbour_leads_reach_no_crm(destination, crm, offer, sales, post):
    post(offer, firstName="MSFT_TEST_1")
    post(offer, actionCode="DNC")
    pipeline.run()
    send()
    assert crm.calls == []


def test_a_destination_that_is_off_or_elsewhere_gets_nothing(destination, crm, app, offer, sales, arrive):
    arrive(app)
    Destination.objects.update(state="off")
    arrive(offer)
    send()
    assert crm.calls == []


def test_what_changed_and_came_while_it_was_off_is_sent_when_it_is_on_again(destination, crm, offer, sales, arrive):
    lead = arrive(offer)
    send()
    Destination.objects.update(state="off")
    set_status(Lead.objects.filter(pk=lead.pk), "won", by=sales)
    arrive(offer, email="came.meanwhile@kolovrat.example")
    pipeline.run()
    assert send() == 0
    resume(destination)
    assert send() == 2
    assert {body["lead"]["contact"]["email"]: body["lead"]["status"] for body in crm.bodies[1:]} == {
        "ada.novak@kolovrat.example": "won",
        "came.meanwhile@kolovrat.example": "new",
    }


def test_a_state_that_changed_while_it_was_off_has_an_id_of_its_own(destination, crm, offer, sales, arrive):
    lead = arrive(offer)
    crm.plan = [Response("busy", 503)]  # as when it was taken and the answer got lost
    send()
    Destination.objects.update(state="off")
    set_status(Lead.objects.filter(pk=lead.pk), "won", by=sales)
    pipeline.run()
    resume(destination)
    send()
    assert [(body["revision"], body["lead"]["status"]) for body in crm.bodies] == [(1, "new"), (2, "won")]
    assert len(set(crm.ids)) == 2


def test_one_that_was_switched_off_during_a_call_stays_off_whatever_the_answer(destination, crm, offer, sales, arrive):
    arrive(offer)
    [call] = step.claim(destination, 10)
    crm.plan = [Response("no", 401)]
    Destination.objects.update(state="off")
    step.finish(destination, step.perform(destination, call))
    assert Destination.objects.get().state == "off"


def test_a_call_that_went_through_beside_it_lifts_no_hold(destination, crm, offer, sales, arrive):
    """Four calls are in flight at once: one is told to come back in an hour, the others are thanked."""
    for n in range(12):
        arrive(offer, email=f"person{n}@kolovrat.example")
    crm.plan = [Response("slow down", 429, {"Retry-After": "3600"})]
    send()
    assert len(crm.calls) <= step.IN_FLIGHT
    assert Destination.objects.get().closed_until > timezone.now() + timedelta(minutes=59)
    assert Delivery.objects.filter(state="delivered").count() == len(crm.calls) - 1
    due_now()
    send()
    assert Delivery.objects.filter(state="delivered").count() == 12
    assert Destination.objects.get().closed_until is None


@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_that_says_when_to_come_back_holds_back_every_lead(destination, crm, offer, sales, arrive, status):
    for n in range(12):
        arrive(offer, email=f"person{n}@kolovrat.example")
    crm.plan = [Response("slow down", status, {"Retry-After": "3600"}) for _ in range(12)]
    send()
    assert len(crm.calls) <= 4  # those that were in flight
    assert Destination.objects.get().closed_until > timezone.now() + timedelta(minutes=59)
    due_now()
    crm.plan = []
    send()
    assert Delivery.objects.filter(state="delivered").count() == 12


def test_two_sides_that_can_not_agree_on_tls_pause_the_destination(destination, crm, offer, sales, arrive):
    Destination.objects.update(config={"url": crm.server.url_for("/leads").replace("http:", "https:")})
    lead = arrive(offer)
    send()
    assert Destination.objects.get().state == "paused"
    assert lead.deliveries.get().attempts == 0


def test_a_host_name_of_another_alphabet_goes_out_in_its_ascii_form(crm, monkeypatch):
    asked = []

    def look_up(host, port, **kind):
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    target = egress.resolve("https://münchen.example:8443/leads")
    assert asked == ["xn--mnchen-3ya.example"]
    assert (target.name, target.host) == ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example:8443")


@pytest.mark.parametrize("url", ["https://@example.com/x", "https://:@example.com/x", "https://me@example.com/x", "https://me:pw@example.com/x"])
def test_an_address_with_a_user_in_it_is_refused_even_an_empty_one(url):
    with pytest.raises(ValidationError, match="user name"):
        egress.check_url(url)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_closing_dead_deliveries_by_hand_and_following_their_leads_do_not_wait_for_each_other(
    destination, crm, offer, sales, marketing, arrive, monkeypatch
):
    lead = arrive(offer)
    crm.plan = [Response("no", 400)]
    send()
    set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=sales)
    dead = Delivery.objects.get(state="dead")
    held, dispatch = threading.Event(), pipeline.dispatch

    def slowly(leads):
        held.set()
        time.sleep(1)
        return dispatch(leads)

    monkeypatch.setattr(pipeline, "dispatch", slowly)

    def follow():
        try:
            pipeline.run()
        finally:
            connection.close()

    following = threading.Thread(target=follow)
    following.start()
    assert held.wait(10)
    # The lead's new state makes it due again before the page gets its turn.
    assert handle([dead.pk], marketing, "by phone") == 0
    following.join()
    lead.refresh_from_db()
    assert lead.follow_error == ""
    assert lead.stale_since is None


def test_the_first_two_retries_come_within_30_seconds():
    for _ in range(200):
        assert delay(1, 0) + delay(2, 0) <= 30
    assert all(7 <= delay(3, 7) <= 3_600 for _ in range(100))
    assert all(delay(60, 0) <= 6 * 3600 for _ in range(100))


@pytest.mark.parametrize(
    ("header", "seconds"), [("5", 5), ("3, 5", 5), ("", 0), ("-3", 0), ("soon", 0), ("999999999", 24 * 3600), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_believed_within_reason(header, seconds):
    assert retry_after(header) == seconds


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/leads", "ftp://crm.example/", "https://user:pw@crm.example/", "https://", "crm.example", "https://127.0.0.1/", "https://10.0.0.1/",
        "https://169.254.169.254/latest", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://0.0.0.0/", "https://[fc00::1]/",
        "https://224.0.0.1/", "http://127.0.0.1/", "https://127。0。0。1/", "https://localhost/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_https_are_refused(url, settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = False
    with pytest.raises(ValidationError):
        egress.check_url(url)


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f000001", "localhost", "0177.0.0.1"])
def test_names_that_resolve_inside_are_refused_at_the_call(name, settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = False
    with pytest.raises((egress.Forbidden, OSError)):
        egress.post(f"https://{name}/", b"{}", {})


def test_even_loopback_may_only_be_loopback(settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    egress.check_url("http://127.0.0.1:8080/leads")
    with pytest.raises(ValidationError):
        egress.check_url("http://10.0.0.1/leads")


@pytest.mark.parametrize("secret", ["", "short", "whsec_short", "not base64!!", 5, None])
def test_a_weak_secret_is_refused(secret, settings):
    with pytest.raises(ValidationError):
        Connector().clean({"url": "https://crm.example/leads", "secret": secret})


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_workers_deliver_each_lead_once(destination, crm, offer, sales, post):
    for number in range(30):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()

    def work():
        send()

    at_once(5, work)
    send()
    assert len(crm.calls) == len(set(crm.ids)) == 30


def claimed_and_killed(destination):
    """What a worker leaves that dies with claimed deliveries in its hands, once their lease is over."""
    calls = step.claim(destination, 4)
    Delivery.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now() - timedelta(seconds=1))
    return calls


def test_a_payload_that_kills_its_worker_is_a_dead_letter_and_harms_no_neighbour(destination, crm, offer, sales, post):
    for number in range(3):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    assert len(claimed_and_killed(destination)) == 3
    fatal = Delivery.objects.order_by("due_at", "pk").first()
    for _ in range(step.GIVE_UP_AFTER):
        assert [call.delivery.pk for call in claimed_and_killed(destination)] == [fatal.pk]
    send()
    fatal.refresh_from_db()
    assert (fatal.state, fatal.last_error) == ("dead", reasons.FATAL)
    assert fatal.lead.activities.filter(kind="delivery_dead").exists()
    assert list(Delivery.objects.exclude(pk=fatal.pk).values_list("state", "losses")) == [("delivered", 1), ("delivered", 1)]
    assert replay([fatal.pk]) == 1
    send()
    assert Delivery.objects.get(pk=fatal.pk).state == "delivered"


def test_a_payload_that_cannot_be_written_is_refused_and_the_others_go(destination, crm, offer, sales, post, monkeypatch):
    for number in range(3):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    bad, write = Delivery.objects.first(), step.payload
    monkeypatch.setattr(step, "payload", lambda lead, revision: 1 / 0 if lead.pk == bad.lead_id else write(lead, revision))
    send()
    assert len(crm.calls) == 2
    assert (Delivery.objects.get(pk=bad.pk).state, Delivery.objects.get(pk=bad.pk).last_error) == (
        "dead",
        "ZeroDivisionError while writing its payload.",
    )


def test_a_failing_destination_is_left_alone_after_a_handful_of_calls(destination, crm, offer, sales, post):
    for number in range(40):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    crm.plan = [Response("", 500) for _ in range(40)]
    failing_for(40)
    send()
    destination.refresh_from_db()
    assert len(crm.calls) <= step.IN_FLIGHT
    assert timedelta(seconds=30) < destination.closed_until - timezone.now() <= timedelta(seconds=60)
    Destination.objects.update(closed_until=timezone.now(), failing_since=timezone.now() - timedelta(minutes=3))
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert send() == 1
    destination.refresh_from_db()
    assert timedelta(minutes=2) < destination.closed_until - timezone.now() <= timedelta(minutes=4)


def test_a_wrong_destination_gets_no_more_than_what_was_in_flight(destination, crm, offer, sales, post):
    for number in range(12):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    crm.plan = [Response("who are you", 401) for _ in range(12)]
    send()
    assert len(crm.calls) <= step.IN_FLIGHT


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_destination_that_hangs_holds_up_no_other(destination, crm, offer, sales, post, monkeypatch):
    monkeypatch.setattr(egress, "PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        other = Destination(name="Silent", kind="https", config={"url": f"http://127.0.0.1:{silent.getsockname()[1]}/"})
        other.keep_secret(SECRET)
        other.save()
        other.listings.add(offer)
        post(offer)
        pipeline.run()
        send()
    states = dict(Delivery.objects.values_list("destination__name", "state"))
    assert states == {"Your CRM": "delivered", "Silent": "retrying"}
    assert "No answer within 1 s" in Delivery.objects.get(destination=other).last_error


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_comes_due_while_others_hang_goes_out_beside_them(destination, crm, offer, app, sales, post, monkeypatch):
    """Nine begin to hang together and take every thread once; from their first failure on they leave half of them."""
    monkeypatch.setattr(egress, "PATIENCE", 1.5)
    monkeypatch.setattr(step, "TURN", 0.5)
    Destination.objects.update(state="off")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for number in range(9):
            other = Destination(
                name=f"Silent {number}", kind="https", config={"url": f"http://127.0.0.1:{silent.getsockname()[1]}/"}, failures_in_row=1
            )
            other.keep_secret(SECRET)
            other.save()
            other.listings.add(offer)
        for number in range(6):
            post(offer, email=f"p{number}@firm.example")
        pipeline.run()
        sending = threading.Thread(target=lambda: (send(), connection.close()))
        sending.start()
        time.sleep(1)
        Destination.objects.filter(pk=destination.pk).update(state="on")
        until = time.monotonic() + 3.5
        while not crm.calls and time.monotonic() < until:
            time.sleep(0.05)
        went = len(crm.calls)
        Destination.objects.exclude(pk=destination.pk).update(state="off")
        sending.join()
    assert went >= 1


@pytest.mark.parametrize("headers", [b"HTTP/1.1 200 OK\r\nX-", b""])
def test_a_peer_that_drips_its_headers_does_not_hold_the_line(headers, settings, monkeypatch):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    monkeypatch.setattr(egress, "PATIENCE", 0.8)
    with dripping(headers) as url:
        began = timezone.now()
        with pytest.raises((TimeoutError, httpx2.HTTPError)):
            egress.post(url, b"{}", {})
    assert timezone.now() - began < timedelta(seconds=8)


def test_a_peer_that_drips_its_answer_does_not_hold_the_line(destination, offer, sales, arrive, monkeypatch):
    monkeypatch.setattr(egress, "PATIENCE", 0.5)
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n") as url:
        destination.config = {"url": url}
        destination.save()
        lead = arrive(offer)
        began = timezone.now()
        send()
    assert timezone.now() - began < timedelta(seconds=8)
    assert lead.deliveries.get().state == "delivered"


def test_who_mends_a_destination_gives_what_waits_three_more_days(destination, crm, offer, sales, arrive):
    crm.plan = [Response("", 500)]
    lead = arrive(offer)
    Delivery.objects.update(owed_since=timezone.now() - WINDOW - timedelta(hours=8))
    resume(destination)
    send()
    assert lead.deliveries.get().state == "retrying"


def test_what_waits_for_its_next_try_is_tried_at_once_when_the_destination_is_mended(destination, crm, offer, sales, arrive):
    lead = arrive(offer)
    Delivery.objects.update(state="retrying", due_at=timezone.now() + timedelta(hours=6))
    assert send() == 0
    resume(destination)
    assert send() == 1 and lead.deliveries.get().state == "delivered"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_mending_a_destination_waits_for_no_call_that_is_finishing(destination, crm, offer, sales, arrive):
    """A call that ends holds its delivery before the destination: the other way round both would wait for each other."""
    arrive(offer)
    Delivery.objects.update(state="retrying", due_at=timezone.now() + timedelta(hours=1))
    held, go = threading.Event(), threading.Event()

    def finish():
        with transaction.atomic():
            list(Delivery.objects.select_for_update())
            held.set()
            assert go.wait(10)
            Destination.objects.update(failures_in_row=1)
        connection.close()

    finishing = threading.Thread(target=finish)
    finishing.start()
    assert held.wait(10)
    resume(destination)  # returns while the delivery is held
    go.set()
    finishing.join()
    assert Destination.objects.get().resumed_at is not None


def test_a_great_many_dead_ones_are_replayed_some_at_a_time(destination, crm, offer, sales, arrive, monkeypatch):
    monkeypatch.setattr("delivery.dead.AT_ONCE", 2)
    monkeypatch.setattr("delivery.dead.MOST", 4)
    for number in range(5):
        arrive(offer, email=f"p{number}@kolovrat.example")
    Delivery.objects.update(state="dead")
    assert [replay_all(Delivery.objects.dead()) for _ in range(3)] == [4, 1, 0]


@pytest.mark.parametrize("host", ["0x7f.1", "127.1", "2130706433", "10.1.", "example.0x1"])
def test_an_address_that_only_some_take_for_one_is_refused_at_once(host, settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = False
    with pytest.raises(ValidationError):
        egress.check_url(f"https://{host}/")


@pytest.mark.parametrize("address", ["192.88.99.1", "3fff::1", "5f00::1"])
def test_reserved_addresses_are_not_public(address):
    assert not egress.may_reach(egress.address_of(address))


def test_who_mends_it_during_a_call_saves_that_delivery_too(destination, crm, offer, sales, arrive):
    arrive(offer)
    Delivery.objects.update(owed_since=timezone.now() - WINDOW - timedelta(hours=8))
    crm.plan = [Response("", 500)]
    [call] = step.claim(destination, 1)
    resume(Destination.objects.get())
    step.finish(destination, step.perform(destination, call))
    assert Delivery.objects.get().state == "retrying"
