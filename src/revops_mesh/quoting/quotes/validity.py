"""How long an offer stands: to the end of a calendar day where the seller is.

A day is a date of the Gregorian calendar in the IANA time zone of the legal entity, UTC if there is none. It ends at the first
instant of the next one, whatever daylight saving does at midnight (RFC 5545: an interval excludes its end).
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import BadField

DEFAULT_DAYS = 30
_FIELD = "quote.valid_until"


class Validity(NamedTuple):
    """The last day on which an offer can be accepted, and the first instant at which it no longer can, in UTC."""

    last_day: date
    end: datetime


def wanted_day(quote: pb.Quote) -> date | None:
    """The last day that a quote asks for, None if it leaves it open.

    Raises BadField for a date that is partial, does not exist or has no days after it.
    """
    if not quote.HasField("valid_until"):
        return None
    wanted = quote.valid_until
    try:
        day = date(wanted.year, wanted.month, wanted.day)
    except ValueError:
        text = f"{wanted.year:04}-{wanted.month:02}-{wanted.day:02}"
        raise BadField(_FIELD, f"must be a day of the calendar, got {text}") from None
    if day.year > 9000:
        raise BadField(_FIELD, f"must be before the year 9001, got {day}")
    return day


def validity(wanted: date | None, now: datetime, zone: tzinfo) -> Validity:
    """The validity of an offer made now, to the wanted day or for `DEFAULT_DAYS` after today."""
    last_day = wanted or now.astimezone(zone).date() + timedelta(days=DEFAULT_DAYS)
    # fold=0 is the earlier of two midnights, and for a skipped one the instant at which the clocks jump.
    midnight = datetime.combine(last_day + timedelta(days=1), time(), tzinfo=zone)
    return Validity(last_day, midnight.astimezone(UTC))
