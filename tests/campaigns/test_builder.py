"""Building in the browser and as verbs: drafts, places, copies, ways of a branch, conditions; versions, dry runs, moving those in flight."""

from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccessRecord, User
from campaigns import build
from campaigns.changes import changes
from campaigns.clock import next_hour
from campaigns.dryrun import dry_run, of_last_quarter, would_enter
from campaigns.flow import Flow
from campaigns.inflight import landings, move_in_flight
from campaigns.kinds import faults
from campaigns.models import Campaign, Enrollment, Message, Passage, Stage, StageText, Suppression, Transition
from campaigns.publish import publish
from leads.models import Lead
from tests.campaigns.test_stages import AT_NINE, IN_CZ, TWICE, WEAK, where

MINE = "/campaigns/mine/"


@pytest.fixture
def browser(campaign, marketing, signed_in):
    return signed_in(marketing)


def names(version, parent=None, arm=0):
    return [stage.name for stage in build.siblings(version, parent, arm)]


def said(version):
    return [fault for _stage, fault in faults(Flow.of(version.stages.all()))]


def test_stages_are_put_in_moved_copied_and_removed(campaign, put):
    first, second, third = (put("task", name) for name in "abc")
    version = first.version
    between = build.add(version, "task", "x", (None, 0, 1))
    assert names(version) == ["a", "x", "b", "c"]
    assert build.move(between, 1)
    assert not build.move(Stage.objects.get(pk=third.pk), 1)
    assert names(version) == ["a", "b", "x", "c"]
    twin = build.duplicate(second)
    assert names(version) == ["a", "b", "b", "x", "c"]
    assert twin.key != second.key
    assert build.remove(first) == 1
    assert names(version) == ["b", "b", "x", "c"]
    assert [stage.position for stage in build.siblings(version, None, 0)] == [0, 1, 2, 3]


def test_a_branch_is_copied_and_removed_with_all_on_its_ways(campaign, put):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    inner = put("branch", "Twice", parent=asks, arm=1, arms=[{"name": "Twice", "when": TWICE}])
    put("email", "Mail", parent=inner, arm=0)
    twin = build.duplicate(asks)
    copied = build.below(twin)
    assert sorted(stage.name for stage in copied) == ["Mail", "Twice"]
    assert StageText.objects.filter(stage__in=copied).count() == 1
    assert build.remove(asks) == 3
    assert asks.version.stages.count() == 3


def test_a_way_is_added_before_that_of_all_others_and_removed_with_its_stages(campaign, put):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("task", "Only Czech", parent=asks, arm=0)
    put("task", "All others", parent=asks, arm=1)
    build.add_arm(asks, "Twice")
    asks.refresh_from_db()
    assert names(asks.version, asks, 2) == ["All others"]
    build.remove_arm(asks, 0)
    asks.refresh_from_db()
    assert [arm["name"] for arm in asks.options["arms"]] == ["Twice"]
    assert (names(asks.version, asks, 0), names(asks.version, asks, 1)) == ([], ["All others"])


def test_what_is_published_is_never_changed(campaign, put, running):
    stage = put("task", "Call")
    running()
    stage.refresh_from_db()
    stage = Stage.objects.select_related("version").get(pk=stage.pk)
    for change in (build.move, lambda one, by: build.remove(one), lambda one, by: build.duplicate(one)):
        with pytest.raises(ValidationError, match="published"):
            change(stage, 1)
    assert build.drop(campaign) is False


def test_a_draft_begins_as_what_runs_and_can_be_dropped(campaign, put, running):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    mail = put("email", "Mail", parent=asks, arm=0)
    mail.then = asks
    mail.save()
    put("wait", "A while", timedelta(days=1))
    Stage.objects.filter(pk=mail.pk).update(then=Stage.objects.get(name="A while"))
    running()
    draft = build.draft_of(campaign)
    assert build.draft_of(campaign) == draft
    copied = draft.stages.get(name="Mail")
    assert (copied.parent.name, copied.then.name, copied.parent.version, copied.then.version) == ("Where", "A while", draft, draft)
    assert copied.texts.get().subject == "About Mail"
    assert build.drop(campaign) is True
    assert campaign.versions.count() == 1


