"""Admins hear of it when somebody reads unusually much, tries doors, collects secrets or guesses passwords; once an hour, and nobody else does."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from django.core import mail
from django.utils import timezone

from accounts.alarms import excesses, raise_alarms
from accounts.ids import first_id
from accounts.models import AccessRecord
from tests.conftest import person

PLACES = count()


def lines(n, kind, user=None, address=None, minutes=1):
    at = timezone.now() - timedelta(minutes=minutes)
    first = first_id(at).int + next(PLACES) * 1_000
    made = (AccessRecord(id=UUID(int=first + k), at=at, user=user, kind=kind, address=address, subject=f"lead {k}") for k in range(n))
    AccessRecord.objects.bulk_create(made)


@pytest.fixture
def boss(db):
    user = person("boss", "admin")
    user.email, user.language = "boss@larkfield.example", "nl"
    user.save()
    return user


def test_mass_reads_are_told_once_to_admins_in_their_language(boss, sales, settings):
    settings.ALARM_READS = 10
    lines(6, "personal_data_read", sales)
    lines(4, "exported", sales)
    assert raise_alarms() == 0
    lines(1, "exported", sales, minutes=2)
    assert raise_alarms() == 1
    alarm = AccessRecord.objects.get(kind="alarm")
    assert (alarm.user, alarm.subject) == (sales, "reads of personal data: 11 in an hour")
    assert [sent.to for sent in mail.outbox] == [["boss@larkfield.example"]]
    assert sales.full_name in mail.outbox[0].body
    lines(30, "personal_data_read", sales, minutes=3)
    assert raise_alarms() == 0


def test_what_lies_back_more_than_an_hour_is_not_counted(boss, sales, settings):
    settings.ALARM_READS = 10
    lines(9, "personal_data_read", sales)
    lines(9, "personal_data_read", sales, minutes=70)
    assert not list(excesses())


def test_each_person_is_counted_alone(boss, sales, stranger, settings):
    settings.ALARM_READS = 10
    lines(8, "personal_data_read", sales)
    lines(8, "personal_data_read", stranger, minutes=2)
    assert raise_alarms() == 0


@pytest.mark.parametrize(("kind", "most"), [("secret_shown", 20), ("token_issued", 20), ("denied", 50)])
def test_secrets_and_doors_are_watched_too(boss, sales, kind, most):
    lines(most, kind, sales)
    assert raise_alarms() == 0
    lines(1, kind, sales, minutes=2)
    assert raise_alarms() == 1


def test_guessing_passwords_is_told_by_address(boss):
    lines(31, "sign_in_failed", address="203.0.113.9")
    lines(31, "sign_in_failed", minutes=2)  # from nowhere known
    assert raise_alarms() == 1
    assert AccessRecord.objects.get(kind="alarm").address == "203.0.113.9"


def test_reads_can_be_left_unwatched(boss, sales, settings):
    settings.ALARM_READS = 0
    lines(500, "personal_data_read", sales)
    assert raise_alarms() == 0


def test_a_mail_server_that_is_down_loses_no_alarm(boss, sales, settings):
    settings.ALARM_READS, settings.EMAIL_BACKEND = 1, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    lines(2, "personal_data_read", sales)
    assert raise_alarms() == 1
    assert AccessRecord.objects.filter(kind="alarm").exists()


def test_whoever_is_turned_away_is_in_the_audit_by_page_and_by_api(publisher, sales, signed_in):
    browser = signed_in(sales)
    for path in ("/setup/audit/", "/api/v1/destinations/"):
        before = AccessRecord.objects.filter(kind="denied").count()
        assert browser.get(path).status_code == 403
        line = AccessRecord.objects.filter(kind="denied").latest("at")
        assert (AccessRecord.objects.filter(kind="denied").count(), line.user, line.subject) == (before + 1, sales, path)


def test_an_export_counts_every_row(boss, sales, settings):
    settings.ALARM_READS = 1_000
    AccessRecord.objects.create(user=sales, kind="exported", subject="leads", count=1_001)
    assert raise_alarms() == 1
    assert AccessRecord.objects.get(kind="alarm").subject == "reads of personal data: 1001 in an hour"


def test_all_alarms_of_a_round_are_one_mail_to_each_admin(boss, sales, stranger, settings):
    settings.ALARM_READS = 1
    lines(2, "personal_data_read", sales)
    lines(2, "personal_data_read", stranger, minutes=2)
    assert raise_alarms() == 2
    [sent] = mail.outbox
    assert sales.full_name in sent.body and stranger.full_name in sent.body


def test_lists_may_show_ten_times_as_many_people_as_may_be_read(boss, sales, settings):
    settings.ALARM_READS = 3
    lines(30, "personal_data_listed", sales)
    assert raise_alarms() == 0
    lines(1, "personal_data_listed", sales, minutes=2)
    assert raise_alarms() == 1
    assert AccessRecord.objects.get(kind="alarm").subject == "people in lists: 31 in an hour"
