"""Celery's tasks. Each is one verb of portal.due."""

from celery import shared_task

from portal.due import BY_NAME


@shared_task(name="portal.run", ignore_result=True)
def run(name: str) -> None:
    """Do the due work of this name."""
    BY_NAME[name].verb()
