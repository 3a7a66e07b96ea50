"""What a marketer says about a stage in the browser: kept as the engine reads it, refused in words, and shown again as it was said."""

from datetime import timedelta

import pytest

from accounts.models import AccessRecord
from campaigns.flow import Flow
from campaigns.kinds import Here, faults_of
from campaigns.models import Split, Stage
from campaigns.panels import tell
from delivery.models import Destination
from tests.campaigns.test_stages import WEAK
from tests.conftest import person

WAYS = [{"name": "A", "share": 1}, {"name": "B", "share": 1}]


@pytest.fixture
def browser(campaign, marketing, signed_in):
    return signed_in(marketing)


@pytest.fixture
def say(browser):
    """Post a stage's form; returns the answer and the stage as it is then."""

    def post(stage, **given):
        answer = browser.post(f"/campaigns/mine/stages/{stage.pk}/", {"name": stage.name, **given})
        return answer, Stage.objects.get(pk=stage.pk)

    return post


@pytest.mark.parametrize(
    ("before", "given", "options"),
    [
        ({"status": "nurturing"}, {"what": "status", "status": "lost"}, {"status": "lost"}),
        ({"status": "nurturing"}, {"what": "tag"}, {"tag": ""}),
        ({"tag": ""}, {"what": "tag", "tag": "  Big, Fair "}, {"tag": "big fair"}),
        ({"tag": "fair"}, {"what": "tag", "tag": "fair", "off": "on"}, {"tag": "fair", "off": True}),
        ({"tag": "fair"}, {"what": "bonus", "tag": "fair"}, {"bonus": 5}),
        ({"bonus": 5}, {"what": "bonus", "bonus": "-20"}, {"bonus": -20}),
        ({"bonus": 5}, {"what": "bonus", "bonus": "0"}, {"bonus": 0}),
        ({"bonus": 5}, {"what": "owner", "bonus": "5"}, {"owner": ""}),
        ({"owner": ""}, {"what": "owner", "owner": "sales"}, {"owner": "sales"}),
    ],
)
def test_what_a_stage_sets(say, put, sales, before, given, options):
    answer, stage = say(put("set", "Set", **before), **given)
    assert answer.status_code == 302
    begins = next(iter(options))
    assert stage.options == options or (begins == "bonus" and stage.options.keys() == {"bonus"})


@pytest.mark.parametrize(
    ("before", "given", "words"),
    [
        ({"tag": "fair"}, {"what": "tag", "tag": " , "}, "It does not say which tag."),
        ({"bonus": 5}, {"what": "bonus", "bonus": "51"}, "50"),
        ({"owner": ""}, {"what": "owner", "owner": "nobody"}, "nobody"),
        ({"status": "lost"}, {"what": "status", "status": "won"}, "won"),
        ({"status": "lost"}, {"what": "nonsense"}, "nonsense"),
    ],
)
def test_what_no_stage_can_set_is_refused_in_words(say, put, sales, before, given, words):
    answer, stage = say(put("set", "Set", **before), **given)
    assert (answer.status_code, stage.options) == (422, before)
    assert words in answer.text


def test_a_webhook_tells_one_of_the_systems_there_are(say, put):
    made = Destination.objects.create(name="Fair system", kind="https", config={"url": "https://fair.example"})
    stage = put("webhook", "Tell")
    assert [*faults_of(Flow.of([stage]).steps[stage.pk], Here())] == ["It does not say which system to tell."]
    answer, stage = say(stage, destination=str(made.uid))
    assert (answer.status_code, stage.options) == (302, {"destination": str(made.uid)})
    assert not [*faults_of(Flow.of([stage]).steps[stage.pk], Here())]
    refused, same = say(stage, destination="00000000-0000-7000-8000-000000000000")
    assert (refused.status_code, same.options) == (422, stage.options)


def test_a_notice_goes_to_somebody_with_an_address(say, put, browser):
    colleague = person("lena", "sales")
    colleague.email = "lena@larkfield.example"
    colleague.save()
    stage = put("notify", "Tell")
    answer, stage = say(stage, to="lena")
    assert (answer.status_code, stage.options) == (302, {"to": "lena"})
    colleague.email = ""
    colleague.save()
    assert [*faults_of(Flow.of([stage]).steps[stage.pk], Here())] == ["Whom it notifies is not here any more, or has no e-mail address."]
    assert say(stage, to="lena")[0].status_code == 422
    assert say(stage, to="")[1].options == {}


@pytest.mark.parametrize(
    ("given", "arms", "rest"),
    [
        ({"arm0-share": "3", "arm1-name": "  Better   B "}, [("A", 3), ("Better B", 1)], {"measure": "clicked", "auto": False, "least": 100}),
        ({"measure": "goal", "auto": "on", "least": "500"}, [("A", 1), ("B", 1)], {"measure": "goal", "auto": True, "least": 500}),
        ({"arm0-name": "", "arm1-share": ""}, [("A", 1), ("B", 1)], {"measure": "clicked", "auto": False, "least": 100}),
    ],
)
def test_the_ways_of_a_split(say, put, given, arms, rest):
    answer, stage = say(put("split", "Test", arms=WAYS), **{"measure": "clicked", "least": "100", **given})
    assert answer.status_code == 302
    assert [(arm["name"], arm["share"]) for arm in stage.options["arms"]] == arms
    assert {name: stage.options[name] for name in rest} == rest


