"""Nobody rewrites the audit unseen: the seals hold as long as no line was changed, added, removed, or put in another order."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.ids import first_id
from accounts.models import AccessRecord, AuditSeal
from accounts.seals import broken, seal

AGES = (60, 50, 40, 30, 20)  # minutes


def line(user, minutes, kind="personal_data_read", subject="lead 1"):
    at = timezone.now() - timedelta(minutes=minutes)
    return AccessRecord.objects.create(id=first_id(at), at=at, user=user, kind=kind, subject=f"{subject} {minutes}")


@pytest.fixture
def sealed(sales):
    """Two lines under a first seal, three under a second."""
    first = [line(sales, minutes) for minutes in AGES[:2]]
    assert seal() == 2
    second = [line(sales, minutes) for minutes in AGES[2:]]
    assert seal() == 3
    return [*first, *second]


def tamper(sql, *values):
    """As somebody would who may take the trigger away."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_accessrecord DISABLE TRIGGER append_only; ALTER TABLE accounts_auditseal DISABLE TRIGGER append_only")
        cursor.execute(sql, values)


def test_untouched_lines_hold_and_new_ones_wait(sealed, sales, capsys):
    AccessRecord.objects.create(user=sales, kind="exported", subject="leads")
    assert seal() == 0
    assert list(broken()) == []
    call_command("check_audit")
    assert "5 lines under 2 seals are what they were; 1 are not sealed yet." in capsys.readouterr().out


@pytest.mark.parametrize(
    "change", ["subject = 'lead 2'", "kind = 'exported'", "user_id = NULL", "address = '10.0.0.1'", "at = at + interval '1 second'", "count = 2"]
)
def test_a_changed_line_breaks_its_seal_whatever_was_changed(sealed, change):
    tamper(f"UPDATE accounts_accessrecord SET {change} WHERE id = %s", sealed[1].pk)
    assert [one.partition(" of ")[0] for one in broken()] == [f"seal {AuditSeal.objects.first().pk}"]
    with pytest.raises(CommandError, match="not what they were"):
        call_command("check_audit")


def test_a_removed_line_is_missed(sealed):
    tamper("DELETE FROM accounts_accessrecord WHERE id = %s", sealed[3].pk)
    assert "3 lines were closed, 2 are there" in next(broken())


def test_an_added_line_is_noticed(sealed, sales):
    line(sales, 45)
    assert "3 lines were closed, 4 are there" in next(broken())


def test_a_seal_forged_without_the_key_does_not_hold(sealed):
    tamper("UPDATE accounts_auditseal SET digest = sha256('forged') WHERE id = %s", AuditSeal.objects.first().pk)
    assert len(list(broken())) == 2  # and the one that hangs on it


def test_a_removed_seal_breaks_the_next(sealed):
    tamper("DELETE FROM accounts_auditseal WHERE id = %s", AuditSeal.objects.first().pk)
    assert list(broken())


def test_old_seals_hold_after_a_key_was_put_in_front(sealed, settings):
    settings.PORTAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", *settings.PORTAL_KEYS]
    assert list(broken()) == []


@pytest.mark.parametrize("sql", ["UPDATE accounts_auditseal SET count = 1", "DELETE FROM accounts_auditseal"])
def test_seals_are_append_only_too(sealed, sql):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
