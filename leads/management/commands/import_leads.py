"""`manage.py import_leads FILE.csv --listing SLUG [--dry-run]`: bring leads from a file of any length; prints what it found as JSON."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads.importing import BadFile, check, opened, take_in
from listings.models import Listing


class Command(BaseCommand):
    help = "Make every readable row of FILE.csv a submission to a listing; the workers take them from there. All of the file or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--listing", required=True, metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="only say which rows could not be read")

    def handle(self, *args: Any, file: Path, listing: str, dry_run: bool, **options: Any) -> None:
        target = Listing.objects.filter(slug=listing).first()
        if target is None:
            raise CommandError(f"There is no listing {listing!r}.")
        try:
            with file.open("rb") as raw:
                text = opened(raw)
                result = check(text) if dry_run else take_in(text, target)[0]
        except (OSError, BadFile) as error:
            raise CommandError(str(error)) from None
        for line, problem in result.problems:
            self.stderr.write(f"line {line}: {problem}")
        self.stdout.write(json.dumps({"listing": listing, "dry_run": dry_run, "unread": result.unread, "good": result.good, "bad": result.bad}))
