"""`manage.py sweep`: the sweeper alone, for a portal without a broker; ends on SIGTERM or SIGINT."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from portal.due import sweep_forever


class Command(BaseCommand):
    help = "Look for due work every second, and do it, until told to stop."

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        sweep_forever(ended)
