"""The values that reference facts are made of, checked: zones, days and currencies."""

import re
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from revops.platform.v1 import reference_pb2 as pb

from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.numbers.money import UnknownCurrency, minor_unit

_ZONE = re.compile(r"(?!Factory)[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*").fullmatch
"""Leaves out what depends on the machine, as "localtime" does."""


class Day(Protocol):
    """`google.type.Date`, whole."""

    year: int
    month: int
    day: int


def zone(name: str) -> ZoneInfo:
    """A zone of the IANA database. Raises TIME_ZONE_UNKNOWN."""
    try:
        if _ZONE(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise Failure(pb.ReferenceReason, pb.TIME_ZONE_UNKNOWN, "{time_zone} is not a zone of the IANA database.", time_zone=name)


def day(value: Day, field: str) -> date:
    """A day of the calendar (proleptic Gregorian). Raises FIELD_INVALID for one that there is not."""
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        raise BadField(field, f"{value.year}-{value.month}-{value.day} is not a day of the calendar") from None


def must_be_currency(code: str) -> None:
    """Raises CURRENCY_UNKNOWN unless money is counted in it."""
    try:
        minor_unit(code)
    except UnknownCurrency:
        raise Failure(
            pb.ReferenceReason, pb.CURRENCY_UNKNOWN, "{currency} is not a currency of ISO 4217.", currency=code
        ) from None
