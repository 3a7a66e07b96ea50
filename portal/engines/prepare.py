"""Brings the database up to this version of the code: migrations and the cache table, in one process because each start of Django costs a second."""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("createcachetable", verbosity=0)


if __name__ == "__main__":
    main()
