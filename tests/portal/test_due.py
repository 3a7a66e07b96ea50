"""Periodic work: one list, run by sweepers, beat and run_due alike; with a broker, without one, with a broken one."""

import json
import threading
from datetime import date, timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from leads.models import Lead, Submission
from leads.partitions import PARTITIONED, keep_months_ahead, make_month, months_are_missing, rows_in_default, start_of
from portal import due
from portal.celery import Sweeper, app
from portal.tasks import run


def test_beat_asks_for_the_same_work_as_the_sweepers():
    assert set(django_settings.BEAT) == set(due.BY_NAME)
    assert {entry["args"][0] for entry in app.conf.beat_schedule.values()} == set(due.BY_NAME)
    assert Sweeper in app.steps["worker"]


def test_every_verb_may_run_when_nothing_is_due(db):
    for work in due.WORK:
        work.verb()
        work.verb()


def test_run_due_does_everything_and_prints_counts(offer, sales, post, capsys):
    post(offer)
    call_command("run_due")
    counts = json.loads(capsys.readouterr().out)
    assert counts["leads"] == 1
    assert Submission.objects.get().disposition == "lead"
    assert not Lead.objects.exclude(stale_since=None).exists()


def test_a_sweep_without_broker_does_the_work_itself(offer, sales, post, settings):
    settings.REDIS_URL = ""
    post(offer)
    due.sweep({})
    assert Submission.objects.get().disposition == "lead"


def test_a_sweep_with_a_dead_broker_does_the_work_itself(offer, sales, post, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    post(offer)
    due.sweep({})
    assert Submission.objects.get().disposition == "lead"


def test_a_sweep_with_a_broker_leaves_the_work_to_the_pool(offer, sales, post, settings, monkeypatch):
    if not settings.REDIS_URL:
        pytest.skip("no Redis on this machine")
    asked = []
    monkeypatch.setattr(due, "nudge", lambda name="leads": asked.append(name) or True)
    post(offer)
    due.sweep({})
    assert "leads" in asked
    assert Submission.objects.get().disposition == "pending"


def sweeps(monkeypatch, error, last):
    """How many rounds a sweeper makes when each fails with this error and it is told to end in the last."""
    rounds, ended = [], threading.Event()

    def fail(seen):
        rounds.append(1)
        if len(rounds) == last:
            ended.set()
        raise error

    monkeypatch.setattr(due, "sweep", fail)
    monkeypatch.setattr(due, "PAUSE", 0.01)
    monkeypatch.setattr(due, "close_old_connections", lambda: None)
    monkeypatch.setattr(due, "connection", type("None_", (), {"close": staticmethod(lambda: None)}))
    due.sweep_forever(ended)
    return len(rounds)


def test_a_failing_round_does_not_end_the_sweeper(monkeypatch):
    assert sweeps(monkeypatch, RuntimeError("database gone"), 3) == 3


def test_a_nudge_to_a_dead_broker_says_no(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(run, "apply_async", lambda **options: (_ for _ in ()).throw(ConnectionRefusedError()))
    assert due.nudge() is False


def test_months_are_kept_ahead_and_made_once(db):
    keep_months_ahead()
    assert keep_months_ahead() == 0
    assert not any(rows_in_default().values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'leads_submission'::regclass")
        assert cursor.fetchone()[0] >= 4
    assert len(PARTITIONED) == 3


def test_a_submission_lands_in_its_month(offer, post):
    keep_months_ahead()
    submission = post(offer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM leads_submission WHERE id = %s", [submission.pk])
        assert cursor.fetchone()[0] == f"leads_submission_{submission.received_at:%Y_%m}"


def test_rows_that_the_default_partition_caught_move_to_their_month(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_transition (id, enrollment_id, from_stage_id, at) VALUES (%s, %s, 1, now())",
            [start_of(date(2030, 5, 2)), start_of(date(2030, 5, 2))],
        )
    assert rows_in_default()["campaigns_transition"]
    assert make_month("campaigns_transition", date(2030, 5, 1))
    assert not rows_in_default()["campaigns_transition"]


def test_a_nudge_reaches_the_broker_of_the_settings(settings):
    """From the web process too, which loads no worker: the message is in our Redis."""
    if not settings.REDIS_URL:
        pytest.skip("no Redis on this machine")
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete("celery")
    assert due.nudge() is True
    assert broker.llen("celery") == 1
    broker.delete("celery")


def test_months_that_are_over_can_be_dropped_and_no_others(db, capsys):
    call_command("drop_months", "--before", "2025-01-01")
    make_month("delivery_deliveryattempt", date(2024, 11, 1))
    make_month("delivery_deliveryattempt", date(2024, 12, 1))
    call_command("drop_months", "--before", "2024-12-15")
    assert capsys.readouterr().out.split() == ["delivery_deliveryattempt_2024_11"]
    assert not make_month("delivery_deliveryattempt", date(2024, 12, 1))
    assert not months_are_missing() or keep_months_ahead()


@pytest.mark.parametrize("before", ["soon", "2999-01-01"])
def test_dropping_what_is_to_come_is_refused_in_a_sentence(before):
    with pytest.raises(CommandError, match="day"):
        call_command("drop_months", "--before", before)


def test_leads_are_done_by_the_sweeper_when_the_pool_leaves_them(offer, post, monkeypatch):
    """Every process busy, or none consuming: the nudges go out, and nothing comes of them."""
    monkeypatch.setattr(due, "broker_answers", lambda: True)
    monkeypatch.setattr(due, "nudge", lambda name="leads": True)
    post(offer)
    seen = {}
    due.sweep(seen)
    assert Lead.objects.count() == 0
    seen = {"leads wait": seen["leads wait"] - due.PATIENCE}
    due.sweep(seen)
    assert Lead.objects.count() == 1
    assert "leads wait" not in seen
    post(offer, email="next@firm.example")
    due.sweep({name: at for name, at in seen.items() if name != "leads"})
    assert Lead.objects.count() == 1, "what came since is the pool's again"
    due.sweep(seen := {})
    assert "leads wait" in seen


def test_two_that_waited_for_each_other_are_no_outage(offer, post, monkeypatch, caplog):
    monkeypatch.setattr(due, "broker_answers", lambda: False)
    done = []
    verbs = {"first": deadlock, "then": lambda: done.append("then")}
    monkeypatch.setattr(due, "WORK", tuple(due.Work(name, verb, timedelta(0), lambda: True) for name, verb in verbs.items()))
    due.sweep({})
    assert [record.getMessage() for record in caplog.records if record.name == "portal.due"] == ["first failed"]
    assert done == ["then"]


def deadlock():
    raise OperationalError("deadlock detected")


def test_an_outage_of_the_database_is_said_once(monkeypatch, caplog):
    assert sweeps(monkeypatch, OperationalError("could not connect\nto the server"), 4) == 4
    assert [record.getMessage() for record in caplog.records if record.name == "portal.due"] == ["the database can't be used: could not connect"]
