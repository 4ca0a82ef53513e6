"""Units that are included over several billing periods: pools, rollover, and the part of a grant in a shorter period.

Each answers with the units beyond what is included, one number a billing period, to be priced by a charge model of its own.
Units are decimals, at least 0, in the unit of the charge.
"""

from collections import deque
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction

from revops_mesh.numbers.money import EXACT, InvalidNumber

_ZERO = Decimal(0)


def granted(units: Decimal, share: Fraction) -> Decimal:
    """The whole units of a grant that belong to a part of its period, 0 to 1: 17 of 31 days of 4,000 are 2,193."""
    if not 0 <= share <= 1:
        raise InvalidNumber("share", f"must be from 0 to 1, got {share}")
    with localcontext(EXACT):
        exact = _at_least_zero(units, "units") * share.numerator / share.denominator
        return exact.quantize(Decimal(1), ROUND_DOWN)


def beyond_pool(pool: Decimal, usage: Sequence[Decimal], periods: int) -> list[Decimal]:
    """Units beyond a pool that so many billing periods share, as of the period that exhausts it: a monthly overage against
    an annual allowance is a pool of 12 periods. The pool is full again after them; what is left of it is lost.
    """
    if periods < 1:
        raise InvalidNumber("periods", f"must be at least 1, got {periods}")
    left, beyond = _at_least_zero(pool, "pool"), []
    with localcontext(EXACT):
        for index, units in enumerate(usage):
            if index % periods == 0:
                left = pool
            covered = min(left, _at_least_zero(units, f"usage[{index}]"))
            left -= covered
            beyond.append(units - covered)
    return beyond


def beyond_rollover(included: Decimal, usage: Sequence[Decimal], periods: int) -> list[Decimal]:
    """Units beyond what is included each billing period, where unused ones may be used in the next so many periods, 0 to
    1,200; the oldest are used first.
    """
    if not 0 <= periods <= 1200:
        raise InvalidNumber("periods", f"must be from 0 to 1,200, got {periods}")
    _at_least_zero(included, "included")
    kept: deque[Decimal] = deque(maxlen=periods + 1)
    beyond = []
    with localcontext(EXACT):
        for index, units in enumerate(usage):
            kept.append(included)
            missing = _at_least_zero(units, f"usage[{index}]")
            for age, left in enumerate(kept):
                covered = min(left, missing)
                kept[age] = left - covered
                missing -= covered
            beyond.append(missing)
    return beyond


def _at_least_zero(value: Decimal, field: str) -> Decimal:
    if not value.is_finite() or value < 0:
        raise InvalidNumber(field, f"must be at least 0, got {value}")
    return value
