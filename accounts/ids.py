"""Time-ordered ids. Python 3.11 has no uuid7, and a bulk insert needs the id before the row exists."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """A UUIDv7: sorts by the moment it was made, which keeps inserts and partitions in order."""
    return _uuid7()


def first_id(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of a moment: ids are time-ordered, so a range of them is a range of time on the primary key."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def array(ids: Iterable[uuid.UUID | str]) -> str:
    """Ids as one parameter, `= ANY(%s::uuid[])`: as thousands of parameters they would cost more than the query."""
    return "{" + ",".join([one if isinstance(one, str) else f"{one.int:032x}" for one in ids]) + "}"


# In SQL, ids for up to 16 million rows of one statement: one UUIDv7 and the row's number for its last 24 bits. PostgreSQL asks the kernel for random
# bytes at every uuidv7(), which costs more than the row itself.
NEW_ID = "((SELECT left(uuidv7()::text, 30)) || lpad(to_hex(row_number() OVER ()), 6, '0'))::uuid"
