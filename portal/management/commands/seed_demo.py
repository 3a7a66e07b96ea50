"""`manage.py seed_demo --leads N [--seed S] [--first-start]`: a publisher with half a year of leads, to look around in and to measure with."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from listings.models import Listing
from portal.demo.catalogue import PEOPLE, gather
from portal.demo.seed import seed


class Command(BaseCommand):
    help = "Add demo data: the cast where it is missing, and leads of the last six months. The same seed makes the same leads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--leads", type=int, default=2_000, help="how many leads to add (default 2000)")
        parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
        parser.add_argument("--first-start", action="store_true", help="do nothing when there are listings already")

    def handle(self, *args: Any, leads: int, seed: int, first_start: bool, **options: Any) -> None:
        if first_start and Listing.objects.exists():
            self.stdout.write("There are listings already: no demo data.")
            return
        self.plant(leads, seed)

    def plant(self, leads: int, number: int) -> None:
        began = time.monotonic()
        cast = gather()
        self.stdout.write(f"cast: {len(cast.users)} users, {len(cast.listings)} listings, {len(cast.campaigns)} campaigns published")
        if leads > 0:
            total = seed(cast, leads, number, self.stdout.write)
            self.stdout.write(", ".join(f"{rows} {table.partition('_')[2]}" for table, rows in total.items()))
        names = ", ".join(person[0] for person in PEOPLE)
        self.stdout.write(f"done in {time.monotonic() - began:.1f} s; sign in as {names} with the password demo")
