"""Who gets at what: doors without a declaration, fields that nobody may send, roles that end, requests that others forge."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.views import APIView

from accounts import throttling
from accounts.middleware import DefaultDeny
from accounts.models import ApiToken, Pace, User
from campaigns.models import Cost, DemandActivity, Message, Strategy
from delivery.models import Delivery, Destination
from leads.models import Contact, Lead
from listings.models import Listing

pytestmark = pytest.mark.django_db
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_a_page_or_an_api_view_that_declares_nothing_admits_nobody(admin):
    request = RequestFactory().get("/")
    request.user = admin
    with pytest.raises(PermissionDenied):
        DefaultDeny(lambda _: HttpResponse()).process_view(request, lambda _: HttpResponse("open"), (), {})

    class Undeclared(APIView):
        def get(self, request):
            return HttpResponse("open")

        post = get

    for method in ("get", "post"):
        asked = getattr(RequestFactory(), method)("/")
        asked.user = admin
        asked._dont_enforce_csrf_checks = True
        assert Undeclared.as_view()(asked).status_code == 403


FIELDS = {
    "storefronts": "slug name audience campaign_kind listing_kinds follow_up_systems owner_when respond_within_hours",
    "listings": "slug title kind storefront publisher_id offer_id call_to_action state lead_sharing",
    "leads": "id contact listing status score cluster owner received_at",
    "enrollments": "id campaign kind lead stage status reason entered_at due_at ended_at",
    "deliveries": "id lead destination revision delivered_revision state attempts due_at delivered_at last_error",
    "submissions": "id received_at listing size content_type sha256 disposition reason lead is_brought",
    "campaigns": (
        "slug name kind storefront state version draft published_at entry goal exit reentry reentry_days priority starts ends fast_hours assigns_anew budget strategy sender from_owner"
    ),
    "messages": "id campaign lead stage state reason language subject due_at sent_at",
    "strategies": "id name starts ends currency budget targets spent",
    "demand-activities": "id name code channel listing url starts ends strategy returns",
    "costs": "id activity campaign day amount note",
    "destinations": "id name kind listings config state pause_reason closed_until",
}
ONE_LEAD = "id status contact listing score owner owner_reason respond_by first_response_at received_at value tags interactions enrollments deliveries activities"


def test_each_role_gets_these_fields_and_no_others(offer, sales, marketing, admin, arrive, api):
    lead = arrive(offer)
    destination = Destination.objects.create(name="CRM", kind="https", config={"url": "https://crm.example"}, state="off")
    Delivery.objects.create(lead=lead, destination=destination, revision=1)
    Strategy.objects.create(name="Autumn", starts="2026-01-01", ends="2026-12-31")
    activity = DemandActivity.objects.create(name="Ad", code="ad", channel="search", listing=offer, url="https://azuremarketplace.microsoft.com/")
    Cost.objects.create(activity=activity, amount=1)
    enrollment = lead.enrollments.select_related("stage").first()
    Message.objects.create(enrollment=enrollment, stage=enrollment.stage, stage_key=enrollment.stage.key)
    for user, lists in ((sales, 5), (marketing, 11), (admin, 12)):
        client, seen = api(user), 0
        for name, fields in FIELDS.items():
            answer = client.get(f"/api/v1/{name}/")
            if answer.status_code == 200:
                seen += 1
                extra = {"lead_url"} if (name, user) == ("listings", admin) else set()
                assert set(answer.json()["results"][0]) == set(fields.split()) | extra, (name, user.username)
        assert seen == lists
        assert set(client.get(f"/api/v1/leads/{lead.pk}/").json()) == set(ONE_LEAD.split())


def test_nobody_gives_themselves_or_a_lead_what_the_form_does_not_ask_for(offer, sales, stranger, arrive, api, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    more = {"is_staff": "on", "is_superuser": "on", "is_demo": "", "groups": "3", "roles": "admin", "username": "root", "email": "x@y.example"}
    before = User.objects.filter(pk=sales.pk).values("is_staff", "is_superuser", "is_demo", "username", "email").get()
    signed_in(sales).post("/account/", {"first_name": "S", "last_name": "S", "language": "", "time_zone": "", **more})
    assert User.objects.filter(pk=sales.pk).values(*before).get() == before
    assert User.objects.get(pk=sales.pk).role_names == {"sales"}
    columns = Lead.objects.filter(pk=lead.pk).values().get()
    sent = {name: 1 for name in columns if name not in ("status", "value")} | {
        "owner": stranger.pk,
        "owner_id": stranger.pk,
        "contact": {"email": "x@y.example"},
    }
    assert api(sales).patch(f"/api/v1/leads/{lead.pk}/", sent | {"status": "new"}, content_type="application/json").status_code == 200
    assert Lead.objects.filter(pk=lead.pk).values().get() == columns
    contact = {"first_name": "A", "last_name": "B", "title": "", "company_said": "", "email": "other@x.example", "phone": "", "country": ""}
    signed_in(sales).post(f"/leads/{lead.pk}/contact/", contact | {"key": "x", "email_kind": "free", "seniority": "3", "company": "", "lead": "x"})
    kept = Contact.objects.get(pk=lead.contact_id)
    assert (kept.first_name, kept.email, kept.key) == ("A", "ada.novak@kolovrat.example", "ada.novak@kolovrat.example")


def test_a_new_destination_takes_no_state_from_outside(offer, admin, api):
    body = {
        "name": "CRM",
        "kind": "https",
        "config": {"url": "https://crm.example/x", "secret": SECRET},
        "state": "off",
        "pause_reason": "x",
        "id": 77,
        "failures_in_row": 9,
    }
    assert api(admin).post("/api/v1/destinations/", body, content_type="application/json").status_code == 201
    made = Destination.objects.get()
    assert (made.state, made.pause_reason, made.failures_in_row, made.pk == 77) == ("on", "", 0, False)


def test_a_role_or_a_lead_that_is_taken_away_is_gone_in_the_same_session(offer, sales, stranger, marketing, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    browser, office = signed_in(sales), signed_in(marketing)
    assert browser.get(lead.get_absolute_url()).status_code == 200
    Lead.objects.update(owner=stranger)
    for url in (lead.get_absolute_url(), f"/leads/{lead.pk}/contact/"):
        assert browser.get(url).status_code == 404
    assert lead.contact.name not in browser.get("/leads/").text
    assert office.get("/overview/").status_code == 200
    marketing.groups.clear()
    for url in ("/overview/", "/leads/", "/leads/export.csv", "/search?q=ada", lead.get_absolute_url()):
        assert office.get(url).status_code == 403


def test_undo_reaches_no_lead_that_is_no_longer_theirs(offer, sales, stranger, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    browser = signed_in(sales)
    [message] = browser.post(f"/leads/{lead.pk}/status/", {"status": "won"}, follow=True).context["messages"]
    Lead.objects.update(owner=stranger)
    browser.post(message.extra_tags.removeprefix("undo:"))
    assert Lead.objects.get().status == "won"


def test_the_back_office_shows_staff_of_field_sales_their_own_rows_only(offer, sales, stranger, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    for user in (sales, stranger):
        user.is_staff = True
        user.save()
        user.user_permissions.set(Permission.objects.all())
    for name in ("lead", "contact", "company", "submission", "interaction", "activity", "task"):
        mine, others = (signed_in(user).get(f"/admin/leads/{name}/") for user in (sales, stranger))
        assert (mine.status_code, others.status_code) == (200, 200)
        assert others.context["cl"].result_count == 0, name
    assert signed_in(sales).get("/admin/leads/lead/").context["cl"].result_count == 1
    assert signed_in(stranger).get(f"/admin/leads/lead/{lead.pk}/change/").status_code == 302


def test_what_changes_something_wants_a_token_of_ours(offer, sales, admin, arrive):
    """A page of somebody else's that posts with our cookies changes nothing; the API with a session neither."""
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sales)
    for url in (
        f"/leads/{lead.pk}/status/",
        f"/leads/{lead.pk}/notes/",
        "/leads/picked/status/",
        "/account/",
        "/account/tokens/",
        "/accounts/logout/",
        "/language/",
    ):
        assert browser.post(url, {"status": "won"}).status_code == 403, url
    for origin in ("https://evil.example", "null"):
        answer = browser.patch(f"/api/v1/leads/{lead.pk}/", {"status": "won"}, content_type="application/json", headers={"origin": origin})
        assert answer.status_code == 403
    boss = Client(enforce_csrf_checks=True)
    boss.force_login(admin)
    assert boss.post("/api/v1/destinations/", {}, content_type="application/json").status_code == 403
    assert boss.post("/admin/leads/task/add/", {}).status_code == 403
    assert Lead.objects.get().status == "new"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "data:text/html,x", "https:evil.example", "/\t/evil.example"])  # fmt: skip
