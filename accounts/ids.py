"""Time-ordered ids. Python 3.11 has no uuid7, and a bulk insert needs the id before the row exists."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """A UUIDv7: sorts by the moment it was made, which keeps inserts and partitions in order."""
    return _uuid7()
