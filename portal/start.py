"""What stops a start: a PostgreSQL that is too old, and demo users in a portal that the world can reach."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

OLDEST_POSTGRESQL = 18


def check_version() -> None:
    """Raise ImproperlyConfigured, in a sentence, unless the database is a PostgreSQL new enough."""
    connection.ensure_connection()
    version = connection.pg_version // 10_000  # type: ignore[attr-defined]
    if version < OLDEST_POSTGRESQL:
        raise ImproperlyConfigured(f"The database is PostgreSQL {version}; the portal needs {OLDEST_POSTGRESQL} or newer.")


def check_users() -> None:
    """Raise ImproperlyConfigured when demo users, whose password everybody knows, exist in production."""
    from accounts.models import User

    if settings.PRODUCTION and User.objects.filter(is_demo=True).exists():
        raise ImproperlyConfigured(
            "Demo users exist in this database: delete them, or start with an empty one; a portal with PORTAL_URL refuses them."
        )


def check_at_start() -> None:
    """Both checks; a database that is away for the moment stops nobody, since leads are then answered 503 and not lost silently."""
    try:
        check_version()
        check_users()
    except DatabaseError:
        connection.close()
