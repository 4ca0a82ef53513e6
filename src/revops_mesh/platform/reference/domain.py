"""Legal entities, exchange rates and business calendars. Days are of no zone; working hours are minutes of the local day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Self

from revops.platform.v1 import reference_pb2 as pb

from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import BadField, Broken, Failure

from .business_time import Span, TooLittleTime, WorkingWeek, add
from .values import day, must_be_currency, zone


class LegalEntity(Aggregate[pb.LegalEntity]):
    """A company of the tenant that sells."""

    state_type = pb.LegalEntity

    @classmethod
    def register(cls, name: str, offer: pb.LegalEntity) -> Self:
        """A new legal entity. Raises CURRENCY_UNKNOWN, TIME_ZONE_UNKNOWN."""
        must_be_currency(offer.currency_code)
        zone(offer.time_zone)
        entity = cls(pb.LegalEntity())
        entity.state.CopyFrom(offer)
        entity.state.name = name
        return entity

    def update(self, changed: pb.LegalEntity) -> None:
        """Takes over changed fields; the currency never changes. Raises TIME_ZONE_UNKNOWN."""
        zone(changed.time_zone)
        self.state.CopyFrom(changed)

    def check(self) -> None:
        """A currency and a zone."""
        if not self.state.currency_code or not self.state.time_zone:
            raise Broken(f"{self.name} lacks its currency or its time zone")


class ExchangeRate(Aggregate[pb.ExchangeRate]):
    """What a currency costs in another from a day on. It is never changed; a later one supersedes it."""

    state_type = pb.ExchangeRate

    @classmethod
    def publish(cls, name: str, offer: pb.ExchangeRate) -> Self:
        """A new rate. Raises RATE_SAME_CURRENCY, CURRENCY_UNKNOWN, FIELD_INVALID."""
        must_be_pair(offer.from_currency, offer.to_currency)
        must_be_currency(offer.from_currency)
        must_be_currency(offer.to_currency)
        rate = cls(pb.ExchangeRate())
        rate.state.CopyFrom(offer)
        effective = day(offer.effective_date, "exchange_rate.effective_date")
        rate.state.name, rate.state.pair_day = name, pair_day(offer.from_currency, offer.to_currency, effective)
        return rate

    def check(self) -> None:
        """A price above nothing, between two currencies."""
        if Decimal(self.state.rate) <= 0 or self.state.from_currency == self.state.to_currency or not self.state.pair_day:
            raise Broken(f"{self.name}: {self.state.rate} for {self.state.from_currency}/{self.state.to_currency}")


def must_be_pair(unit: str, price: str) -> None:
    """Raises RATE_SAME_CURRENCY for a currency and itself."""
    if unit == price:
        raise Failure(pb.ReferenceReason, pb.RATE_SAME_CURRENCY, "A rate of {currency} to itself says nothing.", currency=unit)


def pair_day(unit: str, price: str, on: date | None) -> str:
    """The key under which rates are found: equal pairs together, in the order of days; no day gives the first of a pair."""
    return f"{unit}/{price}/{on.isoformat() if on else ''}"


def rate_missing(unit: str, price: str, on: date) -> Failure:
    """The refusal of a day before the first rate of a pair."""
    text = "No rate of {from} to {to} is known for {date}: publish one, as the inverse is not assumed."
    return Failure(pb.ReferenceReason, pb.RATE_MISSING, text, **{"from": unit, "to": price, "date": on.isoformat()})


class BusinessCalendar(Aggregate[pb.BusinessCalendar]):
    """The working hours and holidays of a place."""

    state_type = pb.BusinessCalendar

    @classmethod
    def draw_up(cls, name: str, offer: pb.BusinessCalendar) -> Self:
        """A new calendar. Raises TIME_ZONE_UNKNOWN, FIELD_INVALID."""
        calendar = cls(pb.BusinessCalendar())
        calendar.update(offer)
        calendar.state.name = name
        return calendar

    def update(self, changed: pb.BusinessCalendar) -> None:
        """Takes over changed fields. Raises TIME_ZONE_UNKNOWN, FIELD_INVALID: overlapping hours, impossible days."""
        zone(changed.time_zone)
        for i, holiday in enumerate(changed.holidays):
            day(holiday, f"business_calendar.holidays[{i}]")
        if (found := _overlap(changed)) is not None:
            raise BadField(f"business_calendar.working_hours[{found}]", "overlaps other hours of its day")
        self.state.CopyFrom(changed)

    def add(self, start: datetime, minutes: int) -> datetime:
        """The earliest instant by which so many working minutes have passed since `start`. Raises CALENDAR_EMPTY."""
        try:
            return add(self.week, start, timedelta(minutes=minutes))
        except TooLittleTime:
            text = "{calendar} has too little working time within ten years."
            raise Failure(pb.ReferenceReason, pb.CALENDAR_EMPTY, text, calendar=self.name) from None

    @property
    def week(self) -> WorkingWeek:
        """Its working hours as the algorithm wants them."""
        spans: list[list[Span]] = [[] for _ in range(7)]
        for hours in sorted(self.state.working_hours, key=lambda each: each.start_minute):
            spans[hours.weekday - 1].append((timedelta(minutes=hours.start_minute), timedelta(minutes=hours.end_minute)))
        holidays = frozenset(day(holiday, "holidays") for holiday in self.state.holidays)
        return WorkingWeek(zone(self.state.time_zone), tuple(map(tuple, spans)), holidays)

    def check(self) -> None:
        """Some working hours, none of them twice."""
        if not self.state.working_hours or _overlap(self.state) is not None:
            raise Broken(f"{self.name} has no working hours, or some twice")


def _overlap(calendar: pb.BusinessCalendar) -> int | None:
    """The position of hours that begin before earlier ones of their day have ended."""
    ends: dict[int, int] = {}
    for i in sorted(range(len(calendar.working_hours)), key=lambda each: calendar.working_hours[each].start_minute):
        hours = calendar.working_hours[i]
        if hours.start_minute < ends.get(hours.weekday, 0):
            return i
        ends[hours.weekday] = hours.end_minute
    return None
