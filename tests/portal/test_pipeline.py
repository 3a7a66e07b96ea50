"""The path as a whole: a lead that can't be followed holds up nobody, and what is done twice is done once."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from leads import bulk, work
from leads.models import Lead
from leads.revise import revise
from portal import pipeline
from scoring.models import ScoreVersion


def test_a_poison_lead_is_noted_put_off_and_alone(offer, sales, post, monkeypatch):
    original = pipeline.score

    def fail(leads):
        if Lead.objects.filter(pk__in=leads, contact__first_name="Poison").exists():
            raise DatabaseError("a value that no rule expected")
        return original(leads)

    monkeypatch.setattr(pipeline, "score", fail)
    for number in range(20):
        post(offer, email=f"p{number}@x{number}.example", firstName="Poison" if number == 13 else "Ada")
    pipeline.run()
    bad = Lead.objects.get(contact__first_name="Poison")
    assert "no rule expected" in bad.follow_error
    assert bad.stale_since > timezone.now() + timedelta(minutes=5)
    assert Lead.objects.filter(stale_since=None, score__isnull=False).count() == 19
    monkeypatch.undo()
    Lead.objects.filter(pk=bad.pk).update(stale_since=timezone.now() - timedelta(seconds=1))
    pipeline.run()
    bad.refresh_from_db()
    assert (bad.follow_error, bad.stale_since) == ("", None)
    assert bad.owner == sales


def test_a_rule_that_cannot_be_compiled_stops_its_leads_and_not_the_portal(offer, sales, post):
    ScoreVersion.in_force().rules.filter(position=0).update(condition={"field": "gone", "op": "is", "value": 1})
    post(offer)
    assert pipeline.run()["understood"] == 1
    assert "gone" in Lead.objects.get().follow_error


def test_the_time_that_a_run_takes_is_bounded_and_the_rest_stays_due(offer, sales, post):
    for number in range(3):
        post(offer, email=f"p{number}@x.example")
    pipeline.run(seconds=-1)
    pipeline.run()
    assert Lead.objects.filter(stale_since=None).count() == 3


@pytest.mark.parametrize(
    ("act", "revised"),
    [
        (lambda lead, who: work.add_note(lead, who, "internal"), False),
        (lambda lead, who: work.log_call(lead, who), False),
        (lambda lead, who: bulk.set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=who), True),
    ],
)
def test_only_what_others_are_shown_makes_a_revision(offer, sales, arrive, act, revised):
    lead = arrive(offer)
    assert lead.revision == 1
    act(lead, sales)
    pipeline.run()
    assert Lead.objects.get(pk=lead.pk).revision == 1 + revised
    assert revise([lead.pk]) == []


def test_every_change_of_a_lead_makes_it_stale_in_the_same_update(offer, sales, arrive):
    lead = arrive(offer)
    for change in (lambda: bulk.set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=sales), lambda: work.log_call(lead, sales)):
        Lead.objects.update(stale_since=None)
        change()
        assert Lead.objects.get(pk=lead.pk).stale_since is not None


def test_the_clock_stops_once(offer, sales, arrive):
    lead = arrive(offer)
    work.log_call(lead, sales, reached_them=False)
    first = Lead.objects.get(pk=lead.pk).first_response_at
    work.log_call(lead, sales)
    assert Lead.objects.get(pk=lead.pk).first_response_at == first
    assert lead.activities.filter(kind="called").count() == 2


def test_what_was_ever_reached_stays_reached(offer, sales, arrive):
    lead = arrive(offer)
    bulk.set_status(Lead.objects.filter(pk=lead.pk), "won", by=sales)
    bulk.set_status(Lead.objects.filter(pk=lead.pk), "lost", by=sales)
    lead.refresh_from_db()
    assert lead.qualified_at and lead.opportunity_at and lead.won_at
    assert lead.closed_at is not None
    assert bulk.set_status(Lead.objects.filter(pk=lead.pk), "lost", by=sales) == []