def test_who_waits_in_a_draft_that_never_ran_waits_at_its_first_stage(app, campaign, put, arrive):
    Campaign.objects.filter(pk=campaign.pk).update(gathers=True, state="draft")
    first = put("task", "First")
    lead = arrive(app, **WEAK)
    assert where(lead) == "First"
    build.add(first.version, "task", "Before", (None, 0, 0))
    assert where(lead) == "Before"
    build.remove(first.version.stages.get(name="Before"))
    assert where(lead) == "First"
    with pytest.raises(ValidationError, match="People wait"):
        build.remove(first)


def test_everything_that_keeps_a_draft_from_running_is_said(campaign, put):
    draft = build.draft_of(campaign)
    assert said(draft) == ["There is no stage yet."]
    put("email", "Mail")
    StageText.objects.all().delete()
    put("wait", "No time")
    put("branch", "Nothing", arms=[{"name": "Yes", "when": {}}])
    put("set", "Nothing set")
    put("exit", "End")
    put("task", "Nobody comes here")
    assert said(draft) == [
        "It has no English text, which all other languages fall back on.",
        "It waits for no time at all.",
        "It asks nothing.",
        "It does not say which status to set.",
        "Nobody comes here: what stands before it ends or leads elsewhere.",
    ]


def test_a_circle_without_a_wait_is_refused_and_one_with_a_wait_is_not(campaign, put):
    task = put("task", "Call")
    wait = put("wait", "A while", timedelta(days=1))
    back = put("task", "Again")
    back.then = task
    back.save()
    assert said(task.version) == []
    back.then = back
    back.save()
    assert "It goes round in a circle without any wait." in said(wait.version)


def test_a_campaign_is_built_from_nothing_to_published_in_the_browser(browser, app, arrive, pass_time):
    answer = browser.post("/campaigns/new/", {"name": "Spring  fair", "storefront": app.storefront.pk, "kind": "nurture", "like": ""})
    assert answer["Location"].startswith("/campaigns/spring-fair/")
    base, campaign = "/campaigns/spring-fair/", Campaign.objects.get(slug="spring-fair")
    assert (campaign.name, campaign.state) == ("Spring fair", "draft")
    assert "There is no stage yet." in browser.post(base + "publish/").text
    for place, kind in enumerate(("email", "branch", "exit")):
        assert browser.post(base + "stages/", {"kind": kind, "place": f"0.0.{place}"}).status_code == 302
    mail, asks, _end = campaign.draft.stages.order_by("position")
    assert browser.post(f"{base}stages/{mail.pk}/en/", {"subject": "Hello", "body": "We are at the fair."}).status_code == 302
    browser.post(f"{base}stages/{asks.pk}/", {"name": "Where", "arm0-name": "Near", "arm0-new": "country"})
    browser.post(f"{base}stages/{asks.pk}/", {"name": "Where", "arm0-name": "Near", "arm0-0-op": "in", "arm0-0-value": ["CZ", "SK"]})
    asks.refresh_from_db()
    assert asks.options == {"arms": [{"name": "Near", "when": {"field": "country", "op": "in", "value": ["CZ", "SK"]}}]}
    browser.post(base + "stages/", {"kind": "task", "place": f"{asks.pk}.0.0"})
    page = browser.get(base).text
    assert "Near" in page
    assert "Call them" in page
    assert browser.post(base + "publish/").status_code == 302
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    pass_time()
    assert Message.objects.get().stage == mail
    assert lead.tasks.get().title == "Call them"


def test_an_edit_goes_into_a_draft_and_runs_when_it_is_published(browser, campaign, put, running, app, arrive, pass_time):
    put("email", "Welcome")
    running()
    stage = campaign.version.stages.get()
    assert browser.post(f"{MINE}stages/{stage.pk}/en/", {"subject": "Other", "body": "Text"}).status_code == 404
    answer = browser.post(MINE + "draft/", {"stage": stage.pk})
    twin = campaign.draft.stages.get()
    assert answer["Location"] == f"{MINE}?stage={twin.pk}#inspector"
    browser.post(f"{MINE}stages/{twin.pk}/en/", {"subject": "Other", "body": "Text"})
    assert stage.texts.get().subject == "About Welcome"
    assert "stays on it" in browser.get(MINE + "publish/").text
    browser.post(MINE + "publish/")
    campaign.refresh_from_db()
    assert (campaign.current, campaign.draft) == (twin.version, None)
    arrive(app, **WEAK)
    pass_time()
    assert Message.objects.get().stage == twin


