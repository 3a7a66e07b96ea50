"""From pending submissions to leads scored, routed, enrolled, owed to a destination and counted.

Reference: INSERT ... SELECT of the very rows that the run left, into the same emptied tables with their indexes and keys in place, in one transaction.
Second reference: one Celery task per lead, through the ORM (bench.plain).
"""

import signal
import statistics
import time
from collections.abc import Iterator

from django.db import connection, transaction
from psycopg2.extras import execute_values

from accounts.ids import uuid7
from bench import cast, payloads
from bench.database import drop_kept, empty, keep, rows, run, settle, value
from bench.rows import Bench, Row, measures, say, seconds
from bench.web import start_worker
from portal import pipeline
from portal.engines.processes import wait

SETWISE = "pipeline: pending -> scored, routed, enrolled, owed, tallied"
PER_TASK = "pipeline: to one Celery task per lead"
# What a run leaves, each table after the ones it points to.
LEFT = (
    "leads_company",
    "leads_contact",
    "leads_lead",
    "leads_interaction",
    "leads_activity",
    "leads_demand",
    "routing_assignment",
    "campaigns_enrollment",
    "delivery_delivery",
    "insights_counted",
    "insights_dailytally",
)
PLAIN_LEADS = 300


def fill(count: int, seed: int) -> None:
    """Pending submissions, as the endpoint keeps them."""
    listings = [one.pk for one in cast.gather(sellers=200).listings]
    pending = ((str(uuid7()), listings[listing], "application/json", len(body), body) for listing, body in payloads.bodies(count, seed))
    with transaction.atomic(), connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            "INSERT INTO leads_submission (id, received_at, listing_id, content_type, size, sha256, body, disposition, reason, attempts) VALUES %s",
            pending,
            "(%s, now(), %s, %s, %s, sha256(''), %s, 'pending', '', 0)",
            page_size=1_000,
        )


def drain() -> None:
    pipeline.run(seconds=3_600)  # a worker would stop after its budget and go on with the next nudge
    assert not value("SELECT count(*) FROM leads_submission WHERE disposition = 'pending'"), "submissions are still pending"
    assert not value("SELECT count(*) FROM leads_lead WHERE stale_since IS NOT NULL"), "leads are still stale"


def put_back() -> None:
    """The reference."""
    with transaction.atomic():
        for table in LEFT:
            run(f"INSERT INTO {table} SELECT * FROM kept_{table}")


def one_round(count: int, seed: int) -> tuple[float, float]:
    """(submissions a second of ours, of the reference)."""
    empty()
    fill(count, seed)
    settle("leads_submission")
    ours = seconds(drain)
    keep(*LEFT)
    run(f"TRUNCATE {', '.join(LEFT)} CASCADE")
    reference = seconds(put_back)
    made = {table: value(f"SELECT count(*) FROM {table}") for table in LEFT}
    assert made["leads_lead"] == made["campaigns_enrollment"] == made["delivery_delivery"] == made["insights_counted"] > count * 0.8, made
    say(f"  {count / ours:,.0f}/s, reference {count / reference:,.0f}/s, {sum(made.values()):,} rows")
    return count / ours, count / reference


@measures(SETWISE, PER_TASK)
def path(bench: Bench) -> Iterator[Row]:
    """Several rounds with other people each; medians."""
    empty()
    fill(1_000, 99)
    drain()
    rounds = [one_round(bench.scale.submissions, seed) for seed in range(1, 2 if bench.scale.is_full else 4)]
    drop_kept(*LEFT)
    ours, reference = (statistics.median(one[i] for one in rounds) for i in (0, 1))
    yield Row(SETWISE, ours, reference, "submissions/s", 0.25, 0.4)
    if bench.engines.redis is None:
        say(f"NOT MEASURED, there is no Redis here: {PER_TASK}")
    else:
        yield Row(PER_TASK, ours, per_task(bench), "submissions/s", 50, 200)
    empty()


def left() -> int:
    return int(value("SELECT count(*) FROM leads_submission WHERE disposition = 'pending'"))


def per_task(bench: Bench) -> float:
    """Submissions a second of a worker of two processes that handles one in a task, from the first message sent to the last row committed."""
    from bench import plain

    empty()
    fill(PLAIN_LEADS + 20, 77)
    ids = [str(one) for (one,) in rows("SELECT id FROM leads_submission ORDER BY id")]
    worker = start_worker(bench.engines, "bench.plain", "plain")
    try:
        for one in ids[:20]:
            plain.handle.delay(one)
        assert wait(lambda: left() <= PLAIN_LEADS, 60), "the worker of the plain app does not work"
        began = time.perf_counter()
        for one in ids[20:]:
            plain.handle.delay(one)
        assert wait(lambda: left() == 0, 120), f"{left()} submissions were not handled"
        return PLAIN_LEADS / (time.perf_counter() - began)
    finally:
        worker.stop(signal.SIGTERM, grace=8)
