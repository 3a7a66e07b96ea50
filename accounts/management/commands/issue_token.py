"""`manage.py issue_token USERNAME`: print a new API token with every scope that the user's roles allow, and nothing else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiToken, User
from accounts.roles import scopes_of


class Command(BaseCommand):
    help = "Print a new API token for USERNAME."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, **options: Any) -> str:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None or not user.role_names:
            raise CommandError(f"No active user {options['username']!r} with a role.")
        return ApiToken.issue(user, options["name"], scopes_of(user.role_names))