@pytest.mark.parametrize(
    ("given", "options", "holds"),
    [
        ({"mode": "time", "amount": "3", "unit": "days"}, {}, timedelta(days=3)),
        ({"mode": "hour", "amount": "0", "unit": "days"}, AT_NINE, timedelta()),
        ({"mode": "until", "amount": "2", "unit": "hours"}, {"until": {}}, timedelta(hours=2)),
    ],
)
def test_a_wait_says_what_it_waits_for(browser, put, given, options, holds):
    stage = put("wait", "Wait", timedelta(days=1))
    assert browser.post(f"{MINE}stages/{stage.pk}/", {"name": "Wait", **given}).status_code == 302
    stage.refresh_from_db()
    assert (stage.options, stage.holds_for) == (options, holds)


def test_hours_and_days_are_chosen_and_nonsense_is_refused_with_what_was_typed(browser, put):
    stage = put("wait", "Wait", timedelta(days=1), **AT_NINE)
    given = {"name": "Wait", "mode": "hour", "amount": "1", "unit": "days", "at": "15:30", "weekdays": ["4", "5"]}
    browser.post(f"{MINE}stages/{stage.pk}/", given)
    stage.refresh_from_db()
    assert stage.options == {"minute": 930, "weekdays": [4, 5]}
    assert "Thursday, Friday, 3:30 p.m. their time" in browser.get(MINE).text
    for wrong in (
        {"amount": "99999"},
        {"amount": "-1"},
        {"amount": "x"},
        {"at": "25:99"},
        {"weekdays": ["9"]},
        {"weekdays": []},
        {"name": ""},
        {"mode": "never"},
    ):
        assert browser.post(f"{MINE}stages/{stage.pk}/", {**given, **wrong}).status_code == 422, wrong
    stage.refresh_from_db()
    assert stage.options == {"minute": 930, "weekdays": [4, 5]}


@pytest.mark.parametrize("place", ["", "0.0", "0.1.0", "9999.0.0", "a.b.c", "0.0.-1", "99999999999999999999.0.0"])
def test_there_is_no_other_place_for_a_stage(browser, campaign, put, place):
    put("task", "Call")
    assert browser.post(MINE + "stages/", {"kind": "task", "place": place}).status_code == 404
    assert browser.post(MINE + "stages/", {"kind": "nothing", "place": "0.0.0"}).status_code == 404


def test_conditions_are_read_line_by_line_and_kept_when_nonsense_comes(browser, campaign):
    def post(**given):
        answer = browser.post(MINE + "conditions/", {"name": "Mine", "reentry": "never", "reentry_days": "90", **given})
        campaign.refresh_from_db()
        return answer

    post(**{"entry-new": "score"})
    post(**{"entry-0-op": "at_least", "entry-0-value": "40", "entry-new": "status"})
    assert campaign.entry == {"all": [{"field": "score", "op": "at_least", "value": 40}, {"field": "status", "op": "is", "value": "new"}]}
    post(**{"entry-joint": "any", "entry-0-op": "at_least", "entry-0-value": "many", "entry-1-op": "empty", "entry-1-value": "no"})
    assert campaign.entry == {"any": [{"field": "score", "op": "at_least", "value": 40}, {"field": "status", "op": "empty", "value": False}]}
    post(**{"entry-remove": "0"})
    assert campaign.entry["field"] == "status"
    post(**{"entry-new": "no_such_field", "goal-new": "country", "exit-new": "listing"})
    assert (campaign.goal["field"], campaign.exit["field"]) == ("country", "listing")
    Campaign.objects.filter(pk=campaign.pk).update(entry={"all": [{"any": [IN_CZ, TWICE]}, TWICE]})
    post()
    assert campaign.entry["all"][0] == {"any": [IN_CZ, TWICE]}
    post(**{"entry-clear": "1"})
    assert campaign.entry == {}
    assert campaign.swept_at is None


