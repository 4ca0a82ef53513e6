"""The one apportioner: splits a total over weights so that the parts sum to it exactly.

Largest remainder (Hamilton): every part gets the whole quanta of its exact share, and the quanta left over go to the
largest remainders. Every split uses it: discounts, invoices, allocations, commissions, payments.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import Enum

from revops_mesh.numbers.money import InvalidNumber, decimal_text

# Inexact is trapped: a number too long for the precision fails loudly instead of losing a quantum.
_LOUD = Context(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


class Tie(Enum):
    """Which of equal remainders gets the quantum left over: the earliest part of the sequence or the latest."""

    FIRST = "FIRST"
    LAST = "LAST"


def apportion(total: Decimal, weights: Sequence[Decimal], quantum: Decimal, tie: Tie = Tie.FIRST) -> list[Decimal]:
    """Parts of `total` in proportion to `weights`, one each, in their order.

    Every part is a multiple of `quantum`, closer than one quantum to its exact share, and of the total's sign; a
    weight of 0 gets 0. The parts of −total are the negated parts of total. Parts with equal remainders differ only by
    `tie`, so the order of the weights decides and nothing else does.

    Raises InvalidNumber: quantum not above 0; total not a multiple of it; a negative weight; weights that sum to 0
    while the total does not.
    """
    if not quantum.is_finite() or quantum <= 0:
        raise InvalidNumber("quantum", f"must be above 0, got {quantum}")
    quanta = _quanta(total, quantum)
    whole = _sum(weights)
    if not whole:
        if quanta:
            raise InvalidNumber("weights", f"sum to 0, so {decimal_text(total)} cannot be split over them")
        return [_LOUD.multiply(quantum, 0)] * len(weights)

    counts, remainders = [], []
    for weight in weights:
        count, remainder = _LOUD.divmod(_LOUD.multiply(abs(quanta), weight), whole)
        counts.append(int(count))
        remainders.append(remainder)
    for index in _by_remainder(remainders, tie)[: abs(quanta) - sum(counts)]:
        counts[index] += 1
    sign = -1 if quanta < 0 else 1
    return [_LOUD.multiply(quantum, sign * count) for count in counts]


def _quanta(total: Decimal, quantum: Decimal) -> int:
    """The total as a signed number of quanta."""
    if not total.is_finite():
        raise InvalidNumber("total", f"must be a finite number, got {total}")
    count, rest = _LOUD.divmod(total, quantum)
    if rest:
        raise InvalidNumber("total", f"{decimal_text(total)} is not a multiple of {decimal_text(quantum)}")
    return int(count)


def _sum(weights: Sequence[Decimal]) -> Decimal:
    """The sum of weights that are all finite and at least 0."""
    whole = Decimal(0)
    for index, weight in enumerate(weights):
        if not weight.is_finite() or weight < 0:
            raise InvalidNumber(f"weights[{index}]", f"must be at least 0, got {weight}")
        whole = _LOUD.add(whole, weight)
    return whole


def _by_remainder(remainders: list[Decimal], tie: Tie) -> list[int]:
    """Indexes by falling remainder; sorting is stable, so equals keep the order the tie asks for."""
    indexes = range(len(remainders)) if tie is Tie.FIRST else range(len(remainders) - 1, -1, -1)
    return sorted(indexes, key=remainders.__getitem__, reverse=True)
