"""The score: its arithmetic, its explanation, its fading."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from leads.models import Lead
from portal import pipeline
from scoring.explanation import explain
from scoring.models import ScoreVersion
from scoring.score import decay, score
from tests.conftest import listing, payload


def lines(lead):
    return {line.rule: line.points for line in explain(lead)}


def test_the_lines_add_up_and_say_why(offer, sales, arrive):
    lead = arrive(offer, description="We need a demo for 40 technicians next month, and prices for three sites in two countries.")
    said = {line.rule: (line.points, line.reason) for line in explain(lead)}
    assert sum(points for points, _ in said.values()) == lead.score == lead.fit + lead.intent
    assert said["Business e-mail"] == (12, "kolovrat.example")
    assert said["Decides alone"] == (12, "CIO")
    assert said["Get it now"][0] == 22
    assert all(reason for _, reason in said.values())
    assert lead.cluster == "act_now"


def test_a_cap_is_a_line_of_its_own(offer, sales, arrive):
    ScoreVersion.objects.update(fit_cap=20)
    lead = arrive(offer)
    assert lead.fit == 20
    assert lines(lead)["Cap"] == 20 - sum(p for r, p in lines(lead).items() if r != "Cap") + lead.intent
    assert sum(lines(lead).values()) == lead.score


def test_a_disposable_address_never_takes_fit_below_zero(offer, sales, arrive):
    lead = arrive(offer, email="x@mailinator.com", company="", title="", phone="", country="")
    assert lead.fit >= 0
    assert sum(lines(lead).values()) == lead.score


def test_points_fade_by_half_lives_of_whole_days(offer, sales, arrive):
    lead = arrive(offer)
    lead.interactions.update(received_at=timezone.now() - timedelta(days=14, hours=1))
    Lead.objects.update(last_interaction_at=timezone.now() - timedelta(days=14, hours=1), rescore_at=timezone.now() - timedelta(hours=1))
    assert decay() == 1
    pipeline.run()
    lead.refresh_from_db()
    assert lines(lead)["Get it now"] == 11
    assert "Acted within 2 days" not in lines(lead)
    assert timezone.now() < lead.rescore_at < timezone.now() + timedelta(days=1)
    assert decay() == 0


def test_scoring_twice_changes_nothing_and_tells_nothing(offer, sales, arrive):
    lead = arrive(offer)
    told = lead.activities.count()
    score([lead.pk])
    assert Lead.objects.get(pk=lead.pk).score_points == lead.score_points
    assert lead.activities.count() == told


def test_a_new_version_rescores_everything(offer, sales, arrive):
    lead = arrive(offer)
    version = ScoreVersion.objects.create(number=2, published_at=timezone.now())
    version.rules.create(position=0, part="fit", name="Everybody", points=7, condition={})
    assert Lead.objects.exclude(score_version=version.number).make_stale() == 1
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.score, lead.score_version, lead.score_points) == (7, 2, [7, 0, 0, 0])


def test_reasons_speak_the_readers_language(offer, sales, arrive):
    lead = arrive(offer)
    with translation.override("cs"):
        explain(lead)


@pytest.mark.parametrize("size", [1, 20])
def test_the_number_of_statements_does_not_grow_with_the_leads(offer, sales, post, django_assert_max_num_queries, size):
    for number in range(size):
        post(offer, email=f"p{number}@x{number}.example")
    pipeline.intake()
    with django_assert_max_num_queries(40):
        pipeline.follow()


class ArithmeticTest(TestCase):
    """Whatever a buyer says, the lines sum to the score and each part keeps within its cap."""

    @settings(max_examples=25, deadline=None)
    @given(
        st.sampled_from(["a@gmail.com", "a@firm.example", "a@mailinator.com"]),
        st.sampled_from(["CEO", "Head of IT", "manager", ""]),
        st.sampled_from(["INS", "PLT", "Create", "StartTestDrive", "XYZ", ""]),
        st.text(max_size=120),
        st.sampled_from(["CZ", "Nowhere", ""]),
    )
    def test_lines_sum_to_the_score(self, email, title, action, said, country):
        import json

        from leads.models import Submission
        from listings.models import Listing, Publisher

        Publisher.objects.get_or_create(name="P")
        place = Listing.objects.filter(slug="l").first() or listing("l", "L", "appsource", "app")
        body = json.dumps(payload(email=email, title=title, actionCode=action, leadSource="", description=said, country=country)).encode()
        Submission.objects.create(listing=place, size=len(body), body=body, content_type="application/json")
        pipeline.run()
        lead = Lead.objects.for_list().latest("last_activity_at")
        assert sum(line.points for line in explain(lead)) == lead.score
        assert 0 <= lead.fit <= 50 and 0 <= lead.intent <= 50
