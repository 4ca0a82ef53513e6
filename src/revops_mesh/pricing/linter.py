"""The linter: finds prices that are valid but punish buying less or reward buying more than needed.

A cliff is where one more unit lowers the total: only where a new band reprices every unit, under VOLUME, or replaces the
amount, under STAIR_STEP. Under the other models each unit adds at least 0. Gaps and overlaps cannot be written into a
pricing; `tier_import` finds them in the rows that one is made from. Amounts are unrounded, in the currency of the charge,
within the minimum and maximum, without true-ups; quantities are whole units.
"""

from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from enum import Enum
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, decimal_text
from revops_mesh.pricing.charge import exact_of, parsed
from revops_mesh.pricing.tiers import Table, band_of


class Fault(Enum):
    """What a finding is about."""

    CLIFF = "CLIFF"
    """One more unit costs less in all."""
    GAP = "GAP"
    """No row has a price for these units."""
    OVERLAP = "OVERLAP"
    """Two rows have a price for these units."""


class Finding(NamedTuple):
    """A fault of the whole quantities from `first` to `last`, which is None if there is no end.

    Of a cliff: each of them costs more than the larger quantity `last` + 1; `field` is the tier of that quantity, `amount`
    what `last` costs and `next_amount` what one more. Of a gap or an overlap: `field` is the row that comes too late or too
    early, the amounts are 0.
    """

    fault: Fault
    field: str
    description: str
    first: Decimal
    last: Decimal | None
    amount: Decimal = Decimal(0)
    next_amount: Decimal = Decimal(0)


def lint(pricing: pricing_pb2.Pricing) -> list[Finding]:
    """Every cliff of a pricing, by rising quantity. Raises InvalidPricing."""
    terms = parsed(pricing)
    if pricing.model not in (pricing_pb2.CHARGE_MODEL_VOLUME, pricing_pb2.CHARGE_MODEL_STAIR_STEP):
        return []
    # A commitment levels all that is below it, but nobody pays less for using more.
    limits = terms.limits and terms.limits._replace(committed=None)
    bare = terms._replace(place=pricing_pb2.ROUNDING_PLACE_LINE, limits=limits)
    with localcontext(EXACT):
        return list(_cliffs(bare.tiers, lambda quantity: exact_of(bare, quantity, ""), 0 if bare.zero_is_charged else 1))


def _cliffs(tiers: Table, total: Callable[[Decimal], Decimal], least: int) -> Iterable[Finding]:
    """The total can fall only where the band changes between two whole quantities; within a band it never does."""
    before = Decimal(least - 1)
    for last in sorted({_last_whole(bound, tiers.exclusive) for bound in tiers.bounds}):
        if last <= before:
            continue
        amount, next_amount = total(last), total(last + 1)
        if next_amount < amount:
            first = _dearer_from(total, before + 1, last, next_amount)
            units = decimal_text(last) if first == last else f"{decimal_text(first)} to {decimal_text(last)}"
            yield Finding(
                Fault.CLIFF,
                f"tiers[{band_of(tiers, last + 1).number - 1}]",
                f"{decimal_text(last + 1)} units cost {decimal_text(next_amount)}, less than {units} "
                f"(up to {decimal_text(amount)})",
                first,
                last,
                amount,
                next_amount,
            )
        before = last


def _last_whole(bound: Decimal, exclusive: bool) -> Decimal:
    """The largest whole quantity on the near side of a bound."""
    if exclusive:
        return bound.to_integral_value(ROUND_CEILING) - 1
    return bound.to_integral_value(ROUND_FLOOR)


def _dearer_from(total: Callable[[Decimal], Decimal], first: Decimal, last: Decimal, amount: Decimal) -> Decimal:
    """The smallest quantity from `first` to `last`, which costs more than an amount, from which on all do: by halving."""
    low, high = int(first), int(last)
    while low < high:
        middle = (low + high) // 2
        if total(Decimal(middle)) > amount:
            high = middle
        else:
            low = middle + 1
    return Decimal(low)
