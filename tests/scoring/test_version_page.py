"""The score version in force as marketing reads it: its rules in words, and how often each counts."""

import pytest

from leads.models import Lead
from portal import pipeline
from scoring.models import ScoreRule, ScoreVersion

PAGE = "/setup/scoring/"


@pytest.fixture
def shown(signed_in, marketing):
    return lambda: signed_in(marketing).get(PAGE)


def test_it_is_the_offices_to_read(publisher, sales, marketing, admin, client, signed_in):
    assert client.get(PAGE).status_code == 302
    assert signed_in(sales).get(PAGE).status_code == 403
    assert signed_in(marketing).get(PAGE).status_code == signed_in(admin).get(PAGE).status_code == 200


def test_every_rule_has_its_name_its_points_and_its_condition_in_words(publisher, shown):
    page = shown()
    rows = [row for _title, _about, _cap, _high, rows in page.context["parts"] for row in rows]
    assert [row.rule for row in rows] == sorted(ScoreVersion.in_force().rules.all(), key=lambda rule: (rule.part != "fit", rule.position))
    for row in rows:
        assert row.name in page.content.decode()
        assert row.condition
        assert not row.condition.startswith("{")


def test_it_says_for_how_many_each_rule_counted(offer, app, sales, post, shown):
    post(offer)
    post(offer, email="second@gmail.com", company="", title="")
    post(app, email="third@gmail.com", company="", title="")
    pipeline.run()
    page = shown()
    rows = {row.rule.name: row.held for _title, _about, _cap, _high, rows in page.context["parts"] for row in rows}
    assert page.context["sample"] == 3
    for position, rule in enumerate(ScoreVersion.in_force().rules.order_by("position")):
        assert rows[rule.name] == sum(bool(lead.score_points[position]) for lead in Lead.objects.all()), rule.name
    assert rows["Business e-mail"] == 1
    assert sum(n for _value, n in page.context["clusters"]) == 3


def test_without_leads_there_are_no_shares(publisher, shown):
    page = shown()
    assert page.context["sample"] == 0
    assert "%" not in "".join(page.content.decode().split("<table")[1:])


def test_the_shipped_rules_can_reach_and_never_pass_the_caps(db):
    version = ScoreVersion.in_force()
    for part, cap in ((ScoreRule.Part.FIT, version.fit_cap), (ScoreRule.Part.INTENT, version.intent_cap)):
        assert sum(rule.points for rule in version.rules.filter(part=part, points__gt=0)) >= cap
    assert version.fit_cap + version.intent_cap == 100
