"""How often the API answers. The counters are in PostgreSQL, through the database cache, so they hold without Redis."""

from rest_framework.throttling import AnonRateThrottle, UserRateThrottle


class SignedIn(UserRateThrottle):
    """Well above the promised 20 requests a second, so that a client at that pace never meets it."""

    rate = "30/second"


class Anonymous(AnonRateThrottle):
    rate = "10/second"
