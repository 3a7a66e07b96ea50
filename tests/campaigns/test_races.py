"""Two who work on the same lead at the same moment: neither has to give up, and nothing that came true in between is missed."""

import time
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns import advance as advancing
from campaigns import by_hand, sweep
from campaigns.models import Campaign, Enrollment
from leads.models import Lead
from portal import pipeline
from tests.campaigns.test_engine import WEAK

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
DAY, LONG = timedelta(days=1), 1.2  # seconds, more than PostgreSQL takes to see a deadlock


def race(first, second):
    """What went wrong when the second began while the first was at it."""
    wrong = []

    def run(work):
        try:
            work()
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [Thread(target=run, args=[work]) for work in (first, second)]
    threads[0].start()
    time.sleep(0.4)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    return wrong


def slow_advance():
    """A batch as large as they come takes its time before it commits."""
    with transaction.atomic():
        advancing.batch(None)
        time.sleep(LONG)


def follow():
    Lead.objects.update(stale_since=timezone.now())
    pipeline.follow()


@pytest.mark.parametrize("kind", ["task", "exit"])
@pytest.mark.parametrize("by", ["a person", "following"])
def test_advance_waits_for_nobody_who_waits_for_it(kind, by, app, put, running, arrive, marketing):
    if kind == "task":
        put("task")
        put("wait", "Long", DAY)
    put("exit")
    running()
    lead = arrive(app, **WEAK)
    Enrollment.objects.update(due_at=timezone.now() - DAY)
    enrollment = Enrollment.objects.select_related("campaign").get()
    assert race(slow_advance, follow if by == "following" else lambda: by_hand.take_out(enrollment, marketing)) == []
    lead.refresh_from_db()
    assert lead.follow_error == ""


def test_the_sweep_waits_for_nobody_who_waits_for_it(campaign, put, running, app, arrive, monkeypatch):
    put("wait", "Long", DAY)
    put("exit")
    lead = arrive(app, **WEAK)
    running()
    enter = sweep.enter

    def slow(*given, **named):
        found = enter(*given, **named)
        time.sleep(LONG)
        return found

    monkeypatch.setattr(sweep, "enter", slow)
    assert race(lambda: sweep.let_in(Campaign.objects.get(pk=campaign.pk)), follow) == []
    lead.refresh_from_db()
    assert (lead.follow_error, lead.stale_since, Enrollment.objects.count()) == ("", None, 1)


def test_what_comes_true_while_one_arrives_to_wait_for_it_is_not_missed(campaign, put, running, app, arrive):
    put("wait", "Long", DAY)
    put("wait", "Until hot", 30 * DAY, until={"field": "tags", "op": "has", "value": "hot"})
    put("exit")
    Campaign.objects.filter(pk=campaign.pk).update(reentry="after")
    running()
    arrive(app, **WEAK)
    Enrollment.objects.update(due_at=timezone.now() - DAY)

    def advance():
        with transaction.atomic():
            advancing.batch(None)
            time.sleep(LONG)

    def come_true():
        Lead.objects.update(tags=["hot"], stale_since=timezone.now())
        pipeline.follow()

    assert race(advance, come_true) == []
    pipeline.run()
    assert Enrollment.objects.get().due_at < timezone.now() + DAY
