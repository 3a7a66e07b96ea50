"""Slow figures are kept for a while, quick ones never."""

import time

import pytest
from django.core.cache import cache

from accounts.remembered import forget, remembered


@pytest.fixture(autouse=True)
def empty(db):
    cache.clear()


def counter(takes):
    calls = []

    def counted():
        time.sleep(takes)
        calls.append(1)
        return len(calls)

    return counted


def test_quick_figures_are_counted_at_every_look():
    counted = counter(0)
    assert [remembered("quick one", counted) for _ in range(3)] == [1, 2, 3]


def test_slow_figures_are_kept_until_somebody_changes_them(monkeypatch):
    monkeypatch.setattr("accounts.remembered.LONG", 0.03)
    counted = counter(0.05)
    assert [remembered("slow one", counted) for _ in range(3)] == [1, 1, 1]
    forget("slow one")
    assert remembered("slow one", counted) == 2


def test_a_long_key_is_kept_as_well(monkeypatch):
    monkeypatch.setattr("accounts.remembered.LONG", 0.03)
    counted, key = counter(0.05), f"targets {list(range(500))}"
    assert [remembered(key, counted) for _ in range(2)] == [1, 1]
    assert remembered(key + "x", counted) == 2
