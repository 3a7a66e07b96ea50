"""How often the API answers. One row per caller in PostgreSQL, counted in one statement: it holds without Redis, and for callers in parallel."""

import time
from typing import Any

from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


class PerSecond(BaseThrottle):
    """So many requests in every second of the clock; the next second is a new one."""

    rate: int

    def caller(self, request: Request) -> str | None:
        """Who is counted; none when this throttle has nothing to say."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = self.caller(request)
        if caller is None:
            return True
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [caller, int(time.time())])
            return bool(cursor.fetchone()[0] <= self.rate)

    def wait(self) -> float:
        return 1 - time.time() % 1


COUNT = """
    INSERT INTO accounts_pace AS p (caller, second, requests) VALUES (%s, %s, 1)
    ON CONFLICT (caller) DO UPDATE SET second = EXCLUDED.second, requests = CASE WHEN p.second = EXCLUDED.second THEN p.requests + 1 ELSE 1 END
    RETURNING requests
"""


class SignedIn(PerSecond):
    """Well above the promised 20 requests a second, so that a client at that pace never meets it."""

    rate = 30

    def caller(self, request: Request) -> str | None:
        token = getattr(request.auth, "pk", None)
        return f"token {token}" if token else f"user {request.user.pk}" if request.user.is_authenticated else None


class Anonymous(PerSecond):
    rate = 10

    def caller(self, request: Request) -> str | None:
        return None if request.user.is_authenticated else f"address {self.get_ident(request)}"[:100]
