"""Half-open periods of time, [start, end), and the instants in them: UTC, to the microsecond, as PostgreSQL keeps them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from revops_mesh.kernel.errors import BadField

MICROSECOND = datetime.resolution
FOREVER = datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1)


class Period(NamedTuple):
    """From `start` on, before `end`; None is open."""

    start: datetime | None
    end: datetime | None

    @property
    def is_empty(self) -> bool:
        """Holds no instant."""
        return self.start is not None and self.end is not None and self.end <= self.start

    def overlaps(self, other: "Period") -> bool:
        """Whether two periods that are not empty share an instant."""
        return (self.start is None or other.end is None or self.start < other.end) and (
            other.start is None or self.end is None or other.start < self.end
        )


def period(message: Message, start: str, end: str, of: str = "") -> Period:
    """The period between two timestamp fields, see `instant`."""
    return Period(instant(message, start, of), instant(message, end, of))


def instant(message: Message, field: str, of: str = "") -> datetime | None:
    """The instant in a timestamp field, None if it is unset; cuts what is finer than a microsecond off the field.

    Raises BadField for what is no instant; `of` says where the request holds the message, as in "price_entry.".
    """
    if not message.HasField(field):
        return None
    stamp = getattr(message, field)
    try:
        found: datetime = stamp.ToDatetime(tzinfo=UTC)
    except ValueError as error:
        raise BadField(of + field, str(error)) from None
    if stamp.nanos % 1000:
        stamp.FromDatetime(found)
    return found


def rfc3339(stamp: Timestamp) -> str:
    """An instant as text, to the microsecond, as in "2026-01-31T12:00:00Z"."""
    return (_EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)).isoformat() + "Z"
