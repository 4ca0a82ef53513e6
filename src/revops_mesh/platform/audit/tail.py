"""Where a reader of the audit log is who must miss nothing, although entries become visible out of order.

An entry gets its id, a UUIDv7, before its transaction commits; a later id may be visible first. Below a horizon that lies
further back than any transaction lasts, everything is visible; above it the reader remembers what it has already seen.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

SETTLING = timedelta(seconds=90)
"""A call lasts 30 s and its flush 30 s at most; the rest is for clocks that differ."""
_MILLISECOND, _RANDOM_BITS = timedelta(milliseconds=1), 80


def earlier(fresh: UUID, span: timedelta) -> UUID:
    """A bound below every UUIDv7 made less than `span` before `fresh`."""
    return UUID(int=max((fresh.int >> _RANDOM_BITS) - span // _MILLISECOND, 0) << _RANDOM_BITS)


class Position(msgspec.Struct, frozen=True):
    """What has been read: everything up to `settled`, and `seen`."""

    since: datetime
    """Entries before this instant are not wanted."""
    settled: UUID
    seen: frozenset[UUID] = frozenset()

    @classmethod
    def at(cls, since: datetime, now: datetime, fresh: UUID) -> "Position":
        """The start of a reader; `fresh` is an id made now. It is measured from that, so a shifted clock does not matter."""
        return cls(since, earlier(fresh, now - since + SETTLING))

    def after(self, read: Sequence[UUID], fresh: UUID) -> "Position":
        """The position once these entries, the next in order, were read at the time of `fresh`; none means there were none.

        What lies up to the last of them was read, and below the horizon nothing more appears: up to the lower is settled.
        """
        horizon = earlier(fresh, SETTLING)
        reached = min(horizon, read[-1]) if read else horizon
        settled = max(self.settled, reached)
        return Position(self.since, settled, frozenset(each for each in (*self.seen, *read) if each > settled))

    def encoded(self) -> str:
        """As a cursor."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decoded(cls, cursor: str) -> "Position":
        """From a cursor."""
        return msgspec.json.decode(cursor, type=cls)
