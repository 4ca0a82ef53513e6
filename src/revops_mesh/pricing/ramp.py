"""Ramps: a charge whose price or quantity changes at known times, segment by segment. Amounts are net, in one currency."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from revops_mesh.numbers.money import EXACT, InvalidNumber, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.proration import Proration, Span, periods, prorated


class RampSegment(NamedTuple):
    """A time, and what one billing period costs during it, at least 0."""

    span: Span
    amount: Decimal


class Valued(NamedTuple):
    """What a segment has: its billing periods, whole and in part, and what they cost, at the minor unit."""

    periods: Fraction
    value: Decimal


def valued(
    segments: Sequence[RampSegment],
    proration: Proration,
    anchor: datetime,
    months: int,
    currency: str,
    proof: ProofBuilder | None = None,
) -> list[Valued]:
    """Each segment's billing periods of so many months, which begin on the day of the anchor, and its value.

    A segment must begin where the one before ends. Each is rounded by itself, so the values sum to the value of the ramp.
    Step: "segment", one each, the running sum. Raises InvalidNumber for a gap, an overlap or a negative amount, and as
    `periods`.
    """
    found = []
    with localcontext(EXACT):
        total = Decimal(0)
        for index, (span, amount) in enumerate(segments):
            _must_follow(segments, index)
            if not amount.is_finite() or amount < 0:
                raise InvalidNumber(f"segments[{index}].amount", f"must be at least 0, got {amount}")
            count = periods(proration, span, anchor, months)
            value = prorated(amount, count, currency)
            before, total = total, total + value
            if proof is not None:
                carried = f"{money_text(before, currency)} + " if index else ""
                proof.step("segment", f"{carried}{money_text(amount, currency)} × {count} periods", total)
            found.append(Valued(count, value))
    return found


def _must_follow(segments: Sequence[RampSegment], index: int) -> None:
    if index == 0:
        return
    start, end = segments[index].span.start, segments[index - 1].span.end
    if start != end:
        what = "leaves a gap after" if start > end else "overlaps"
        raise InvalidNumber(f"segments[{index}].span", f"{what} the segment before, which ends at {end.isoformat()}")
