"""The monotonicity linter: finds prices that are valid but punish buying less or reward buying more than needed.

Only VOLUME can: there a new tier reprices every unit, so one more unit may lower the total (a cliff). Under the other
models each unit adds at least 0. Amounts are unrounded, in the currency of the charge; quantities are whole units.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, decimal_text
from revops_mesh.pricing.charge import InvalidPricing, check
from revops_mesh.pricing.tiers import Table, band_of, table


class Finding(NamedTuple):
    """A cliff: every quantity from `first` to `last` costs more than the larger quantity `last` + 1.

    `field` is the tier that quantity `last` + 1 falls in, `amount` what `last` costs and `next_amount` what one more.
    """

    field: str
    description: str
    first: Decimal
    last: Decimal
    amount: Decimal
    next_amount: Decimal


def lint(pricing: pricing_pb2.Pricing) -> list[Finding]:
    """Every cliff of a pricing, by rising quantity; empty under every model but VOLUME. Raises InvalidPricing."""
    if violations := check(pricing):
        raise InvalidPricing(violations)
    if pricing.model != pricing_pb2.CHARGE_MODEL_VOLUME:
        return []
    with localcontext(EXACT):
        return _cliffs(table(pricing))


def _cliffs(tiers: Table) -> list[Finding]:
    """The total can fall only where the band changes between two whole quantities."""
    findings = []
    before = Decimal(0)
    for last in sorted({_last_whole(bound, tiers.exclusive) for bound in tiers.bounds} - {before}):
        amount, next_amount = _total(tiers, last), _total(tiers, last + 1)
        if next_amount < amount:
            first = max(before + 1, _dearer_from(tiers, last, next_amount))
            units = decimal_text(last) if first == last else f"{decimal_text(first)} to {decimal_text(last)}"
            findings.append(
                Finding(
                    f"tiers[{band_of(tiers, last + 1).number - 1}]",
                    f"{decimal_text(last + 1)} units cost {decimal_text(next_amount)}, less than {units} "
                    f"(up to {decimal_text(amount)})",
                    first,
                    last,
                    amount,
                    next_amount,
                )
            )
        before = last
    return findings


def _last_whole(bound: Decimal, exclusive: bool) -> Decimal:
    """The largest whole quantity on the near side of a bound."""
    if exclusive:
        return bound.to_integral_value(ROUND_CEILING) - 1
    return bound.to_integral_value(ROUND_FLOOR)


def _total(tiers: Table, quantity: Decimal) -> Decimal:
    band = band_of(tiers, quantity)
    return quantity * band.unit_amount + band.flat_amount


def _dearer_from(tiers: Table, last: Decimal, next_amount: Decimal) -> Decimal:
    """The smallest whole quantity that, at the prices of `last`'s band, costs more than `next_amount`."""
    band = band_of(tiers, last)
    if band.flat_amount > next_amount:
        return Decimal(1)
    return (next_amount - band.flat_amount) // band.unit_amount + 1
