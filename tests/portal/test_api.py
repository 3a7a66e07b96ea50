"""The API: its shapes, its doors, its errors."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AccessRecord, ApiToken
from accounts.throttling import SignedIn
from delivery.models import Destination
from leads.models import Lead
from listings.models import Listing
from portal import pipeline
from tests.conftest import at_once

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_a_lead_in_full(offer, sales, admin, arrive, api):
    lead = arrive(offer, description="We need a demo for forty technicians.")
    row = api(admin).get(f"/api/v1/leads/{lead.pk}/").json()
    assert row["contact"]["company"] == "Kolovrat s.r.o."
    assert row["listing"] == {"slug": "edge-firewall", "title": "Edge Firewall", "storefront": "azure-marketplace"}
    assert row["score"]["total"] == row["score"]["fit"] + row["score"]["intent"] == sum(line["points"] for line in row["score"]["explanation"])
    assert (row["status"], row["owner"], row["owner_reason"]) == ("new", "sales", "Azure Marketplace; lowest load: 0 open")
    assert row["interactions"][0]["submission"] == str(lead.submissions.get().pk)
    assert row["enrollments"] == [{"campaign": "azure-demand", "kind": "demand", "stage": row["enrollments"][0]["stage"], "status": "active"}]
    assert {"kind", "at", "actor", "text"} == set(row["activities"][0])
    assert AccessRecord.objects.filter(kind="personal_data_read", user=admin).count() == 1


def test_a_seller_sees_their_own_leads_only(offer, sales, stranger, arrive, api):
    lead = arrive(offer)
    mine, other = (sales, stranger) if lead.owner == sales else (stranger, sales)
    assert [row["id"] for row in api(mine).get("/api/v1/leads/").json()["results"]] == [str(lead.pk)]
    assert api(other).get("/api/v1/leads/").json()["results"] == []
    assert api(other).get(f"/api/v1/leads/?q=Ada&owner={mine.username}").json()["results"] == []
    assert api(other).get(f"/api/v1/leads/{lead.pk}/").status_code == 404
    assert api(other).patch(f"/api/v1/leads/{lead.pk}/", {"status": "won"}, content_type="application/json").status_code == 404
    assert api(other).get("/api/v1/enrollments/").json()["results"] == []
    for path in ("submissions/", "destinations/", "campaigns/", "insights/offers/"):
        assert api(mine).get(f"/api/v1/{path}").status_code == 403


def test_the_archive_by_what_became_of_it_and_when(offer, app, sales, admin, post, api):
    post(offer)
    post(app, actionCode="DNC", leadSource="SPZA-DNC|contoso.field-service", email="lucia@norte.example")
    post(offer, b"{")
    pipeline.run()

    def found(query):
        return [row["disposition"] for row in api(admin).get(f"/api/v1/submissions/?{query}").json()["results"]]

    cases = {
        "": ["quarantined", "do_not_contact", "lead"], "disposition=lead": ["lead"], "listing=edge-firewall": ["quarantined", "lead"],
        "storefront=appsource": ["do_not_contact"], "storefront=nowhere": [], "from=2020-01-01": ["quarantined", "do_not_contact", "lead"],
        "to=2020-01-01": [], "disposition=lead&storefront=appsource": [],
    }  # fmt: skip
    for query, expected in cases.items():
        assert found(query) == expected, query
    for query, name in (("disposition=none", "disposition"), ("from=yesterday", "from"), ("to=2026-02-30", "to")):
        answer = api(admin).get(f"/api/v1/submissions/?{query}")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [name]), query


def test_filters_and_search(offer, app, sales, admin, arrive, api):
    ada = arrive(offer)
    bob = arrive(app, email="bob@gmail.com", firstName="Bob", lastName="O'Brien & Sons", phone="", company="", title="", country="BR")

    def found(query):
        return [row["id"] for row in api(admin).get(f"/api/v1/leads/?{query}").json()["results"]]

    cases = {
        "": [bob, ada], "status=new": [ada], "listing=field-service": [bob], "storefront=azure-marketplace": [ada], "owner=sales": [ada], "owner=nobody": [bob],
        "cluster=act_now": [ada], "score_min=50": [ada], "status=new,won": [ada], "q=ada": [ada], "q=Nov%C3%A1k kolo": [ada], "q=0203": [ada], "q=555 010 203": [ada],
        "q=O'Brien": [bob], "q=%27%26%3A*": [], "q=ada.novak@kolovrat.example": [ada], "q=kolovrat.example": [ada], "q=zzz": [], "from=2020-01-01": [bob, ada], "q=kolovrat-novak": [ada],
    }  # fmt: skip
    for query, expected in cases.items():
        assert found(query) == [str(lead.pk) for lead in expected], query


@pytest.mark.parametrize(
    "query", ["status=nope", "cluster=act_now,nope", "score_min=x", "score_min=-1", "from=rubbish", f"q={'x' * 201}", "cursor=nope"]
)
def test_a_filter_that_means_nothing_is_told_so(admin, api, query):
    answer = api(admin).get(f"/api/v1/leads/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


def test_an_imports_thousands_of_one_moment_are_paged_to_their_end(offer, admin, post, api):
    for number in range(7):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    Lead.objects.update(received_at=timezone.now())
    client, seen, url = api(admin), [], "/api/v1/leads/?page_size=2"
    while url:
        page = client.get(url).json()
        seen.append([row["id"] for row in page["results"]])
        url = page["next"]
    assert [len(rows) for rows in seen] == [2, 2, 2, 1]
    assert len({pk for rows in seen for pk in rows}) == 7
    back = client.get(page["previous"]).json()
    assert [row["id"] for row in back["results"]] == seen[-2]


def test_lists_are_cursor_pages(offer, sales, admin, post, api):
    for number in range(7):
        post(offer, email=f"p{number}@x.example")
    pipeline.run()
    client, seen, url = api(admin), [], "/api/v1/leads/?page_size=3"
    while url:
        page = client.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize("path", ["leads/", "submissions/", "enrollments/", "deliveries/"])
def test_the_number_of_queries_does_not_grow_with_the_rows(offer, app, sales, admin, post, api, django_assert_max_num_queries, path):
    for number in range(15):
        post(offer if number % 2 else app, email=f"p{number}@x{number}.example")
    pipeline.run()
    client = api(admin)
    client.get(f"/api/v1/{path}")
    with django_assert_max_num_queries(12):
        client.get(f"/api/v1/{path}?page_size=15")


def test_the_archive_gives_exact_bytes_as_a_file(offer, admin, post, api):
    submission = post(offer, b"<script>alert(1)</script>\xff")
    answer = api(admin).get(f"/api/v1/submissions/{submission.pk}/body")
    assert answer.content == b"<script>alert(1)</script>\xff"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_lead_urls_are_for_admin_tokens_of_scope_admin_and_audited(offer, admin, marketing, api):
    [row] = api(admin).get("/api/v1/listings/").json()["results"]
    assert row["lead_url"] == "http://testserver" + offer.current_lead_url().path
    assert AccessRecord.objects.filter(kind="secret_shown", user=admin).exists()
    weak = ApiToken.issue(admin, "read only", ["read"])
    for client in (api(marketing), Client(headers={"authorization": f"Bearer {weak}"})):
        [row] = client.get("/api/v1/listings/").json()["results"]
        assert "lead_url" not in row


def test_a_destinations_secret_goes_in_and_never_out(offer, admin, api):
    client = api(admin)
    made = client.post(
        "/api/v1/destinations/",
        {"name": "CRM", "kind": "https", "listings": ["edge-firewall"], "config": {"url": "https://crm.example/x", "secret": SECRET}},
        content_type="application/json",
    )
    assert made.status_code == 201, made.content
    assert SECRET not in made.text + client.get("/api/v1/destinations/").text
    kept = Destination.objects.get()
    assert kept.secret == SECRET
    assert SECRET.encode() not in bytes(kept.sealed_secret)
    assert list(kept.listings.all()) == [offer]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "smoke"}, "kind"),
        ({"listings": ["nowhere"]}, "listings"),
        ({"config": {"url": "http://crm.example", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://x\x00.example", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://x\ud800.example", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://exa mple.com/", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://crm.example:25/", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://crm.example", "secret": "x"}}, "config.secret"),
        ({"config": {"url": "https://crm.example", "secret": SECRET, "more": 1}}, "config.more"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_input_is_a_problem_in_words(offer, admin, api, change, field):
    body = {"name": "CRM", "kind": "https", "listings": [], "config": {"url": "https://crm.example/x", "secret": SECRET}} | change
    answer = api(admin).post("/api/v1/destinations/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    found = answer.json()["errors"]
    for name in field.split("."):
        found = found[name]
    assert found
    assert not Destination.objects.exists()


def test_errors_are_problem_details(admin, api):
    for answer, status in (
        (Client().get("/api/v1/leads/"), 401),
        (api(admin).get("/api/v1/leads/01a1fcf1-0000-7000-8000-000000000000/"), 404),
        (api(admin).delete("/api/v1/leads/"), 405),
        (api(admin).get("/api/v1/leads/?cursor=rubbish"), 400),
        (api(admin).get("/api/v1/submissions/?cursor=rubbish"), 400),
        (api(admin).get("/api/v1/nowhere/"), 404),
        (api(admin).get("/api/v1/leads/nope/"), 404),
        (api(admin).get("/api/v1/leads/?q=%00"), 400),
    ):
        assert answer.status_code == status
        assert answer.json()["status"] == status
        assert answer.json()["title"] and "{" not in answer.json()["title"]
        assert answer["Content-Type"] == "application/problem+json"


def test_tokens_expire_are_revoked_and_have_scopes(offer, sales, admin, arrive, api):
    lead = arrive(offer)
    text = ApiToken.issue(sales, "phone", ["read"])
    client = Client(headers={"authorization": f"Bearer {text}"})
    assert client.get("/api/v1/leads/").status_code == 200
    assert client.patch(f"/api/v1/leads/{lead.pk}/", {"status": "won"}, content_type="application/json").status_code == 403
    token = ApiToken.objects.get(name="phone")
    assert token.last_used_at is not None
    assert text.encode() not in bytes(token.digest)
    for change in ({"revoked_at": timezone.now()}, {"revoked_at": None, "expires_at": timezone.now() - timedelta(seconds=1)}):
        ApiToken.objects.filter(pk=token.pk).update(**change)
        assert client.get("/api/v1/leads/").status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(days=1))
    sales.is_active = False
    sales.save()
    assert client.get("/api/v1/leads/").status_code == 401


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(offer, sales, arrive, api):
    arrive(offer)
    client = api(sales)
    assert client.get("/api/v1/leads/").status_code == 200
    sales.groups.clear()
    assert client.get("/api/v1/leads/").status_code == 403


def test_only_the_status_may_be_changed(offer, sales, arrive, api):
    lead = arrive(offer)
    answer = api(sales).patch(f"/api/v1/leads/{lead.pk}/", {"status": "opportunity", "owner": None, "score": 1}, content_type="application/json")
    assert answer.status_code == 200
    changed = Lead.objects.get(pk=lead.pk)
    assert (changed.status, changed.owner, changed.score) == ("opportunity", sales, lead.score)
    assert changed.qualified_at and changed.opportunity_at and not changed.won_at


def test_a_client_may_ask_twenty_times_a_second_and_is_then_told_to_wait(admin, api, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    client = api(admin)
    with time_machine.travel(timezone.now(), tick=False):
        answers = [client.get("/api/v1/storefronts/") for _ in range(40)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 10
    assert answers[-1]["Retry-After"] == "1"
    with time_machine.travel(timezone.now() + timedelta(seconds=2), tick=False):
        assert client.get("/api/v1/storefronts/").status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_callers_in_parallel_are_counted_too(admin, rf):
    request = rf.get("/")
    request.user, request.auth = admin, None
    allowed = []
    with time_machine.travel(timezone.now(), tick=False):
        at_once(16, lambda: allowed.extend(SignedIn().allow_request(request, None) for _ in range(10)))
    assert sum(allowed) == SignedIn.rate


def test_the_schema_is_valid_and_names_every_route(admin, api):
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    wanted = {"storefronts", "listings", "submissions", "leads", "campaigns", "enrollments", "destinations", "deliveries", "insights"}
    wanted |= {"messages", "coming-mails", "mails-per-person", "strategies", "demand-activities", "costs"}
    assert wanted == {path.split("/")[3] for path in schema["paths"]}
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            assert {"400", "401", "403", "429"} <= operation["responses"].keys(), f"{verb} {path}"
    assert "lead_url" not in schema["components"]["schemas"]["Listing"]["required"]
    assert api(admin).get("/api/schema/").status_code == 200


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("deliveries/?state=x", "state"),
        ("enrollments/?status=x", "status"),
        ("messages/?state=x", "state"),
        ("messages/?lead=x", "lead"),
        ("leads/?from=x", "from"),
    ],
)
def test_a_filter_that_says_nonsense_is_refused_by_its_name(admin, api, path, named):
    answer = api(admin).get(f"/api/v1/{path}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])


def test_offer_figures(offer, app, sales, admin, arrive, api):
    arrive(offer)
    client = api(admin)
    rows = {row["listing"]: row for row in client.get("/api/v1/insights/offers/").json()}
    assert rows["edge-firewall"]["leads"] == 1
    assert rows["field-service"] == {
        "listing": "field-service", "title": "Field Service", "storefront": "appsource", "leads": 0, "qualified": 0, "opportunities": 0, "won": 0, "anonymous": 0,
        "asked_neighbour": 0, "median_first_response_minutes": None,
    }  # fmt: skip
    assert client.get("/api/v1/insights/offers/?from=2020-01-01&to=2020-01-31").json()[0]["leads"] == 0
    for bad in ("from=x", "from=2026-02-01&to=2026-01-01"):
        assert client.get(f"/api/v1/insights/offers/?{bad}").status_code == 400


def test_json_bodies_that_are_too_deep_or_wrong_are_400(admin, api):
    client = api(admin)
    for body in ("[" * 100_000, '{"a":', "\x00", json.dumps([1])):
        assert client.post("/api/v1/destinations/", body, content_type="application/json").status_code == 400
    assert Listing.objects.count() == 0


def test_what_an_answer_repeats_can_always_be_written(offer, sales, admin, arrive, api):
    lead = arrive(offer)
    answer = api(admin).patch(f"/api/v1/leads/{lead.pk}/", b'{"status": "\\ud800"}', content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["status"])


def test_a_token_that_may_only_write_reads_nothing(offer, admin, sales, arrive):
    lead = arrive(offer)
    client = Client(headers={"authorization": f"Bearer {ApiToken.issue(admin, 'robot', ['write'])}"})
    answer = client.patch(f"/api/v1/leads/{lead.pk}/", {"status": "qualified"}, content_type="application/json")
    assert (answer.status_code, answer.content) == (204, b"")
    lead.refresh_from_db()
    assert lead.status == "qualified"


def test_answers_with_people_in_them_are_kept_nowhere(offer, admin, sales, arrive, api):
    lead = arrive(offer)
    for path in ("leads/", f"leads/{lead.pk}/", "deliveries/", "enrollments/", "submissions/"):
        assert api(admin).get(f"/api/v1/{path}")["Cache-Control"] == "no-store", path


@pytest.mark.parametrize("cursor", ["[]", "{}", "*", "~", "%25"])
def test_a_broken_cursor_is_no_first_page(admin, api, cursor):
    for path in ("submissions/", "campaigns/", "leads/"):
        assert api(admin).get(f"/api/v1/{path}?cursor={cursor}").status_code == 400, path
