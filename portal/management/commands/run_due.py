"""`manage.py run_due`: do all that is due now, in this process, until nothing is; prints counts as JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from portal.due import run_due


class Command(BaseCommand):
    help = "Do all that is due now and print how often each kind of work ran."

    def handle(self, *args: Any, **options: Any) -> str:
        return json.dumps(run_due())