def test_those_in_flight_land_where_the_new_version_has_their_stage_or_the_next_one(app, campaign, put, running, arrive, marketing, pass_time):
    put("wait", "Short", timedelta(days=1))
    put("wait", "Gone", timedelta(days=5))
    put("goal", "Kept", timedelta(days=9))
    running()
    leads = [arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"}) for n in range(3)]
    short, gone, kept = (Stage.objects.get(name=name) for name in ("Short", "Gone", "Kept"))
    for lead, stage in zip(leads, (short, gone, kept), strict=True):
        Enrollment.objects.filter(lead=lead).update(stage=stage, due_at=timezone.now() + timedelta(hours=5))
    draft = build.draft_of(campaign)
    build.remove(draft.stages.get(name="Gone"))
    build.add(draft, "task", "New task", (None, 0, 1))
    assert landings(campaign) == []
    publish(campaign, by=marketing)
    campaign.refresh_from_db()
    plan = landings(campaign)
    assert [(one.stage.name, one.to.name, one.people, [stage.name for stage in one.skipped]) for one in plan] == [
        ("Short", "Short", 1, []), ("Gone", "Kept", 1, ["New task"]), ("Kept", "Kept", 1, ["New task"]),
    ]  # fmt: skip
    assert Enrollment.objects.filter(stage__version=campaign.current).count() == 0
    assert move_in_flight(campaign) == 3
    assert Enrollment.objects.filter(stage__version=campaign.current).count() == 3
    due = [lead.enrollments.get().due_at for lead in leads]
    assert due[0] < timezone.now() + timedelta(hours=6)
    assert due[1] > timezone.now() + timedelta(days=8)
    assert due[2] < timezone.now() + timedelta(hours=6)
    assert sum(Passage.objects.filter(to_stage__version=campaign.current).values_list("count", flat=True)) == 3
    assert move_in_flight(campaign) == 0


def test_whose_stage_is_gone_lands_on_their_own_way_and_not_in_another_arm(app, campaign, put, running, arrive, marketing):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("wait", "In Czech", timedelta(days=2), parent=asks, arm=0)
    put("wait", "Elsewhere", timedelta(days=2), parent=asks, arm=1)
    put("goal", "Join", timedelta(days=9))
    running()
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    Enrollment.objects.filter(lead=lead).update(stage=Stage.objects.get(name="In Czech"))
    draft = build.draft_of(campaign)
    build.remove(draft.stages.get(name="In Czech"))
    build.add(draft, "task", "Only elsewhere", (draft.stages.get(name="Where"), 1, 0))
    publish(campaign, by=marketing)
    campaign.refresh_from_db()
    [plan] = landings(campaign)
    assert (plan.stage.name, plan.to.name, plan.skipped, plan.repeated) == ("In Czech", "Join", [], [])
    assert move_in_flight(campaign) == 1
    assert lead.enrollments.get().stage.name == "Join"


def test_moving_those_in_flight_is_asked_first(browser, app, campaign, put, running, arrive, marketing):
    put("wait", "Short", timedelta(days=1))
    running()
    lead = arrive(app, **WEAK)
    build.add(build.draft_of(campaign), "task", "Call", (None, 0, 9))
    publish(campaign, by=marketing)
    assert "Move 1 person" in browser.get(MINE + "in-flight/").text
    assert lead.enrollments.get().stage.version.number == 1
    browser.post(MINE + "in-flight/")
    assert lead.enrollments.get().stage.version.number == 2
    assert "Nobody is on an earlier version" in browser.get(MINE + "in-flight/").text


def test_a_dry_run_is_what_then_happens(app, campaign, put, running, arrive, pass_time):
    """The same leads through the dry run and through the engine: the same stages in the same order, and the same due times at their first wait."""
    put("email", "Welcome")
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}, {"name": "Twice", "when": TWICE}])
    put("wait", "Morning", parent=asks, arm=0, **AT_NINE)
    put("exit", "Enough", parent=asks, arm=1)
    put("task", "Call", parent=asks, arm=2)
    put("wait", "Back", timedelta(days=20), until=TWICE)
    put("hand_over", "To sales")
    put("exit", "End")
    leads = [arrive(app, **{**WEAK, "email": f"{country}@gmail.com", "country": country}) for country in ("CZ", "US", "BR")]
    for part in (1, 2):
        leads.append(arrive(app, **{**WEAK, "email": "twice@gmail.com", "country": "DE", "description": f"Part {part}"}))
    ran = dry_run(campaign.draft, Lead.objects.all())
    foreseen = {path.lead.pk: [one.stage.name for one in path.passings] for path in ran.paths}
    assert not Enrollment.objects.exists()
    assert not Message.objects.exists()
    running()
    Lead.objects.update(stale_since=timezone.now())
    from portal import pipeline

    pipeline.run()
    for _ in range(6):
        pass_time()
    names_of = dict(Stage.objects.values_list("pk", "name"))
    walked = {
        enrollment.lead_id: [
            names_of[pk] for pk in Transition.objects.filter(enrollment=enrollment).order_by("at", "id").values_list("from_stage", flat=True)
        ]
        for enrollment in Enrollment.objects.all()
    }
    assert len(walked) == 4
    assert walked == {lead: route if route[-1] != "To sales" else [*route, "End"][: len(walked[lead])] for lead, route in foreseen.items()}


