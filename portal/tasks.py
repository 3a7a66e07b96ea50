"""Celery's tasks. Each is one verb of portal.due."""

from portal.celery import app
from portal.due import BY_NAME


@app.task(name="portal.run", ignore_result=True)  # bound to our app: a shared task would know no broker in the web process
def run(name: str) -> None:
    """Do the due work of this name."""
    BY_NAME[name].verb()
