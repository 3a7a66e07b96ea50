"""Campaigns, strategies, activities and costs through the API: written as data, read back the same, refused with the place that is wrong."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessRecord
from campaigns import build
from campaigns.advance import advance
from campaigns.models import Campaign, Cost, DemandActivity, Enrollment, Message, Stage, Strategy, Suppression
from campaigns.publish import end, pause, publish
from campaigns.results import this_week
from campaigns.send import send as send_mail
from campaigns.written import as_data, write
from leads.models import Lead
from tests.campaigns.test_stages import WEAK

TEXTS = {"en": {"subject": "About {{ listing.title }}", "body": "Hello {{ contact.first_name|default:there }}"}}
FLOW = [
    {"kind": "wait", "name": "Two days", "holds_for": "P2D"},
    {"kind": "email", "name": "First", "texts": TEXTS},
    {
        "kind": "branch",
        "name": "Where",
        "arms": [
            {
                "name": "Czech",
                "when": {"field": "country", "op": "is", "value": "CZ"},
                "stages": [
                    {"kind": "set", "name": "Tag", "options": {"tag": "Czech"}},
                    {"kind": "branch", "name": "Who", "arms": [{"name": "Busy", "when": {"field": "interactions", "op": "at_least", "value": 2}}]},
                ],
            }
        ],
        "otherwise": [{"kind": "wait", "name": "Nine", "options": {"minute": 540, "weekdays": [1, 2]}, "holds_for": "PT2H"}],
    },
    {"kind": "task", "name": "Call", "options": {"days": 3}},
    {"kind": "exit", "name": "End"},
]


def send(client, method, path, data=None):
    return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json")


def shape(stages):
    """The stages without their keys."""
    return [
        {name: value for name, value in stage.items() if name not in ("key", "arms", "otherwise")}
        | ({"arms": [{**arm, "stages": shape(arm.get("stages", []))} for arm in stage["arms"]]} if "arms" in stage else {})
        | ({"otherwise": shape(stage.get("otherwise", []))} if "arms" in stage else {})
        for stage in stages
    ]


def test_a_campaign_is_begun_published_and_walked_by_the_api(campaign, app, api, marketing, arrive, pass_time):
    client = api(marketing)
    given = {"name": "By program", "kind": "nurture", "storefront": "appsource", "priority": 2, "stages": FLOW}
    made = send(client, "post", "campaigns/", given)
    assert (made.status_code, made.json()["state"], made.json()["slug"]) == (201, "draft", "by-program")
    read = client.get("/api/v1/campaigns/by-program/").json()
    expected = shape(FLOW)
    expected[0]["holds_for"], expected[2]["otherwise"][0]["holds_for"] = "P2DT00H00M00S", "P0DT02H00M00S"
    expected[2]["arms"][0]["stages"][0]["options"] = {"tag": "czech"}
    assert shape(read["draft_stages"]) == expected
    assert send(client, "post", "campaigns/by-program/publish/").json()["state"] == "published"
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    pass_time()
    assert lead.enrollments.get().status == "ended"
    lead.refresh_from_db()
    assert lead.tags == ["czech"]
    assert Message.objects.get().stage.name == "First"
    figures = client.get("/api/v1/campaigns/by-program/figures/").json()
    assert (figures["entered"], figures["ended"]) == (1, 1)
    assert {stage["name"]: stage["moved_on"] for stage in figures["stages"]}["Call"] == 1
    [message] = client.get("/api/v1/messages/?campaign=by-program").json()["results"]
    assert (message["lead"], message["state"]) == (str(lead.pk), "planned")
    assert client.get(f"/api/v1/messages/?lead={lead.pk}&state=sent").json()["results"] == []
    assert client.get("/api/v1/messages/?lead=x").status_code == 400


def test_new_stages_keep_their_keys_and_what_runs_is_left_alone(campaign, put, running, api, marketing):
    put("task", "Call")
    running()
    client = api(marketing)
    [stage] = client.get("/api/v1/campaigns/mine/").json()["stages"]
    answer = send(client, "put", "campaigns/mine/stages/", [{**stage, "name": "Call them"}, {"kind": "exit", "name": "End"}])
    assert answer.status_code == 200
    told = answer.json()
    assert [one["name"] for one in told["stages"]] == ["Call"]
    assert [(one["name"], one["key"] == stage["key"]) for one in told["draft_stages"]] == [("Call them", True), ("End", False)]
    assert (told["version"], told["draft"]) == (1, 2)


def test_a_key_of_another_campaign_is_not_taken_over(campaign, put, running, api, marketing):
    put("task", "Call")
    running()
    key = str(Stage.objects.get(version__campaign=campaign).key)
    given = {"name": "Copy", "kind": "nurture", "storefront": "appsource", "stages": [{"kind": "task", "name": "Call", "key": key}]}
    assert send(api(marketing), "post", "campaigns/", given).status_code == 201
    assert str(Stage.objects.get(version__campaign__slug="copy").key) != key


def test_a_jump_names_the_key_of_a_stage(campaign, api, marketing):
    key = "018f0000-0000-7000-8000-000000000001"
    flow = [{"kind": "wait", "name": "A", "holds_for": "P1D", "key": key}, {"kind": "task", "name": "B", "then": key}]
    given = {"name": "Round", "kind": "nurture", "storefront": "appsource", "stages": flow}
    assert send(api(marketing), "post", "campaigns/", given).status_code == 201
    first, second = Stage.objects.filter(version__campaign__slug="round").order_by("position")
    assert second.then == first
    lost = {**given, "stages": [{"kind": "task", "name": "B", "then": key}]}
    assert "no stage has the key" in send(api(marketing), "post", "campaigns/", lost).text


def test_people_who_wait_in_a_campaign_that_never_ran_stand_at_the_new_first_stage(campaign, put, app, arrive, marketing, api):
    Campaign.objects.filter(pk=campaign.pk).update(gathers=True)
    put("task", "Old")
    lead = arrive(app, **WEAK)
    assert lead.enrollments.get().stage.name == "Old"
    assert (
        send(api(marketing), "put", "campaigns/mine/stages/", [{"kind": "task", "name": "New"}, {"kind": "exit", "name": "End"}]).status_code == 200
    )
    assert lead.enrollments.get().stage.name == "New"
    assert "People wait at it" in send(api(marketing), "put", "campaigns/mine/stages/", []).text


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ({}, "stages: a list of stages"),
        ([1], "stages[0]: a stage is an object"),
        ([{"kind": "nothing", "name": "A"}], "stages[0]: a stage is an object"),
        ([{"kind": "task"}], "stages[0].name"),
        ([{"kind": "task", "name": "A", "odd": 1}], "unknown: odd"),
        ([{"kind": "task", "name": "A", "options": {"days": "many"}}], "stages[0].options.days"),
        ([{"kind": "task", "name": "A", "options": {"hours": 1}}], "unknown: hours"),
        ([{"kind": "wait", "name": "A", "holds_for": "soon"}], "stages[0].holds_for"),
        ([{"kind": "wait", "name": "A", "holds_for": "P900D"}], "up to two years"),
        ([{"kind": "wait", "name": "A", "options": {"until": {"field": "shoe", "op": "is", "value": 1}}}], "stages[0].options.until"),
        ([{"kind": "wait", "name": "A", "options": {"weekdays": [9]}}], "1 for Monday"),
        ([{"kind": "email", "name": "A", "texts": {"xx": {"subject": "a", "body": "b"}}}], "texts go by language"),
        ([{"kind": "email", "name": "A", "texts": {"en": {"subject": "a"}}}], "stages[0].texts.en"),
        ([{"kind": "email", "name": "A", "texts": {"en": {"subject": "a", "body": "{{ contact.shoe }}"}}}], "contact.shoe"),
        ([{"kind": "branch", "name": "A", "arms": [{"when": {}}]}], "stages[0].arms[0]"),
        ([{"kind": "branch", "name": "A", "arms": [{"name": "B", "when": {}, "stages": [{"kind": "x"}]}]}], "stages[0].arms[0].stages[0]"),
        ([{"kind": "task", "name": "A", "key": "x"}], "stages[0].key"),
        ([{"kind": "task", "name": "A"}] * 61, "60 stages"),
        ([{"kind": "task", "name": "A", "key": "018f0000-0000-7000-8000-000000000001"}] * 2, "the same key"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_nothing_changes(campaign, put, api, marketing, stages, said):
    put("task", "Stays")
    answer = send(api(marketing), "put", "campaigns/mine/stages/", stages)
    assert answer.status_code == 400
    assert said in answer.text, answer.text
    assert [stage["name"] for stage in as_data(campaign.versions.get())] == ["Stays"]


def test_what_is_read_can_be_written_again(campaign, put):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": {"field": "country", "op": "is", "value": "CZ"}}])
    put("email", "Mail", parent=asks, arm=0)
    put("wait", "Wait", timedelta(days=2), parent=asks, arm=1)
    jumps = put("task", "Call", days=2)
    Stage.objects.filter(pk=jumps.pk).update(then=put("exit", "End"))
    version = campaign.versions.get()
    before = as_data(version)
    write(version, before)
    assert as_data(version) == before


def test_publishing_is_refused_with_all_that_is_wrong_and_an_ended_one_stays_so(campaign, put, api, marketing, sales):
    put("set", "Odd", tag="")
    client = api(marketing)
    answer = send(client, "post", "campaigns/mine/publish/")
    assert answer.status_code == 400
    assert "which tag" in answer.text
    assert send(api(sales), "post", "campaigns/mine/publish/").status_code == 403
    Stage.objects.update(options={"tag": "warm"})
    assert send(client, "post", "campaigns/mine/publish/").json()["state"] == "published"
    assert send(client, "post", "campaigns/mine/pause/").json()["state"] == "paused"
    assert send(client, "post", "campaigns/mine/end/").json()["state"] == "ended"
    assert send(client, "post", "campaigns/mine/publish/").status_code == 400
    assert send(client, "post", "campaigns/none/publish/").status_code == 404


def test_conditions_and_days_are_changed_and_nonsense_is_refused(campaign, put, api, marketing):
    client = api(marketing)
    goal = {"field": "score", "op": "at_least", "value": 60}
    answer = send(client, "patch", "campaigns/mine/", {"goal": goal, "starts": "2026-12-01", "kind": "demand", "slug": "other"})
    assert (answer.status_code, answer.json()["goal"], answer.json()["kind"], answer.json()["slug"]) == (200, goal, "nurture", "mine")
    for wrong in ({"goal": {"field": "shoe"}}, {"ends": "2026-11-01"}, {"sender": "nobody@x.example"}, {"priority": 1000}):
        assert send(client, "patch", "campaigns/mine/", wrong).status_code == 400, wrong


def test_a_strategy_with_targets_an_activity_and_costs(campaign, app, api, marketing, sales, arrive, publisher):
    client, today = api(marketing), publisher.today
    given = {
        "name": "Autumn", "starts": str(today - timedelta(days=4)), "ends": str(today + timedelta(days=5)), "currency": "EUR", "budget": "900",
        "targets": [{"measure": "leads", "amount": 2, "storefront": "appsource"}, {"measure": "won", "amount": 1, "country": "DE"}],
    }  # fmt: skip
    made = send(client, "post", "strategies/", given)
    assert made.status_code == 201, made.text
    strategy = made.json()["id"]
    ad = {
        "name": "Ad",
        "channel": "search",
        "listing": app.slug,
        "url": "https://appsource.microsoft.com/en-us/x",
        "starts": str(today),
        "strategy": strategy,
    }
    answer = send(client, "post", "demand-activities/", ad)
    assert (answer.status_code, answer.json()["code"]) == (201, "ad")
    undated = send(client, "post", "demand-activities/", {name: ad[name] for name in ("channel", "listing", "url")} | {"name": "Undated"})
    assert (undated.status_code, undated.json()["starts"]) == (201, str(today))
    DemandActivity.objects.get(code="undated").delete()
    arrive(app, **WEAK)
    assert "must be an https address" in send(client, "post", "demand-activities/", {**ad, "url": "https://elsewhere.example/"}).text
    assert send(client, "post", "costs/", {"activity": "ad", "amount": "40.5", "day": str(today)}).status_code == 201
    assert send(client, "post", "costs/", {"campaign": "mine", "activity": "ad", "amount": "1"}).status_code == 400
    [told] = client.get("/api/v1/strategies/").json()["results"]
    assert [(one["measure"], one["actual"], one["expected"], one["on_course"]) for one in told["targets"]] == [
        ("leads", 1, 1, True),
        ("won", 0, 0, True),
    ]
    assert told["spent"] == "40.50"
    [shown] = client.get("/api/v1/demand-activities/").json()["results"]
    assert (shown["returns"]["cost"], shown["returns"]["last_touch"]["leads"]) == ("40.50", 1)
    changed = send(client, "patch", f"strategies/{strategy}/", {"budget": "1000", "targets": [{"measure": "leads", "amount": 5}]})
    assert (changed.json()["budget"], len(changed.json()["targets"])) == ("1000.00", 1)
    assert send(client, "patch", f"strategies/{strategy}/", {"ends": "2020-01-01"}).status_code == 400
    assert api(sales).get("/api/v1/strategies/").status_code == 403
    assert (Strategy.objects.count(), DemandActivity.objects.count(), Cost.objects.count()) == (1, 1, 1)
    assert not Suppression.objects.exists() and not Enrollment.objects.filter(campaign=campaign).exists()


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("put", "campaigns/mine/stages/", [{"kind": "task", "name": "A\x00"}]),
        ("put", "campaigns/mine/stages/", [{"kind": "task", "name": "A\ud800"}]),
        ("put", "campaigns/mine/stages/", [{"kind": "set", "name": "A", "options": {"owner": "\x00"}}]),
        ("put", "campaigns/mine/stages/", [{"kind": "email", "name": "A", "texts": {"en": {"subject": "a", "body": "\x00"}}}]),
        ("put", "campaigns/mine/stages/", [{"kind": ["task"], "name": {}}]),
        ("put", "campaigns/mine/stages/", [{"kind": "branch", "name": "A", "arms": {"a": 1}}]),
        ("put", "campaigns/mine/stages/", [{"kind": "branch", "name": "A", "arms": [{"name": "B", "stages": {"a": 1}}]}]),
        ("put", "campaigns/mine/stages/", [{"kind": "email", "name": "A", "texts": {"en": ["a", "b"]}}]),
        ("put", "campaigns/mine/stages/", [{"kind": "email", "name": "A", "texts": {"en": {"subject": "a", "body": "b", "mjml": 7}}}]),
        ("put", "campaigns/mine/stages/", "x"),
        ("put", "campaigns/mine/stages/", 7),
        ("patch", "campaigns/mine/", {"entry": {"field": "country", "op": "is", "value": "\x00"}}),
        ("patch", "campaigns/mine/", {"entry": {"field": "score", "op": "at_least", "value": 10**30}}),
        ("patch", "campaigns/mine/", {"entry": [1]}),
        ("patch", "campaigns/mine/", {"goal": {"field": ["a"], "op": {}, "value": None}}),
        ("patch", "campaigns/mine/", {"name": "\x00"}),
        ("post", "campaigns/", {"name": "X", "kind": "nurture", "storefront": "appsource", "stages": {"a": 1}}),
        ("post", "campaigns/", {"name": "X", "kind": "nurture", "storefront": 7}),
        ("post", "strategies/", {"name": "X", "starts": "x", "ends": 5, "targets": [{"measure": "leads", "amount": 0}]}),
        ("post", "strategies/", {"name": "X", "starts": "2026-01-01", "ends": "2026-02-01", "targets": 7}),
        ("post", "demand-activities/", {"name": "X", "channel": "search", "listing": "none", "url": "x"}),
        ("post", "costs/", {"campaign": "none", "amount": "1e400"}),
    ],
)
def test_nonsense_is_refused_and_never_an_error_of_ours(campaign, put, api, marketing, method, path, data):
    put("task", "Stays")
    answer = send(api(marketing), method, path, json.dumps(data))
    assert answer.status_code == 400, (answer.status_code, answer.text[:300])
    assert [stage["name"] for stage in as_data(campaign.versions.get())] == ["Stays"]


@pytest.fixture
def walked(app, campaign, put, running, arrive, pass_time):
    """Two people who got the mail, one of them from Czechia, and wait for the goal."""
    put("email", "Welcome")
    put("goal", "On", timedelta(days=30))
    running()
    for name, country in (("ada", "CZ"), ("bob", "NL")):
        arrive(app, **{**WEAK, "email": f"{name}@gmail.com", "country": country})
    Enrollment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    advance()
    send_mail()
    return campaign


def test_results_are_the_figures_of_the_page(walked, api, marketing):
    told = api(marketing).get("/api/v1/campaigns/mine/results/").json()
    assert (told["leads"], told["entered"], told["reached"], told["won"], told["cost"]) == (2, 2, 0, 0, "0.00")
    assert told["reached_share"]["share"] == 0 and told["reached_share"]["high"] > 50
    [mail] = told["mails"]
    assert (mail["name"], mail["sent"], mail["clicked"], mail["opened"]) == ("Welcome", 2, 0, 0)
    assert (len(told["weeks"]), told["weeks"][-1]["entered"], told["weeks"][-1]["week"]) == (12, 2, this_week().isoformat())
    assert {row["name"]: row["entered"] for row in told["countries"]} == {"Czechia": 1, "Netherlands": 1}
    assert [row["entered"] for row in told["listings"]] == [2]
    assert [(one["name"], one["moved_on"][-1], sum(one["moved_on"])) for one in told["stages"]] == [("Welcome", 2, 2), ("On", 0, 0)]
    per_person = api(marketing).get("/api/v1/mails-per-person/").json()
    assert per_person["spread"] == [{"mails": 1, "people": 2}]
    assert {one["email"] for one in per_person["most"]} == {"ada@gmail.com", "bob@gmail.com"}


def test_a_dry_run_by_the_api_is_that_of_the_page(walked, api, marketing):
    client, of = api(marketing), "/api/v1/campaigns/mine/dry-run/"
    told = client.get(of, {"who": "inside"}).json()
    assert (told["version"], told["total"], told["tried"], told["mails"]) == (1, 2, 2, 2)
    assert told["ends"] == [{"why": "Comes to the end", "leads": 2}]
    assert [(way["stages"], way["leads"]) for way in told["ways"]] == [(["Welcome", "On"], 2)]
    assert [step["stage"] for step in told["ways"][0]["example"]["stages"]] == ["Welcome", "On"]
    one = client.get(of, {"lead": "/leads/?country=CZ"}).json()
    assert (one["total"], one["ways"][0]["example"]["lead"]) == (1, str(Lead.objects.get(contact__country="CZ").pk))
    assert client.get(of).json()["total"] == 0
    assert client.get(of, {"lead": "nonsense"}).status_code == 404
    assert client.get(of, {"version": "9"}).status_code == 404
    assert AccessRecord.objects.filter(subject="dry run of mine").exists()


def test_those_in_flight_are_looked_at_and_moved_by_the_api(walked, api, marketing):
    client, of = api(marketing), "campaigns/mine/in-flight/"
    assert client.get(f"/api/v1/{of}").json() == []
    build.add(build.draft_of(walked), "task", "Call", (None, 0, 1))
    publish(walked, by=marketing)
    assert client.get(f"/api/v1/{of}").json() == [{"version": 1, "stage": "On", "people": 2, "to": "On", "skipped": ["Call"], "repeated": []}]
    assert send(client, "post", of).json() == {"moved": 2}
    assert client.get(f"/api/v1/{of}").json() == []


def test_the_coming_mails_by_the_api(campaign, app, put, running, arrive, api, marketing):
    put("wait", "Two days", timedelta(days=2))
    put("email", "Later")
    running()
    arrive(app, **WEAK)
    days = api(marketing).get("/api/v1/coming-mails/").json()
    assert len(days) == 14
    assert [one for day in days for one in day["sendings"]] == [{"campaign": "mine", "stage": "Later", "certain": 1, "possible": 0}]


@pytest.mark.parametrize("verb", ["pause", "end"])
def test_a_change_of_its_conditions_undoes_nothing_that_happens_meanwhile(walked, api, marketing, signed_in, monkeypatch, verb):
    """Somebody stops the campaign after the change was read, and before it is written."""
    from campaigns import forms
    from portal.api import campaigns as by_api

    act = {"pause": pause, "end": end}[verb]
    check = by_api.check

    def and_meanwhile(tree):
        act(walked)
        check(tree)

    monkeypatch.setattr(by_api, "check", and_meanwhile)
    assert send(api(marketing), "patch", "campaigns/mine/", {"entry": {"field": "country", "op": "is", "value": "CZ"}}).status_code == 200
    walked.refresh_from_db()
    state = {"pause": "paused", "end": "ended"}[verb]
    assert (walked.state, walked.entry["value"]) == (state, "CZ")
    publish(walked, by=marketing) if verb == "pause" else Campaign.objects.update(state="published")
    monkeypatch.setattr(forms, "check", and_meanwhile)
    given = {"name": "Renamed", "reentry": "never", "reentry_days": 90}
    assert signed_in(marketing).post("/campaigns/mine/conditions/", given).status_code == 302
    walked.refresh_from_db()
    assert (walked.state, walked.name) == (state, "Renamed")


@pytest.mark.parametrize("holds", ["P99999999999D", "P9999999999999999999W", "P1Y", "P-3D"])
def test_no_time_is_too_long_to_be_refused(campaign, api, marketing, holds):
    stages = [{"kind": "wait", "name": "W", "holds_for": holds}]
    assert send(api(marketing), "put", "campaigns/mine/stages/", stages).status_code == 400


@pytest.mark.parametrize(("given", "field"), [({"ends": "9999-12-31"}, "ends"), ({"starts": "0001-01-01"}, "starts")])
def test_a_strategy_lasts_for_sensible_days(publisher, api, marketing, given, field):
    whole = {"name": "Ages", "starts": "2026-01-01", "ends": "2026-12-31", "budget": "1", **given}
    answer = send(api(marketing), "post", "strategies/", whole)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Strategy.objects.exists()


def test_a_strategy_has_so_many_targets_and_many_strategies_are_listed_all_the_same(publisher, api, marketing):
    client = api(marketing)
    target = {"measure": "leads", "amount": 10}
    whole = {"name": "Many", "starts": "2026-01-01", "ends": "2026-12-31", "budget": "1", "targets": [target] * 51}
    assert send(client, "post", "strategies/", whole).status_code == 400
    for number in range(40):
        assert send(client, "post", "strategies/", {**whole, "name": f"S{number}", "targets": [target] * 50}).status_code == 201
    listed = client.get("/api/v1/strategies/").json()["results"]
    assert sum(len(one["targets"]) for one in listed) == 2_000


def test_a_campaign_that_never_ran_is_not_ended(campaign, api, marketing):
    answer = send(api(marketing), "post", "campaigns/mine/end/")
    assert answer.status_code == 400 and "It never ran" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == "draft"
