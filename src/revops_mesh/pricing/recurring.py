"""What recurs: monthly and annual recurring revenue, and the value of a contract. Amounts are net, in one currency.

Everything is exact until one rounding, half away from zero, at the minor unit: rounding each charge would make three charges
of 0.01 a quarter 0 a month instead of 0.01. ARR = 12 × MRR holds before that rounding.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from revops_mesh.numbers.money import EXACT, InvalidNumber, money_text, rounded
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.proration import prorated

_ZERO = Decimal(0)


class Recurring(NamedTuple):
    """A charge that recurs: what one billing period costs, and how many months it has, 1 to 1,200."""

    amount: Decimal
    months: int


class Segment(NamedTuple):
    """A time over which a charge recurs unchanged: what one billing period costs, and how many there are, as
    `proration.periods` counts them. A negative amount is a discount or what a change takes away.
    """

    amount: Decimal
    periods: Fraction


def mrr(charges: Iterable[Recurring | tuple[Decimal, int]], currency: str) -> Decimal:
    """Monthly recurring revenue: the sum of amounts ÷ months of their periods."""
    return _in_months(charges, 1, currency)


def arr(charges: Iterable[Recurring | tuple[Decimal, int]], currency: str) -> Decimal:
    """Annual recurring revenue: 12 × the exact monthly revenue."""
    return _in_months(charges, 12, currency)


def tcv(once: Decimal, segments: Iterable[Segment], currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """Total contract value: what falls due once + the amounts of all periods of all segments, each segment rounded.

    Given the segments that a change adds and takes away, it is the change of that value. Steps, by code: "once" and
    "segment", the running sum.
    """
    with localcontext(EXACT):
        total = rounded(once, currency)
        if proof is not None:
            proof.step("once", f"{money_text(once, currency)} once", total)
        for amount, periods in segments:
            value = prorated(amount, periods, currency)
            before, total = total, total + value
            if proof is not None:
                text = f"{money_text(before, currency)} + {money_text(amount, currency)} × {periods} periods"
                proof.step("segment", text, total)
    return total


def _in_months(charges: Iterable[Recurring | tuple[Decimal, int]], months: int, currency: str) -> Decimal:
    """What charges amount to in so many months; one quotient over the periods' common multiple, so that no other is cut."""
    by_period: dict[int, Decimal] = {}
    with localcontext(EXACT):
        for index, (amount, period) in enumerate(charges):
            if not 1 <= period <= 1200:
                raise InvalidNumber(f"charges[{index}].months", f"must be from 1 to 1,200, got {period}")
            by_period[period] = by_period.get(period, _ZERO) + amount
        common = lcm(*by_period)
        total = sum((amount * (common // period) for period, amount in by_period.items()), _ZERO)
        return rounded(total * months / common, currency)
