"""One session at a time, without a row to lock: PostgreSQL's advisory locks. A killed session loses its lock with its connection."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def only_one(*key: int) -> Iterator[bool]:
    """True for the one session that may go in under this key, one or two integers, until it comes out; false, without waiting, for all others."""
    marks = ", ".join(["%s"] * len(key))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({marks})", key)
        is_ours = cursor.fetchone()[0]
        try:
            yield is_ours
        finally:
            if is_ours and not connection.needs_rollback:
                cursor.execute(f"SELECT pg_advisory_unlock({marks})", key)