def test_no_address_sends_people_elsewhere(sales, signed_in, target):
    browser = signed_in(sales)
    answers = [
        Client().post("/accounts/login/", {"login": "sales", "password": "demo", "next": target}),
        browser.get("/accounts/login/", {"next": target}),
        browser.post("/language/", {"language": "cs", "next": target}),
        browser.post("/language/", {"language": "cs"}, headers={"referer": target}),
        browser.post("/leads/undo/x/", headers={"referer": target}),
        browser.post("/accounts/logout/", {"next": target}),
    ]
    for answer in answers:
        assert (answer.status_code, answer["Location"].startswith("/"), "evil" in answer["Location"]) == (302, True, False)


def test_signing_in_makes_a_new_session_and_a_new_password_ends_the_others(sales):
    browser, other = Client(), Client()
    other.post("/accounts/login/", {"login": "sales", "password": "demo"})
    browser.get("/accounts/login/")
    session = browser.session
    session["planted"] = 1
    session.save()
    browser.cookies["sessionid"] = planted = session.session_key
    browser.post("/accounts/login/", {"login": "sales", "password": "demo"})
    assert browser.session.session_key != planted
    cookie = browser.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert other.get("/account/").status_code == 200
    new = {"oldpassword": "demo", "password1": "Long-enough-77", "password2": "Long-enough-77"}
    assert browser.post("/accounts/password/change/", new).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_a_client_that_asks_too_often_waits(admin, api, monkeypatch):
    """Twenty in one second are always answered, the thirty-first is told when to come again, wherever it says it comes from."""
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_000.5)
    client = api(admin)
    caller = f"token {ApiToken.objects.get().pk}"
    for asked, status in ((20, 200), (29, 200), (30, 429)):
        Pace.objects.update_or_create(caller=caller, defaults={"second": 1_000_000, "requests": asked})
        answer = client.get("/api/v1/storefronts/", headers={"x-forwarded-for": f"203.0.113.{asked}"})
        assert answer.status_code == status, asked
    assert int(answer["Retry-After"]) >= 1
    assert answer.json()["status"] == 429


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "", "a b"])
def test_a_host_that_is_not_ours_is_refused(publisher, host):
    for url in ("/accounts/login/", "/accounts/password/reset/", "/api/v1/leads/", "/unsubscribe/x/"):
        assert Client(raise_request_exception=False).get(url, headers={"host": host}).status_code in ((400,) if host else (200, 302, 400, 401, 404))


