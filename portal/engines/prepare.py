"""Brings the database up to this version of the code: migrations and the cache table, in one process because each start of Django costs a second."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from portal import start


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    try:
        start.check_version()
        call_command("migrate", interactive=False, verbosity=1)
        call_command("createcachetable", verbosity=0)
        start.check_users()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
