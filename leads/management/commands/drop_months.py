"""`manage.py drop_months --before 2025-01-01`: archived bodies, stage changes and delivery attempts of months that are over go, with their tables."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads.partitions import drop_months


class Command(BaseCommand):
    help = "Drop the months of the tables that only grow which ended before a day. What was made of the rows stays; the rows themselves are gone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--before", required=True, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            before = date.fromisoformat(options["before"])
        except ValueError:
            raise CommandError("A day looks like 2026-01-01.") from None
        if before > date.today():
            raise CommandError("That day is still to come.")
        for name in drop_months(before):
            self.stdout.write(name)
