"""Rounding by document: the sum is rounded once, and the lines are made to sum to it. Amounts are in one currency."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, minor_unit, rounded


def settled(
    amounts: Sequence[Decimal],
    currency: str,
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_UNSPECIFIED,
) -> list[Decimal]:
    """Exact amounts of any sign at the minor unit, so that they sum to their rounded sum.

    Largest remainder: each is rounded towards minus infinity, and the minor units that are left go to the largest
    remainders, the first of equals first. None differs from its exact amount by a minor unit or more.
    """
    unit = minor_unit(currency)
    with localcontext(EXACT):
        whole = rounded(sum(amounts, Decimal(0)), currency, rounding)
        parts = [amount.quantize(unit, ROUND_FLOOR) for amount in amounts]
        left = int((whole - sum(parts, Decimal(0))) / unit)
        remainders = [amount - part for amount, part in zip(amounts, parts, strict=True)]
        for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:left]:
            parts[index] += unit
    return parts