def test_a_dry_run_says_why(browser, app, campaign, put, arrive):
    mail = put("email", "Welcome")
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("goal", "On", timedelta(days=90), parent=asks, arm=0)
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    Suppression.add("bob@gmail.com", "unsubscribed")
    page = browser.get(f"{MINE}dry-run/?lead=http://127.0.0.1{lead.get_absolute_url()}").text
    for words in ("the person does not want mail", "Czech: country: Czechia", "Still there after 60 days", mail.name):
        assert words in page
    whole = browser.get(f"{MINE}dry-run/").text
    assert "1 lead" in whole
    assert not Enrollment.objects.exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [("?country=CZ", "2 leads"), ("?country=CZ&q=ada", "The way, stage by stage"), ("?country=XX", "No such lead"), ("", "3 leads")],
)
def test_a_dry_run_of_any_list_takes_the_address_that_shows_it(browser, app, campaign, put, arrive, asked, told):
    put("email", "Welcome")
    for name, country in (("bob", "CZ"), ("ada", "CZ"), ("eve", "NL")):
        arrive(app, **{**WEAK, "first_name": name, "email": f"{name}@gmail.com", "country": country})
    page = browser.get(f"{MINE}dry-run/", {"lead": f"http://127.0.0.1:8000/leads/{asked}"}).text
    assert told in page
    assert not Enrollment.objects.exists()


def test_a_lead_of_another_storefront_would_never_enter(app, offer, sales, campaign, put, arrive):
    put("email", "Welcome")
    arrive(app, **WEAK)
    arrive(offer, email="ada@firm.example")
    assert dict(dry_run(campaign.version, Lead.objects.all()).ends) == {"Of another storefront: it never enters": 1, "Comes to the end": 1}


def test_publishing_says_how_many_would_enter_the_first_time(browser, app, campaign, put, running, arrive):
    put("wait", "A day", timedelta(days=1))
    arrive(app, **WEAK)
    assert "1 lead" in browser.get(f"{MINE}publish/").text
    running()
    assert "would enter now" not in browser.get(f"{MINE}publish/").text


def test_those_who_would_enter_are_looked_for_among_the_newest_leads(app, offer, campaign, put, arrive, monkeypatch):
    put("wait", "A day", timedelta(days=1))
    old = arrive(app, **WEAK)
    new = arrive(app, **{**WEAK, "email": "second@firm.example"})
    arrive(offer, email="ada@firm.example")
    Enrollment.objects.all().delete()
    for look, found in ((1, set()), (2, {new.pk}), (3, {new.pk, old.pk}), (4, {new.pk, old.pk})):
        monkeypatch.setattr("campaigns.dryrun.LOOK", look)
        assert set(would_enter(campaign).values_list("pk", flat=True)) == found, look


@pytest.mark.parametrize("address", ["http://[leads/?x=1", "//[::1/leads/", "\x00", "/leads/?from=9999999-1"])
def test_a_dry_run_of_an_address_that_is_none_is_not_found(browser, campaign, put, address):
    put("email", "Welcome")
    assert browser.get(f"{MINE}dry-run/", {"lead": address}).status_code in (200, 400, 404)


def test_the_hour_of_a_dry_run_is_the_hour_of_the_engine(app, arrive):
    from tests.campaigns.test_stages import due_at

    lead = arrive(app, **WEAK)
    start = timezone.now().replace(microsecond=0)
    for hours in range(0, 24 * 8, 7):
        moment = start + timedelta(hours=hours)
        there = due_at(moment.isoformat(), '{"minute": 540, "weekdays": [2, 4]}', "US", lead)
        assert next_hour(moment, {"minute": 540, "weekdays": [2, 4]}, "America/New_York") == there


