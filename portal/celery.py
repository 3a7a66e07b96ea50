"""The Celery app. Messages carry nothing that matters: a task says "look for due work", the rows say what it is (portal.due)."""

import os
import threading
from typing import Any

from celery import Celery, bootsteps
from celery.signals import task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["portal"])


@task_prerun.connect
def drop_dead_connections(**_: Any) -> None:
    """A kept connection does not survive a PostgreSQL restart, and Celery's own fix-up trusts it."""
    from django.db import close_old_connections

    close_old_connections()


class Sweeper(bootsteps.StartStopStep):
    """A thread in every worker that looks for due work every second or so, with no broker and no beat needed.

    With a broker it only nudges: the pool does the work. Without one it does the work itself.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.ended = threading.Event()

    def start(self, worker: Any) -> None:
        from portal.due import sweep_forever

        threading.Thread(target=sweep_forever, args=(self.ended,), name="sweeper", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self.ended.set()


app.steps["worker"].add(Sweeper)
