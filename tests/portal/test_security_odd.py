"""Odd requests, odd values and odd moments, each of which once found a way in or through."""

import base64
import contextlib
import json
import time
import zlib

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from accounts.models import User
from campaigns import words
from campaigns.models import StageText, Suppression
from delivery import egress
from leads import dialects
from leads.models import Contact, Lead
from listings.models import Publisher
from tests.peers import dripping

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("kind", ["application/json; charset*=bogus''x%41", "application/json; charset*=utf-8''%00"])
def test_no_content_type_costs_a_lead(offer, kind):
    """P2. Django's own request raises on such a header, before any middleware, and the web server would log the path with the secret."""
    from portal.wsgi import application

    said = []
    for sent in ("application/json", kind):
        request = RequestFactory().post(offer.current_lead_url().path, b"{}", content_type="text/plain")
        b"".join(application(request.environ | {"CONTENT_TYPE": sent}, lambda status, headers, *_: said.append(status[:3])))
    assert said == ["202", "202"]


def test_a_broken_chunk_is_400_and_no_traceback(offer, caplog):
    from gunicorn.http.errors import InvalidChunkSize

    class Broken:
        def read(self, size=None):
            raise InvalidChunkSize(b"ZZ")  # no OSError

        readline = read

    client = Client(raise_request_exception=False)
    answer = client.generic(
        "POST", offer.current_lead_url().path, b"", **{"wsgi.input": Broken(), "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    )
    assert answer.status_code == 400
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["/api/v1/leads/", "/api/v1/destinations/", "/api/v1/submissions/", "/metrics"])
def test_an_admin_without_second_factor_gets_nothing_by_session(offer, admin, signed_in, url):
    admin.is_demo = False
    admin.save()
    assert signed_in(admin).get(url).status_code == 403


def test_a_superuser_without_role_needs_the_second_factor_too(db, signed_in):
    """docs/operations.md has the first admin made by createsuperuser."""
    assert signed_in(User.objects.create_superuser("root", "root@x.example", "x")).get("/admin/").status_code == 302


def test_a_role_taken_away_in_the_back_office_shuts_it(admin, signed_in):
    admin.groups.clear()
    assert signed_in(admin).get("/admin/").status_code in (302, 403)


def test_suppression_is_about_the_address_a_mail_goes_to(app, sales, marketing, arrive, signed_in):
    """Somebody unsubscribed; their address is later typed onto a contact that is known by phone."""
    from campaigns.models import Enrollment, Message, Stage
    from campaigns.send import withheld

    arrive(app, email="ada@x.example")
    Suppression.add("ada@x.example", "unsubscribed")
    lead = arrive(app, email="", phone="+420 555 010 299")
    given = {
        "first_name": "P",
        "last_name": "N",
        "title": "",
        "company_said": "",
        "email": "ada@x.example",
        "phone": "+420555010299",
        "country": "CZ",
    }
    signed_in(marketing).post(f"/leads/{lead.pk}/contact/", given)
    assert Contact.objects.get(pk=lead.contact_id).email == "ada@x.example"
    enrollment = Enrollment.objects.get(lead=lead)
    assert (
        withheld(Message(enrollment=enrollment, stage=Stage.objects.filter(version__campaign=enrollment.campaign, kind="email").first()))
        == "suppressed"
    )


def test_a_name_that_is_an_address_of_the_web_is_no_link_in_our_mail(app, sales, arrive):
    from django.utils import timezone

    from campaigns.models import Enrollment, Message, Sender, Stage
    from campaigns.send import compose

    lead = arrive(app, firstName="https://evil.example/win", email="victim@x.example")
    sender = Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    enrollment = Enrollment.objects.get(lead=lead)
    stage = Stage.objects.filter(version__campaign=enrollment.campaign, kind="email").first()
    StageText.objects.filter(stage=stage).update(body="Hello {{ contact.first_name }}")
    mail = compose(Message(enrollment=enrollment, stage=stage), sender)
    assert 'href="https://evil.example' not in mail.alternatives[0][0]


@pytest.mark.parametrize(
    ("start", "drops"),
    [
        (b"HTTP/1.1 200 OK\r\n", [b"X-%d: y\r\n" % number for number in range(60)]),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]), [b"\x00\x00\x00\xff\xff"] * 60),
        (b"", [b"HTTP/1.1 100 Continue\r\n\r\n"] * 60),
    ],
    ids=["headers", "nothing, packed", "continue"],
)
def test_the_time_of_a_call_is_bounded_whatever_the_peer_drips(settings, monkeypatch, start, drops):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    monkeypatch.setattr(egress, "PATIENCE", 1.0)
    with dripping(start, drops, every=0.2) as url:
        began = time.monotonic()
        with contextlib.suppress(Exception):
            egress.post(url, b"{}", {})
        took = time.monotonic() - began
    assert took < 5


