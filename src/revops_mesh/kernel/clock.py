"""The only source of business time: UTC, microseconds, shifted by `REVOPS_CLOCK` in development."""

import os
import time
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp


def _offset() -> timedelta:
    """Shift of the clock: `REVOPS_CLOCK` in seconds, as in "86400" for a day ahead; unset means none."""
    shift = os.environ.get("REVOPS_CLOCK", "")
    if not shift:
        return timedelta()
    if os.environ.get("REVOPS_ENV", "development") != "development":
        raise ValueError("REVOPS_CLOCK shifts the clock in development only; unset it or set REVOPS_ENV=development")
    try:
        return timedelta(seconds=float(shift))
    except ValueError:
        raise ValueError(f"REVOPS_CLOCK must be a number of seconds, got {shift!r}") from None


_OFFSET = _offset()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) + _OFFSET


def unix() -> float:
    """Seconds since the epoch of the same shifted clock, for token expiry."""
    return time.time() + _OFFSET.total_seconds()


def timestamp(instant: datetime) -> Timestamp:
    """The protobuf form of an aware instant."""
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