def test_a_page_of_the_api_has_at_most_200_rows(admin, api):
    Destination.objects.bulk_create(Destination(name=f"D{n}", kind="https", config={"url": "https://crm.example"}) for n in range(203))
    for asked in ("1000", "203", "99999999999999999999"):
        assert len(api(admin).get(f"/api/v1/destinations/?page_size={asked}").json()["results"]) == 200


def test_an_api_body_is_bounded(admin, api, settings):
    body = json.dumps({"name": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    answer = api(admin).post("/api/v1/destinations/", body, content_type="application/json")
    assert answer.status_code in (400, 413)
    assert b"Surrogate" not in answer.content
    assert b"100 characters" not in answer.content, "it was read to its end"


def test_an_expired_or_weaker_token_of_an_admin_reads_no_secret_and_changes_nothing(offer, admin, marketing, api):
    """The scope is looked at beside the role, and the role beside the scope."""
    write = Client(headers={"authorization": "Bearer " + ApiToken.issue(admin, "w", ["read", "write"])})
    body = {"name": "CRM", "kind": "https", "config": {"url": "https://crm.example/x", "secret": SECRET}}
    assert write.post("/api/v1/destinations/", body, content_type="application/json").status_code == 403
    only_write = Client(headers={"authorization": "Bearer " + ApiToken.issue(admin, "o", ["write"])})
    assert only_write.get("/api/v1/leads/").status_code == 403
    was_admin = api(admin)
    assert "lead_url" in was_admin.get("/api/v1/listings/").json()["results"][0]
    admin.groups.set(marketing.groups.all())
    assert "lead_url" not in was_admin.get("/api/v1/listings/").json()["results"][0]
    assert was_admin.get("/api/v1/destinations/").status_code == 403
    assert was_admin.post("/api/v1/destinations/", body, content_type="application/json").status_code == 403


def test_tokens_are_long_and_kept_as_a_hash(sales):
    texts = {ApiToken.issue(sales, "x", ["read"]) for _ in range(3)}
    assert len(texts) == 3
    assert all(re.fullmatch(r"pp_[A-Za-z0-9_-]{43}", text) for text in texts)
    assert all(
        len(bytes(token.digest)) == 32 and not any(text.encode()[:20] in bytes(token.digest) for text in texts) for token in ApiToken.objects.all()
    )
    assert ApiToken.objects.filter(expires_at__gt=timezone.now() + timedelta(days=366)).count() == 0


def test_a_secret_lead_url_has_256_random_bits_and_is_kept_sealed(offer):
    url = offer.current_lead_url()
    secret = url.path.rpartition("/")[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    row = Listing.objects.filter(pk=offer.pk).values("lead_urls__digest", "lead_urls__sealed", "lead_urls__hint").get()
    assert secret.encode() not in bytes(row["lead_urls__sealed"])
    assert (len(bytes(row["lead_urls__digest"])), row["lead_urls__hint"]) == (32, secret[-4:])


def test_a_seller_sees_no_delivery_of_a_lead_that_is_not_theirs(offer, sales, stranger, arrive, api):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    destination = Destination.objects.create(name="CRM", kind="https", config={"url": "https://crm.example"}, state="off")
    Delivery.objects.create(lead=lead, destination=destination, revision=1)
    for query in ("", "?state=due", "?destination=CRM"):
        assert [row["lead"] for row in api(sales).get(f"/api/v1/deliveries/{query}").json()["results"]] == [str(lead.pk)]
        assert api(stranger).get(f"/api/v1/deliveries/{query}").json()["results"] == []


def test_a_seller_is_offered_no_other_sellers_to_filter_by(offer, sales, stranger, arrive, signed_in):
    arrive(offer)
    Lead.objects.update(owner=sales)
    page = signed_in(stranger).get("/leads/")
    assert "owner" not in page.context["form"].fields
    assert "sales@" not in page.text