def test_an_answer_is_not_unpacked(settings, httpserver):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b"x" * 50_000_000) + packer.flush()
    httpserver.expect_request("/").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    egress.post(httpserver.url_for("/"), b"{}", {})
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("address", ["fec0::1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1"])
def test_old_ways_to_hide_an_inner_address(settings, address):
    import ipaddress

    settings.ALLOW_LOOPBACK_DESTINATIONS = False
    assert not egress.may_reach(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", ["https://crm.example/\x00", "https://crm.example/\ud800", "https://crm.example/a\nb"])
def test_an_address_that_can_not_be_stored_is_a_problem_in_words(admin, api, url):
    body = json.dumps({"name": "CRM", "kind": "https", "config": {"url": url, "secret": SECRET}})
    client = api(admin)
    client.raise_request_exception = False
    assert client.post("/api/v1/destinations/", body, content_type="application/json").status_code == 400


def test_a_nul_in_a_form_or_a_cursor_is_no_fault_of_ours(offer, sales, admin, arrive, signed_in, api):
    lead = arrive(offer)
    browser, client = signed_in(admin), api(admin)
    browser.raise_request_exception = client.raise_request_exception = False
    answers = [
        browser.post("/leads/quarantine/codes/", {"code": "\x00"}),
        browser.post(f"/routing/leads/{lead.pk}/owner/", {"owner": "\x00"}),
        browser.post("/follow-up/deliveries/replay/", {"all": "1", "state": "\x00"}),
        *(client.get(f"/api/v1/{name}/", {"cursor": base64.b64encode(b"p=%00").decode()}) for name in ("campaigns", "storefronts", "listings")),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


@pytest.mark.parametrize(("due", "zone"), [("0001-01-01T00:00", "America/New_York"), ("9999-12-31T23:59", "Asia/Tokyo")])
def test_no_due_date_breaks_a_page_for_good(offer, sales, arrive, signed_in, due, zone):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    browser = signed_in(sales)
    browser.raise_request_exception = False
    browser.post(f"/leads/{lead.pk}/tasks/", {"title": "Call", "due_at": due})
    User.objects.update(time_zone=zone)
    assert [browser.get(url).status_code for url in (lead.get_absolute_url(), "/leads/my-day/")] == [200, 200]


def test_a_line_break_in_the_publishers_name_reaches_no_header(admin, signed_in, publisher):
    browser = signed_in(admin)
    browser.raise_request_exception = False
    browser.post("/setup/publisher/", {"name": "Evil\r\nBcc: x@y.example", "time_zone": "Europe/Prague", "countries_served": ""})
    assert "\n" not in Publisher.objects.get().name
    assert browser.post("/campaigns/senders/", {"address": "m@x.example", "name": ""}).status_code == 302


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "FOO"])
def test_a_page_knows_get_and_post_and_nothing_else(offer, admin, signed_in, method):
    browser = signed_in(admin)
    for url in ("/overview/", "/setup/people/", "/setup/audit/", "/listings/", "/follow-up/", "/campaigns/"):
        assert browser.generic(method, url).status_code == 405, url


def test_the_work_of_reading_a_long_text_is_bounded():
    began = time.thread_time()  # of the processor, however busy the machine
    dialects.parse_lead_source("a" + " " * 20_000 + "b")
    words.fill("{{a|default:" * 400, {})
    words.fill("{{a|default:" + " " * 8_000, {})
    assert time.thread_time() - began < 1


def test_signing_out_clears_what_the_browser_kept(sales, signed_in):
    assert '"cache"' in signed_in(sales).post("/accounts/logout/").headers.get("Clear-Site-Data", "")


def test_nobody_makes_the_portal_write_to_a_stranger(publisher, mailoutbox):
    assert Client().post("/accounts/password/reset/", {"email": "victim@anywhere.example"}).status_code == 302
    assert mailoutbox == []


def test_addresses_are_the_admins(sales, signed_in):
    """allauth's own page would change user.email, which signs in, without audit."""
    assert signed_in(sales).get("/accounts/email/").status_code in (403, 404)


def test_a_password_link_is_hidden_in_logs():
    from portal.logs import hidden

    assert "b-dimc8f-271ba6ead" not in hidden("Internal Server Error: /accounts/password/reset/key/b-dimc8f-271ba6ead/")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_exports_know_every_sign_of_a_formula_and_an_import_takes_it_back(sign):
    from leads.spreadsheets import read_back, safe

    assert safe(f"{sign}1+1") == f"'{sign}1+1"
    assert read_back(f"'{sign}1+1") == f"{sign}1+1"


def test_a_mass_read_by_the_api_is_written_down(offer, sales, admin, arrive, api):
    from accounts.models import AccessRecord

    arrive(offer)
    api(admin).get("/api/v1/leads/")
    assert AccessRecord.objects.filter(user=admin, kind="personal_data_read").exists()


def test_the_audit_can_not_be_changed_even_by_sql(admin):
    from django.db import DatabaseError, transaction

    from accounts.models import AccessRecord

    AccessRecord.objects.create(user=admin, kind="signed_in")
    for change in (lambda: AccessRecord.objects.update(kind="exported"), lambda: AccessRecord.objects.all()._raw_delete("default")):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_revocation_in_the_back_office_is_audited(admin, signed_in):
    from accounts.models import AccessRecord, ApiToken

    ApiToken.issue(admin, "mine", ["read"])
    signed_in(admin).post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [ApiToken.objects.get().pk]})
    assert AccessRecord.objects.filter(kind="token_revoked").exists()


def test_a_sealed_secret_opens_in_its_own_row_only(offer, admin):
    """A sealed secret that is copied into another row does not open there."""
    from cryptography.fernet import InvalidToken

    from delivery.models import Destination

    one, other = (Destination.objects.create(name=name, kind="https") for name in "ab")
    one.keep_secret(SECRET)
    other.sealed_secret = one.sealed_secret
    with pytest.raises((InvalidToken, ValueError)):
        _ = other.secret


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_connection_that_somebody_else_found_dead_costs_no_lead(offer):
    """psycopg2 says InterfaceError then, which is no DatabaseError."""
    from portal.wsgi import application

    path, said = offer.current_lead_url().path, []
    connection.ensure_connection()
    connection.connection.close()
    try:
        b"".join(application(RequestFactory().post(path, b"{}", content_type="text/plain").environ, lambda status, *_: said.append(status)))
    finally:
        connection.close()
    assert said[0].startswith("202")
