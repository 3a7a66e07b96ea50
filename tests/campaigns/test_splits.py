"""A/B tests: by chance that falls the same everywhere, kept, compared by what came of it, won by hand or by the figures."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns import splits
from campaigns.advance import advance
from campaigns.dryrun import dry_run
from campaigns.models import Choice, Enrollment, Split
from campaigns.publish import publish
from campaigns.splits import Outcome, Rate, arm_of, decide, leading, outcomes, set_winner, undecided
from campaigns.written import as_data, write
from leads.models import Lead
from tests.campaigns.test_stages import WEAK
from tests.conftest import at_once

ARMS = [{"name": "A", "share": 1}, {"name": "B", "share": 3}]


@pytest.fixture
def split(put, running):
    """A quarter goes one way, three quarters the other."""

    def build(**options):
        stage = put("split", "Test", **{"arms": ARMS, "measure": "goal", "auto": True, "least": 10, **options})
        for arm, name in enumerate("AB"):
            put("goal", name, timedelta(days=9), parent=stage, arm=arm)
        running()
        return stage

    return build


def test_chance_is_as_wide_as_the_shares_say_and_falls_the_same_for_a_lead(put):
    stage = put("split", "Test", arms=ARMS)
    leads = [uuid4() for _ in range(4_000)]
    first = [arm_of(stage, lead, None) for lead in leads]
    assert 0.22 < first.count(0) / 4_000 < 0.28
    assert first == [arm_of(stage, lead, None) for lead in leads]
    assert {arm_of(stage, lead, 0) for lead in leads} == {0}


def test_the_engine_goes_the_way_of_the_dry_run_and_keeps_it(app, campaign, split, arrive):
    stage = split()
    leads = [arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"}) for n in range(12)]
    dry = {path.lead.pk: path.route[-1] for path in dry_run(campaign.current, Lead.objects.all()).paths}
    advance()
    went = {one.lead_id: one.stage.name for one in Enrollment.objects.select_related("stage")}
    assert went == {lead.pk: "AB"[arm_of(stage, lead.pk, None)] for lead in leads}
    assert {name[-1] for name in dry.values()} <= {"A", "B"} and all(dry[pk].endswith(name) for pk, name in went.items())
    assert dict(Choice.objects.values_list("enrollment__lead", "arm")) == {pk: "AB".index(name) for pk, name in went.items()}


def test_a_winner_takes_everybody_until_chance_decides_again(app, campaign, split, arrive, marketing, signed_in):
    stage = split()
    browser = signed_in(marketing)
    page = f"/campaigns/mine/?stage={stage.pk}&version=1"
    assert "Everybody to “A”" in browser.get(page).text
    assert browser.post(f"/campaigns/mine/stages/{stage.pk}/winner/", {"arm": "0"}).status_code == 302
    for n in range(8):
        arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"})
    assert {path.route[-1][-1] for path in dry_run(campaign.current, Lead.objects.all()).paths} == {"A"}
    advance()
    assert set(Enrollment.objects.values_list("stage__name", flat=True)) == {"A"}
    assert "Decided by" in browser.get(page).text
    browser.post(f"/campaigns/mine/stages/{stage.pk}/winner/", {"arm": ""})
    assert Split.objects.get().winner is None
    for odd in ("9", "x", "-1"):
        browser.post(f"/campaigns/mine/stages/{stage.pk}/winner/", {"arm": odd})
        assert Split.objects.get().winner is None


@pytest.mark.parametrize(
    ("figures", "wins"),
    [
        ([(90, 100), (10, 100)], 0),
        ([(10, 100), (90, 100)], 1),
        ([(52, 100), (48, 100)], None),
        ([(9, 9), (0, 9)], None),
        ([(90, 100)], None),
        ([], None),
    ],
)
def test_a_way_leads_when_its_range_lies_above_all_others(figures, wins):
    assert leading([Outcome(n, "AB"[n], Rate(*one)) for n, one in enumerate(figures)], least=10) == wins


def took(stage, arrive, app, arm, n, hits, start):
    """n people who took a way, of whom so many reached the goal since."""
    for number in range(n):
        lead = arrive(app, **{**WEAK, "email": f"{'ab'[arm]}{start + number}@gmail.com"})
        one = lead.enrollments.get()
        Choice.objects.create(enrollment=one, stage_key=stage.key, arm=arm, at=timezone.now() - timedelta(hours=1))
        if number < hits:
            Enrollment.objects.filter(pk=one.pk).update(status="reached", ended_at=timezone.now(), due_at=None)


def test_the_figures_decide_by_themselves_and_are_looked_at_every_hour(app, split, arrive):
    stage = split()
    took(stage, arrive, app, 0, 12, 1, 0)
    took(stage, arrive, app, 1, 12, 11, 0)
    assert [(one.rate.part, one.rate.whole) for one in outcomes(stage)] == [(1, 12), (11, 12)]
    assert decide() == 1
    assert Split.objects.get().winner == 1
    assert decide() == 0


def test_unclear_figures_are_looked_at_again_after_an_hour_and_a_person_may_keep_it_open(app, split, arrive):
    stage = split()
    assert decide() == 1
    assert (Split.objects.get().winner, undecided(timezone.now())) == (None, [])
    assert undecided(timezone.now() + timedelta(minutes=61)) == [stage]


def test_what_chance_decides_again_bears_nobodys_name(app, split, arrive, marketing):
    stage = split()
    set_winner(stage, 0, marketing)
    set_winner(stage, None, marketing)
    took(stage, arrive, app, 0, 12, 1, 0)
    took(stage, arrive, app, 1, 12, 11, 0)
    Split.objects.update(looked_at=timezone.now() - timedelta(hours=2))
    assert decide() == 1
    assert Split.objects.values_list("winner", "decided_by").get() == (1, None)


def test_one_that_does_not_decide_by_itself_is_left_to_a_person(split):
    split(auto=False)
    assert decide() == 0


def test_each_measure_counts_what_came_after_the_choice(app, split, arrive):
    stage = split(measure="opportunity")
    took(stage, arrive, app, 0, 2, 0, 0)
    Lead.objects.filter(contact__email="a0@gmail.com").update(opportunity_at=timezone.now())
    Lead.objects.filter(contact__email="a1@gmail.com").update(opportunity_at=timezone.now() - timedelta(days=1))
    assert outcomes(stage)[0].rate == Rate(1, 2)
    stage.options["measure"] = "clicked"
    assert outcomes(stage)[0].rate == Rate(0, 2)


@pytest.mark.parametrize(("arms", "fault"), [([], "two ways"), (ARMS[:1], "two ways"), ([{"name": "A", "share": 0}, ARMS[1]], "needs a share")])
def test_a_split_needs_two_ways_with_shares(campaign, put, marketing, arms, fault):
    put("split", "Test", arms=arms)
    with pytest.raises(ValidationError, match=fault):
        publish(campaign, by=marketing)


def test_it_is_built_in_the_browser(campaign, put, marketing, signed_in):
    browser = signed_in(marketing)
    put("exit", "End")
    draft = campaign.draft
    browser.post("/campaigns/mine/stages/", {"kind": "split", "place": "0.0.0"})
    stage = draft.stages.get(kind="split")
    assert browser.post("/campaigns/mine/stages/", {"kind": "task", "place": f"{stage.pk}.2.0"}).status_code == 404
    for arm in "01":
        browser.post("/campaigns/mine/stages/", {"kind": "task", "place": f"{stage.pk}.{arm}.0"})
    given = {
        "name": "Subject",
        "measure": "goal",
        "auto": "on",
        "least": "50",
        "arm0-name": "Short",
        "arm0-share": "20",
        "arm1-name": "Long",
        "arm1-share": "80",
    }
    assert browser.post(f"/campaigns/mine/stages/{stage.pk}/", {**given, "way": "add"}).status_code == 302
    stage.refresh_from_db()
    assert stage.options == {
        "arms": [{"name": "Short", "share": 20}, {"name": "Long", "share": 80}, {"name": "Way 3", "share": 50}], "measure": "goal", "auto": True, "least": 50,
    }  # fmt: skip
    browser.post(f"/campaigns/mine/stages/{stage.pk}/", {**given, "way": "0"})
    stage.refresh_from_db()
    assert [arm["name"] for arm in stage.options["arms"]] == ["Long", "Way 3"]
    assert stage.children.count() == 1
    assert "A share is a whole number" in browser.post(f"/campaigns/mine/stages/{stage.pk}/", {**given, "arm0-share": "500"}).text
    assert "62% of all" in browser.get("/campaigns/mine/").text


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_workers_send_each_one_way_once(app, split, post, marketing):
    from portal import pipeline

    split()
    for n in range(20):
        post(app, **{**WEAK, "email": f"p{n}@gmail.com"})
    pipeline.run()
    at_once(2, advance)
    assert Choice.objects.count() == Enrollment.objects.count() == 20
    assert splits.winners([]) == {}


def test_as_data_it_is_read_and_written_again(campaign, put):
    stage = put("split", "Test", arms=ARMS, measure="goal", auto=True, least=20)
    put("task", "Call", parent=stage, arm=1)
    version = campaign.versions.get()
    before = as_data(version)
    assert before[0]["arms"][1]["stages"][0]["name"] == "Call"
    write(version, before)
    assert as_data(version) == before
    for odd in ({"measure": "luck"}, {"least": 1}, {"auto": "yes"}):
        with pytest.raises(ValidationError, match=r"stages\[0\].options"):
            write(version, [{"kind": "split", "name": "X", "options": odd}])
    with pytest.raises(ValidationError, match="everybody takes one of its ways"):
        write(version, [{"kind": "split", "name": "X", "arms": [{"name": "A"}], "otherwise": [{"kind": "task", "name": "Y"}]}])


def test_what_a_person_decided_meanwhile_stays(app, split, arrive, marketing, monkeypatch):
    stage = split()
    before = undecided(timezone.now())
    assert [one.key for one in before] == [stage.key]
    set_winner(before[0], 1, marketing)
    monkeypatch.setattr(splits, "undecided", lambda now: before)
    assert decide() == 1
    assert Split.objects.values_list("winner", "decided_by").get() == (1, marketing.pk)
