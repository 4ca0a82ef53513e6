"""Proration: which part of a billing period a part of it is, and what that costs.

A span holds its start and not its end; instants are aware, days are those of the time zone that is given, the legal
entity's. Parts are exact fractions. Policies, and which of them are additive, so that the parts of a period sum to it:
SECOND, DAY_ACTUAL, STRICT_30_360 and MONTH_THEN_DAY are; ACTUAL_30 (Zuora's Actual/360) and NONE are not. An amount that
must be split without a rest is split by `split`, whatever the policy. Month arithmetic counts from one anchor, so that a
period that begins on the 31st does so again after February.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, localcontext
from fractions import Fraction
from math import lcm
from typing import NamedTuple, Self

from dateutil.relativedelta import relativedelta
from revops.type.v1 import pricing_pb2
from revops.type.v1 import proration_pb2 as pb

from revops_mesh.numbers.apportion import Tie, apportion
from revops_mesh.numbers.money import EXACT, InvalidNumber, decimal_text, minor_unit, money_text, rounded, rounding_text
from revops_mesh.numbers.proof import ProofBuilder

SECOND, DAY_ACTUAL, ACTUAL_30, STRICT_30_360, MONTH_THEN_DAY, NONE = (
    pb.PRORATION_POLICY_SECOND,
    pb.PRORATION_POLICY_DAY_ACTUAL,
    pb.PRORATION_POLICY_ACTUAL_30,
    pb.PRORATION_POLICY_STRICT_30_360,
    pb.PRORATION_POLICY_MONTH_THEN_DAY,
    pb.PRORATION_POLICY_NONE,
)
MOST_PERIODS = 1_200
_ZERO, _WHOLE = Fraction(0), Fraction(1)
_DAY = timedelta(days=1)


class Span(NamedTuple):
    """A stretch of time: aware instants, `start` before `end`."""

    start: datetime
    end: datetime

    def in_utc(self, field: str) -> "Span":
        """The same instants; two of one zone would be compared and subtracted by their clocks, not as instants.

        Raises InvalidNumber for a span that is empty or naive.
        """
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidNumber(field, "must have instants with a time zone")
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        if start >= end:
            raise InvalidNumber(field, f"must end after it starts, got {start.isoformat()} to {end.isoformat()}")
        return Span(start, end)


class Proration(NamedTuple):
    """A proration with its defaults, and the zone of its days."""

    policy: pb.ProrationPolicy.ValueType
    change_day_is_charged: bool
    zone: tzinfo

    @classmethod
    def parsed(cls, proration: pb.Proration, zone: tzinfo) -> Self:
        """The contract's proration. Raises InvalidNumber for a value unknown to this release."""
        if proration.policy not in pb.ProrationPolicy.values():
            raise InvalidNumber("policy", f"{proration.policy} is not a policy this release knows")
        if proration.change_day not in pb.ChangeDay.values():
            raise InvalidNumber("change_day", f"{proration.change_day} is not a value this release knows")
        return cls(proration.policy or DAY_ACTUAL, proration.change_day != pb.CHANGE_DAY_FREE, zone)


class Change(NamedTuple):
    """What a change within a billing period costs, each amount rounded by itself."""

    credit: Decimal
    """For what is left of the old price, at most 0."""
    charge: Decimal
    """For what is left at the new price, at least 0."""

    @property
    def net(self) -> Decimal:
        """What is due, or credited if negative."""
        return self.credit + self.charge


def share(proration: Proration, part: Span, whole: Span) -> Fraction:
    """Which part of a billing period a part of it is, 0 to 1.

    Where a part begins or ends inside the period its day is a day of change; where the period itself does, it is not.
    Raises InvalidNumber for a span that is empty or naive, and for a part outside its whole.
    """
    whole, part = whole.in_utc("whole"), part.in_utc("part")
    if part.start < whole.start or part.end > whole.end:
        raise InvalidNumber("part", f"must be within {whole.start.isoformat()} and {whole.end.isoformat()}")
    if part == whole or proration.policy == NONE:
        return _WHOLE
    if proration.policy == SECOND:
        return _seconds(part) / _seconds(whole)
    first, last = _day(whole.start, proration), _day(whole.end, proration)
    start = first if part.start == whole.start else min(_changed(part.start, proration), last)
    end = last if part.end == whole.end else min(_changed(part.end, proration), last)
    if first == last:
        return _seconds(part) / _seconds(whole)  # a period within one day has no days
    if proration.policy == STRICT_30_360 and (days := _days_360(first, last)):
        return Fraction(_days_360(start, end), days)
    if proration.policy in (DAY_ACTUAL, STRICT_30_360):
        return Fraction((end - start).days, (last - first).days)
    if proration.policy == ACTUAL_30:
        return min(_months_and_days(start, end, 30) / _months_and_days(first, last, 30), _WHOLE)
    return (_months_and_days(first, end) - _months_and_days(first, start)) / _months_and_days(first, last)


