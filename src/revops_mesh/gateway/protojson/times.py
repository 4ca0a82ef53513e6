"""Instants, durations and field masks as the texts that JSON writes for them. Instants are UTC, RFC 3339, years 1 to 9999."""

import re
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from .problems import Unreadable
from .scalars import shown, text

EPOCH = datetime(1970, 1, 1)
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))\Z", re.ASCII)
DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s\Z", re.ASCII)
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
SECOND = timedelta(seconds=1)


def read_timestamp(value: Any) -> dict[str, int]:
    """The fields of a Timestamp."""
    found = INSTANT.match(text(value))
    if found is None:
        raise Unreadable(f"must be an instant as in 2026-03-01T08:00:00Z, and not {shown(value)}")
    moment, fraction, sign, hours, minutes = found.groups()
    try:
        seconds = (datetime.fromisoformat(moment) - EPOCH) // SECOND
    except ValueError as error:
        raise Unreadable(f"is no instant of the calendar: {error}") from None
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            raise Unreadable(f"has an offset that no clock has: {shown(value)}")
        away = int(hours) * 3600 + int(minutes) * 60
        seconds += -away if sign == "+" else away
        if not FIRST_SECOND <= seconds <= LAST_SECOND:
            raise Unreadable("must be an instant in the years 1 to 9999")
    return {"seconds": seconds, "nanos": int(fraction.ljust(9, "0")) if fraction else 0}


def write_timestamp(message: Any) -> str:
    """With as many digits of a second as it needs: none, 3, 6 or 9. Raises `ValueError` for what is no instant."""
    seconds, nanos = message.seconds, message.nanos
    if not (FIRST_SECOND <= seconds <= LAST_SECOND and 0 <= nanos < 1_000_000_000):
        raise ValueError(f"{seconds} s and {nanos} ns after 1970 are no instant")
    moment = (EPOCH + timedelta(seconds=seconds)).isoformat()
    if not nanos:
        return f"{moment}Z"
    digits = f"{nanos:09d}"
    return f"{moment}.{digits[:3] if digits.endswith('000000') else digits[:6] if digits.endswith('000') else digits}Z"


def read_duration(value: Any) -> dict[str, int]:
    """The fields of a Duration."""
    duration = Duration()
    try:
        if not DURATION.match(text(value)):
            raise ValueError
        duration.FromJsonString(value)
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"must be a duration as in 1.5s, and not {shown(value)}") from None
    return {"seconds": duration.seconds, "nanos": duration.nanos}


def read_field_mask(value: Any) -> dict[str, list[str]]:
    """The fields of a FieldMask; JSON names them in camel case, separated by commas."""
    mask = FieldMask()
    try:
        mask.FromJsonString(text(value))
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"must name fields as in displayName,priceScope.account, and not {shown(value)}") from None
    return {"paths": list(mask.paths)}