def test_a_version_says_what_is_different_from_the_one_before(browser, campaign, put, running):
    for name in "abcd":
        put("task", name)
    mail = put("email", "Mail")
    running()
    draft = build.draft_of(campaign)
    stages = {stage.name: stage for stage in draft.stages.all()}
    build.move(stages["d"], -1)
    build.move(Stage.objects.get(pk=stages["d"].pk), -1)
    build.remove(stages["a"])
    build.add(draft, "wait", "new", (None, 0, 0))
    Stage.objects.filter(pk=stages["b"].pk).update(options={"days": 3}, name="bee")
    StageText.objects.create(stage=stages["Mail"], language="cs", subject="Ahoj", body="Ahoj")
    found = [(one.kind, one.stage.name, one.what) for one in changes(campaign.current, draft)]
    assert found == [
        ("added", "new", []), ("changed", "d", ["moved"]), ("changed", "bee", ["named “b” before", "another condition or choice"]),
        ("changed", "Mail", ["text in Čeština"]), ("removed", "a", []),
    ]  # fmt: skip
    assert "5 stages differ from version 1" in browser.get(MINE).text
    assert changes(campaign.current, campaign.current) == []
    assert mail.key == stages["Mail"].key


def test_a_test_mail_goes_to_whoever_asks_and_to_nobody_else(browser, campaign, put, app, arrive, marketing):
    mail = put("email", "Welcome")
    path = f"{MINE}stages/{mail.pk}/en/test/"
    browser.post(path)
    assert not outbox()
    arrive(app, **WEAK)
    User.objects.update(email="")
    browser.post(path)
    assert not outbox()
    User.objects.filter(pk=marketing.pk).update(email="mira@larkfield.example")
    browser.post(path)
    assert [(one.subject, one.to) for one in outbox()] == [("Test: About Welcome", ["mira@larkfield.example"])]
    assert not Message.objects.exists()


def outbox():
    return django_mail.outbox


def test_a_dry_run_costs_the_same_however_many_leads(app, campaign, put, arrive):
    put("email", "Welcome")
    asks = put("branch", "Where", arms=[{"name": "Shop", "when": {"field": "storefront", "op": "is", "value": "appsource"}}])
    put("wait", "Morning", parent=asks, arm=0, **AT_NINE)
    put("goal", "On", timedelta(days=9))

    def cost():
        with CaptureQueriesContext(connection) as queries:
            ran = dry_run(campaign.draft, Lead.objects.all())
        return len(queries), ran

    arrive(app, **{**WEAK, "country": ""})
    few, _ran = cost()
    for n in range(6):
        arrive(app, **{**WEAK, "email": f"p{n}@gmail.com", "country": "" if n % 2 else "BR"})
    Suppression.add("p3@gmail.com", "objected")
    many, ran = cost()
    assert many == few
    assert sum("does not want mail" in path.passings[0].why for path in ran.paths) == 1


def test_the_api_lists_campaigns_at_the_same_cost_however_many_are_drafts(app, campaign, put, api, marketing):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/v1/campaigns/").status_code == 200
        return len(queries)

    client = api(marketing)
    put("task", "Call")
    few = cost()
    for n in range(5):
        one = Campaign.objects.create(slug=f"more-{n}", name="More", kind="nurture", storefront=app.storefront)
        build.add(one.versions.create(number=1), "task", "Call", (None, 0, 0))
    assert cost() == few


def test_the_last_quarter_is_walked_from_the_day_each_lead_came_whatever_became_of_it(browser, app, campaign, put, arrive, sales):
    put("wait", "A while", timedelta(days=2))
    put("email", "Hello")
    put("exit", "End")
    old, older, closed = (arrive(app, **{**WEAK, "email": f"{name}@gmail.com"}) for name in ("old", "older", "closed"))
    now = timezone.now()
    Lead.objects.filter(pk=old.pk).update(received_at=now - timedelta(days=30))
    Lead.objects.filter(pk=older.pk).update(received_at=now - timedelta(days=120))
    Lead.objects.filter(pk=closed.pk).update(received_at=now - timedelta(days=60), status="lost", owner=sales)
    ran = dry_run(campaign.version, of_last_quarter(campaign), past=True)
    assert [path.lead for path in ran.paths] == [old, closed]
    assert [path.passings[1].since for path in ran.paths] == [now - timedelta(days=28), now - timedelta(days=58)]
    assert ran.mails == 2
    page = browser.get("/campaigns/mine/dry-run/?who=past").text
    assert "What it would have done to them" in page and "2 leads" in page