def billing_periods(anchor: datetime, months: int, covering: Span, zone: tzinfo) -> Iterator[Span]:
    """The billing periods of so many months that a span touches, in order. They begin on the day and at the time of day of
    the anchor, which may lie after them. Raises InvalidNumber for months outside 1 to 1,200, and for more than 1,200 periods.
    """
    covering = covering.in_utc("covering")
    if not 1 <= months <= MOST_PERIODS:
        raise InvalidNumber("months", f"must be from 1 to 1,200, got {months}")
    local = anchor.astimezone(zone)

    def boundary(number: int) -> datetime:
        # Wall clock: a period that begins at midnight does so in summer and in winter.
        wall = local.replace(tzinfo=None) + relativedelta(months=number * months)
        return wall.replace(tzinfo=zone).astimezone(UTC)

    start = covering.start.astimezone(zone)
    number = ((start.year - local.year) * 12 + start.month - local.month) // months
    while boundary(number) > covering.start:
        number -= 1
    while boundary(number + 1) <= covering.start:
        number += 1
    for count in range(MOST_PERIODS + 1):
        if boundary(number + count) >= covering.end:
            return
        yield Span(boundary(number + count), boundary(number + count + 1))
    raise InvalidNumber("covering", f"must touch at most {MOST_PERIODS} billing periods")


def periods(proration: Proration, span: Span, anchor: datetime, months: int) -> Fraction:
    """How many billing periods a span has: whole ones, and the parts of those at its ends, as a ramp's segment is counted."""
    span, total = span.in_utc("span"), _ZERO
    for period in billing_periods(anchor, months, span, proration.zone):
        part = Span(max(span.start, period.start), min(span.end, period.end))
        total += share(proration, part, period)
    return total


def prorated(
    amount: Decimal,
    part: Fraction,
    currency: str,
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_UNSPECIFIED,
    proof: ProofBuilder | None = None,
) -> Decimal:
    """An amount × a part, at the minor unit. Steps, by code: "prorate", and "round" if rounding changed the amount; a
    quotient that never ends is written with 12 decimals.
    """
    with localcontext(EXACT):
        exact = amount * part.numerator / part.denominator
        result = rounded(exact, currency, rounding)
        if proof is not None:
            shown = exact if exact == exact.quantize(Decimal("1E-12")) else exact.quantize(Decimal("1E-12"))
            proof.step("prorate", f"{money_text(amount, currency)} × {part}", shown)
            if result != exact:
                proof.step("round", decimal_text(shown), result, rounding_text(rounding, currency))
        return result


def change(old: Decimal, new: Decimal, left: Fraction, currency: str) -> Change:
    """What a change of the price of a period from `old` to `new` costs, when this part of the period is left."""
    return Change(-prorated(old, left, currency), prorated(new, left, currency))


def split(
    total: Decimal, parts: Sequence[Span], whole: Span, proration: Proration, currency: str, tie: Tie = Tie.LAST
) -> list[Decimal]:
    """A total over the parts of a span by what the policy makes of each, summing to it to the minor unit; under NONE evenly.

    The total must be in whole minor units. An odd unit goes to the largest remainder, of equals to the last.
    """
    shares = [share(proration, part, whole) for part in parts]
    common = lcm(*(each.denominator for each in shares))
    weights = [Decimal(each.numerator * (common // each.denominator)) for each in shares]
    return apportion(total, weights, minor_unit(currency), tie)


def _seconds(span: Span) -> Fraction:
    """What elapses, in microseconds."""
    return Fraction((span.end - span.start) // timedelta(microseconds=1))


def _day(instant: datetime, proration: Proration) -> date:
    return instant.astimezone(proration.zone).date()


def _changed(instant: datetime, proration: Proration) -> date:
    """The day from which a change counts."""
    return _day(instant, proration) + (timedelta() if proration.change_day_is_charged else _DAY)


def _days_360(start: date, end: date) -> int:
    """Days between two dates in months of 30 days."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * 30 + min(end.day, 30) - min(start.day, 30)


def _months_and_days(start: date, end: date, month_days: int = 0) -> Fraction:
    """Whole months from a date, and the other days in months of so many days, by default of the month they are in."""
    count = (end.year - start.year) * 12 + end.month - start.month
    if start + relativedelta(months=count) > end:
        count -= 1
    begun, next_one = start + relativedelta(months=count), start + relativedelta(months=count + 1)
    days = Fraction((end - begun).days, month_days or (next_one - begun).days)
    return count + days
