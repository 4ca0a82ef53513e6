"""Working time: which instants a calendar counts, and the earliest instant by which some of it has passed.

An instant is working time when the clocks of the zone show working hours of a day that is no holiday. Hours that clocks skip
in spring are therefore not counted and hours that they repeat in autumn are counted twice; a day of 24 working hours has 23
or 25. Instants are aware and in UTC, spans are times since local midnight, half open. Zones: IANA, as Python's `zoneinfo`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FARTHEST = timedelta(days=3653)
"""Ten years: how far ahead an end is looked for."""

Span = tuple[timedelta, timedelta]


class TooLittleTime(Exception):
    """The working time wanted does not pass within ten years."""


@dataclass(frozen=True, slots=True)
class WorkingWeek:
    """The working hours of a place."""

    zone: ZoneInfo
    spans: tuple[tuple[Span, ...], ...]
    """By weekday, Monday first; of each day in order and without overlap."""
    holidays: frozenset[date]

    def offset(self, instant: datetime) -> timedelta:
        """What the zone's clocks show more than UTC."""
        return instant.astimezone(self.zone).utcoffset() or timedelta()

    def stretches(self, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working time from `start` on, in order; ends soon after `until`.

        It walks over stretches in which the local day and the zone's offset stay the same, so that local times are instants
        shifted by a constant.
        """
        cursor = start
        while cursor < until:
            offset = self.offset(cursor)
            local = cursor.replace(tzinfo=None) + offset
            midnight = datetime.combine(local.date(), time.min)
            after = self._while(offset, cursor, cursor + (midnight + DAY - local))
            if local.date() not in self.holidays:
                day = (midnight - offset).replace(tzinfo=UTC)
                for first, last in self.spans[local.weekday()]:
                    opens, closes = max(day + first, cursor), min(day + last, after)
                    if opens < closes:
                        yield opens, closes
            cursor = after

    def _while(self, offset: timedelta, start: datetime, end: datetime) -> datetime:
        """The first instant after `start` at which the offset is another, `end` if there is none; no day has two changes."""
        if self.offset(end) == offset:
            return end
        start = start.replace(microsecond=0)  # zones change on whole seconds
        while end - start > SECOND:
            middle = start + (end - start) // SECOND // 2 * SECOND
            if self.offset(middle) == offset:
                start = middle
            else:
                end = middle
        return end


def add(week: WorkingWeek, start: datetime, working: timedelta) -> datetime:
    """The earliest instant by which so much working time has passed since `start`; `start` itself for none.

    Hence it lies inside working time or at its end, is never earlier for a later start or more time, and adding twice is
    adding the sum. Raises TooLittleTime.
    """
    if not working:
        return start
    for opens, closes in week.stretches(start, start + FARTHEST):
        if closes - opens >= working:
            return opens + working
        working -= closes - opens
    raise TooLittleTime