def test_two_people_who_build_at_once_lose_nothing_of_each_other(campaign, put):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}, {"name": "Polish", "when": IN_CZ}])
    for way, name in enumerate(("Czech", "Polish", "All others")):
        put("task", f"Only {name}", parent=asks, arm=way)
    mine, theirs = (Stage.objects.select_related("version").get(pk=asks.pk) for _ in range(2))
    build.remove_arm(mine, 0)
    build.remove_arm(theirs, 1)  # as their page still shows it, there are two; there is no such way now
    asks.refresh_from_db()
    assert [arm["name"] for arm in asks.options["arms"]] == ["Polish"]
    assert (names(asks.version, asks, 0), names(asks.version, asks, 1)) == (["Only Polish"], ["Only All others"])
    build.add_arm(mine, "Mine")
    build.add_arm(theirs, "Theirs")
    asks.refresh_from_db()
    assert [arm["name"] for arm in asks.options["arms"]] == ["Polish", "Mine", "Theirs"]


def test_what_somebody_else_removed_is_said(browser, campaign, put):
    stage = put("task", "Call")
    stale = Stage.objects.select_related("version").get(pk=stage.pk)
    build.remove(stage)
    for change in (
        lambda one: build.move(one, 1),
        build.remove,
        build.duplicate,
        lambda one: build.add_arm(one, "x"),
        lambda one: build.remove_arm(one, 0),
    ):
        with pytest.raises(ValidationError, match="Somebody else has removed"):
            change(stale)
    with pytest.raises(ValidationError, match="Somebody else has removed"):
        build.add(stale.version, "task", "x", (stale, 0, 0))


def test_the_audit_says_whose_way_was_tried_and_never_what_was_searched_for(browser, app, campaign, put, arrive):
    put("task", "Call")
    lead = arrive(app, email="ada@firma.example")
    for asked in (f"/leads/?q={lead.contact.email}&country=CZ", lead.get_absolute_url()):
        assert browser.get("/campaigns/mine/dry-run/", {"lead": asked}).status_code == 200
    said = set(AccessRecord.objects.filter(subject__contains="dry run").values_list("subject", flat=True))
    assert said == {"leads by country, q, dry run of mine", f"lead {lead.pk}, dry run of mine"}


def test_an_address_of_nobody_is_said_beside_what_was_typed(browser, app, campaign, put):
    put("task", "Call")
    page = browser.get("/campaigns/mine/dry-run/", {"lead": "rubbish"})
    assert page.status_code == 200
    assert "No such lead" in page.text and 'value="rubbish"' in page.text


def test_what_stands_in_the_way_is_said_before_anybody_presses_publish(browser, campaign, put):
    stage = put("email", "New mail")
    stage.texts.all().delete()
    page = browser.get(MINE + "publish/")
    assert page.status_code == 200 and "“New mail”: It has no English text" in page.text
    assert 'class="btn btn-primary"' not in page.text and "people get English" not in page.text and "wait in it" not in page.text
    assert "is not written in every language" in page.text and "Every mail is written" not in page.text
    StageText.objects.create(stage=stage, language="en", subject="Hello", body="Hello")
    page = browser.get(MINE + "publish/").text
    assert 'class="btn btn-primary"' in page and "people get English" in page


def test_who_comes_back_to_the_address_of_a_text_sees_its_stage(browser, campaign, put):
    stage = put("email")
    answer = browser.get(f"{MINE}stages/{stage.pk}/es/")
    assert answer.status_code == 302 and f"stage={stage.pk}" in answer["Location"] and "language=es" in answer["Location"]


def test_a_campaign_that_ended_says_why_it_is_not_published(browser, campaign, put):
    put("wait", holds=timedelta(days=1))
    Campaign.objects.filter(pk=campaign.pk).update(state="ended")
    answer = browser.post(MINE + "publish/")
    assert answer.status_code == 422 and "An ended campaign can’t be started again." in answer.text
