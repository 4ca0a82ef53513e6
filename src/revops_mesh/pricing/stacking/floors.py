"""Floors: net amounts that no discount undercuts, from a price or from a margin."""

from decimal import ROUND_CEILING, Decimal, localcontext

from revops.type.v1 import discount_pb2 as pb

from revops_mesh.numbers.money import EXACT, InvalidNumber, minor_unit
from revops_mesh.pricing.stacking.rules import InvalidRule
from revops_mesh.pricing.violations import Violation, check_decimal


def check(floor: pb.PriceFloor) -> list[Violation]:
    """Everything that is wrong with a floor; empty if it can be used."""
    return [
        *check_decimal(floor.unit_price, "unit_price"),
        *check_decimal(floor.margin_rate, "margin_rate", below=Decimal(1)),
    ]


def floor_of(floor: pb.PriceFloor, quantity: Decimal, cost: Decimal | None, currency: str) -> Decimal:
    """The least net amount of a line of so many units, rounded up to the minor unit so that it is not undercut either.

    `cost` is that of the whole line. Raises InvalidRule, UnknownCurrency, and InvalidNumber for a cost that the margin
    needs and is unknown or negative.
    """
    if violations := check(floor):
        raise InvalidRule(violations)
    unit = minor_unit(currency)
    with localcontext(EXACT):
        amount = quantity * Decimal(floor.unit_price or 0)
        if floor.margin_rate:
            if cost is None or not cost.is_finite() or cost < 0:
                raise InvalidNumber("cost", f"is required by a floor on the margin, at least 0, got {cost}")
            amount = max(amount, cost / (1 - Decimal(floor.margin_rate)))
        return amount.quantize(unit, ROUND_CEILING)
