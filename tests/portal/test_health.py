"""What an operator's monitoring hears: ready or not, and which promise is at risk."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Message, Sender
from delivery.models import Delivery, Destination
from leads.models import Lead
from portal import health, pipeline

LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def well(settings, monkeypatch):
    """Engines as in production: the tests' own PostgreSQL doesn't wait for the disk."""
    look = health.look
    monkeypatch.setattr(health, "look", lambda: look() | {"fsync": "on", "synchronous_commit": "on", "broker": True})
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def ready():
    answer = Client().get("/health/ready")
    return answer.status_code, answer.json()


def test_alive_is_a_word(db):
    assert Client().get("/health/live").content == b"ok"


def test_all_is_well(well, db):
    status, said = ready()
    assert (status, said["ready"], said["at_risk"], said["oldest_due_seconds"]) == (200, True, [], 0)


def test_without_fsync_no_accepted_lead_is_safe(db):
    """This very server: the tests run it without."""
    status, said = ready()
    assert (status, said["ready"]) == (503, False)
    assert said["at_risk"][0].startswith("P1: fsync")


def test_a_database_that_is_away_is_said(monkeypatch, db):
    def away():
        raise DatabaseError("gone")

    monkeypatch.setattr(health, "look", away)
    status, said = ready()
    assert status == 503 and "database: unreachable" in said["at_risk"][0]


def test_a_broker_that_is_away_is_a_risk_and_no_fault(well, monkeypatch, db):
    look = health.look
    monkeypatch.setattr(health, "look", lambda: look() | {"broker": False})
    status, said = ready()
    assert (status, said["at_risk"]) == (200, ["broker: unreachable; work goes on, more slowly"])


def late_submission(offer, post):
    post(offer)
    from leads.models import Submission

    Submission.objects.update(received_at=timezone.now() - LONG_AGO)


def late_lead(offer, post):
    post(offer)
    pipeline.run()
    Lead.objects.update(stale_since=timezone.now() - LONG_AGO)


def late_delivery(offer, post):
    Destination.objects.create(name="CRM", kind="https", config={"url": "https://crm.example"}).listings.add(offer)
    post(offer)
    pipeline.run()
    Delivery.objects.update(due_at=timezone.now() - LONG_AGO)


def late_enrollment(offer, post):
    post(offer)
    pipeline.run()
    Campaign.objects.update(state="published")
    Lead.objects.get().enrollments.update(due_at=timezone.now() - LONG_AGO)


def late_mail(offer, post):
    late_enrollment(offer, post)
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    enrollment = Lead.objects.get().enrollments.get()
    Lead.objects.get().enrollments.update(due_at=timezone.now() + LONG_AGO)
    Message.objects.create(enrollment=enrollment, stage=enrollment.stage, stage_key=enrollment.stage.key, due_at=timezone.now() - LONG_AGO)


def test_mail_that_nobody_can_send_is_no_sign_of_a_missing_worker(well, offer, sales, post):
    late_mail(offer, post)
    Sender.objects.update(verified_at=None)
    assert ready()[1]["oldest_due_seconds"] < 60


def late_score(offer, post):
    post(offer)
    pipeline.run()
    Lead.objects.update(rescore_at=timezone.now() - 4 * LONG_AGO)


@pytest.mark.parametrize("kind", [late_submission, late_lead, late_delivery, late_enrollment, late_mail, late_score])
def test_any_kind_of_work_that_waits_too_long_is_told(well, offer, sales, post, kind):
    kind(offer, post)
    status, said = ready()
    assert status == 200
    assert said["oldest_due_seconds"] >= 299
    assert said["at_risk"] == ["work waits longer than a minute; is a worker running?"]