@pytest.mark.parametrize(
    ("given", "words"), [({"arm0-share": "0"}, "from 1 to 100"), ({"arm1-share": "101"}, "from 1 to 100"), ({"least": "9"}, "10")]
)
def test_a_split_that_makes_no_sense_is_refused(say, put, given, words):
    answer, stage = say(put("split", "Test", arms=WAYS), **{"measure": "clicked", "least": "100", **given})
    assert (answer.status_code, stage.options) == (422, {"arms": WAYS})
    assert words in answer.text


def test_ways_are_added_and_removed_with_what_stands_on_them(say, put):
    split = put("split", "Test", arms=WAYS)
    put("task", "On B", parent=split, arm=1)
    _answer, split = say(split, measure="clicked", least="100", way="add")
    assert [arm["name"] for arm in split.options["arms"]] == ["A", "B", "Way 3"]
    _answer, split = say(split, measure="clicked", least="100", way="0")
    assert [arm["name"] for arm in split.options["arms"]] == ["B", "Way 3"]
    assert Stage.objects.get(name="On B").arm == 0
    answer, same = say(split, measure="clicked", least="100", way="77")
    assert answer.status_code in (302, 422) and len(same.options["arms"]) == 2


@pytest.mark.parametrize(
    ("before", "given", "options", "holds"),
    [
        ({}, {"mode": "time", "amount": "36", "unit": "hours"}, {}, timedelta(hours=36)),
        ({}, {"mode": "hour", "amount": "0", "unit": "days"}, {"minute": 540, "weekdays": [1, 2, 3, 4, 5]}, timedelta()),
        (
            {"minute": 540, "weekdays": [1]},
            {"mode": "hour", "at": "14:30", "weekdays": ["6", "7"]},
            {"minute": 870, "weekdays": [6, 7]},
            timedelta(days=1),
        ),
        ({"minute": 540, "weekdays": [1]}, {"mode": "until"}, {"until": {}}, timedelta(days=1)),
        ({"until": {}}, {"mode": "until", "until-new": "clicks"}, None, timedelta(days=1)),
    ],
)
def test_what_a_wait_waits_for(say, put, before, given, options, holds):
    answer, stage = say(put("wait", "Wait", timedelta(days=2), **before), **{"amount": "1", "unit": "days", **given})
    assert (answer.status_code, stage.holds_for) == (302, holds)
    assert stage.options == options if options is not None else stage.options["until"]["field"] == "clicks"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amount": "731"}, "two years"),
        ({"amount": "-1"}, "0"),
        ({"amount": "9" * 30}, "100000"),
        ({"unit": "weeks"}, "weeks"),
        ({"mode": "never"}, "never"),
    ],
)
def test_no_wait_is_endless(say, put, given, words):
    answer, stage = say(put("wait", "Wait", timedelta(days=2)), **{"mode": "time", "amount": "1", "unit": "days", **given})
    assert (answer.status_code, stage.holds_for) == (422, timedelta(days=2))
    assert words in answer.text


def test_a_wait_for_an_hour_needs_a_day(say, put):
    answer, _stage = say(put("wait", "Wait", minute=540, weekdays=[1]), mode="hour", amount="1", unit="days", at="09:00")
    assert answer.status_code == 422
    assert "Choose a day at least." in answer.text


def test_a_winner_is_named_and_let_go_by_hand(browser, put):
    split = put("split", "Test", arms=WAYS)
    for said, winner in (("1", 1), ("9", None), ("0", 0), ("x", None)):
        assert browser.post(f"/campaigns/mine/stages/{split.pk}/winner/", {"arm": said}).status_code == 302
        assert Split.objects.get(stage_key=split.key).winner == winner
    assert AccessRecord.objects.filter(subject="campaign mine: “Test” is won by 1").exists()
    wait = put("wait", "Wait")
    assert browser.post(f"/campaigns/mine/stages/{wait.pk}/winner/", {"arm": "0"}).status_code == 404


def test_stages_are_moved_copied_and_taken_out(browser, campaign, put):
    first, second = put("wait", "First", timedelta(days=1)), put("wait", "Second", timedelta(days=1))

    def names():
        return list(campaign.draft.stages.order_by("position").values_list("name", flat=True))

    browser.post(f"/campaigns/mine/stages/{second.pk}/move/", {"by": "up"})
    assert names() == ["Second", "First"]
    browser.post(f"/campaigns/mine/stages/{second.pk}/move/", {"by": "down"})
    browser.post(f"/campaigns/mine/stages/{first.pk}/duplicate/")
    assert names()[0] == "First" and len(names()) == 3
    answer = browser.post(f"/campaigns/mine/stages/{first.pk}/remove/", follow=True)
    assert "Removed: First" in answer.text
    assert len(names()) == 2


@pytest.mark.parametrize(
    ("status", "reason", "state", "words"),
    [
        ("held", "seller", "published", "Held while a seller is on it"), ("exited", "lead_closed", "published", "Left: the lead was closed"),
        ("exited", "by_hand", "published", "Taken out by a person"), ("exited", "campaign_over", "ended", "Left: the campaign was ended"),
        ("exited", "exit", "published", "Left: no longer meant"), ("exited", "something new", "published", "Left the campaign"),
        ("reached", "", "published", "Reached the goal"), ("ended", "", "published", "Went through to the end"),
        ("active", "", "paused", "Waits: the campaign is paused"), ("active", "", "draft", "Waits until the campaign is published"),
    ],
)  # fmt: skip
def test_an_enrollment_says_why_it_stands_where_it_does(app, campaign, put, running, arrive, status, reason, state, words):
    put("goal", "On", timedelta(days=9))
    running()
    enrollment = arrive(app, **WEAK).enrollments.get()
    enrollment.status, enrollment.reason = status, reason
    enrollment.campaign.state = state
    assert tell(enrollment)["why"] == words
