"""Tier tables from elsewhere: the rows of another system, read by its convention, as tiers of ours, and what would differ.

The systems disagree on what a bound says. Stripe's `up_to` is the last unit of its tier, and amounts are in minor units.
Salesforce writes the first unit of a tier and the first unit beyond it: 100 for a tier up to 99. Lago writes the first unit
and the last. Quantities are whole units.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import EXACT, InvalidNumber, decimal_text, minor_unit
from revops_mesh.pricing.charge import exact_of, parsed
from revops_mesh.pricing.linter import Fault, Finding


class Convention(NamedTuple):
    """How a system writes its rows."""

    bound: pb.TierBound.ValueType
    """Whether `upper` is the last unit of a row or the first beyond it."""
    between: int
    """First unit of a row − `upper` of the row before."""
    in_minor_units: bool = False
    """Whether amounts are cents."""


STRIPE = Convention(pb.TIER_BOUND_INCLUSIVE, 1, in_minor_units=True)
SALESFORCE = Convention(pb.TIER_BOUND_EXCLUSIVE, 0)
LAGO = Convention(pb.TIER_BOUND_INCLUSIVE, 1)


class Row(NamedTuple):
    """A tier as another system writes it; `lower` None if it writes none, `upper` None if the row is open."""

    lower: Decimal | None
    upper: Decimal | None
    unit_amount: Decimal = Decimal(0)
    flat_amount: Decimal = Decimal(0)


class Imported(NamedTuple):
    """The tiers of a pricing, and where the rows left gaps or overlapped: there the tiers had to choose."""

    tiers: list[pb.Tier]
    tier_bound: pb.TierBound.ValueType
    findings: list[Finding]


class Difference(NamedTuple):
    """A whole quantity that two pricings price differently, exact, in the currency of the charge."""

    quantity: Decimal
    one: Decimal
    other: Decimal


def imported(rows: Sequence[Row], convention: Convention, currency: str) -> Imported:
    """The tiers that rows in ascending order say, with the bounds of their own convention.

    A tier begins where the one before ends: units in a gap get the price of the row after it, units in an overlap that of
    the row before. Raises InvalidNumber: no rows; a row but the last is open; a bound is not above the one before;
    UnknownCurrency.
    """
    if not rows:
        raise InvalidNumber("rows", "must have at least one row")
    scale = minor_unit(currency) if convention.in_minor_units else Decimal(1)
    tiers: list[pb.Tier] = []
    findings: list[Finding] = []
    upper: Decimal | None = None
    with localcontext(EXACT):
        for index, row in enumerate(rows):
            findings += _against(row.lower, upper, convention, index)
            upper = _bound(row.upper, upper, index, is_last=index == len(rows) - 1)
            tiers.append(
                pb.Tier(
                    up_to="" if upper is None else decimal_text(upper),
                    unit_amount=decimal_text(row.unit_amount * scale),
                    flat_amount=decimal_text(row.flat_amount * scale),
                )
            )
    if upper is not None:
        last = upper + 1 if convention.bound == pb.TIER_BOUND_INCLUSIVE else upper
        findings.append(
            Finding(Fault.GAP, f"rows[{len(rows) - 1}]", f"units from {decimal_text(last)} on are in no row", last, None)
        )
    return Imported(tiers, convention.bound, findings)


def reread(pricing: pb.Pricing, bound: pb.TierBound.ValueType) -> pb.Pricing:
    """The same prices of all whole quantities, written by another convention: 10 INCLUSIVE is 11 EXCLUSIVE.

    Raises InvalidPricing for a pricing without tiers, and InvalidNumber for a bound that is not whole.
    """
    parsed(pricing)
    written = pb.Pricing()
    written.CopyFrom(pricing)
    written.tier_bound = bound
    if bound != pricing.tier_bound:
        step = 1 if bound == pb.TIER_BOUND_EXCLUSIVE else -1
        for index, tier in enumerate(written.tiers):
            if not tier.up_to:
                continue
            if (up_to := Decimal(tier.up_to)) % 1:
                raise InvalidNumber(f"tiers[{index}].up_to", f"must be whole to be written otherwise, got {tier.up_to}")
            tier.up_to = decimal_text(up_to + step)
    parsed(written)
    return written


def differences(one: pb.Pricing, other: pb.Pricing) -> list[Difference]:
    """Whole quantities around every bound of two pricings that they price differently, ascending: a report of what a change
    of prices or of their convention does. Raises InvalidPricing, and InvalidNumber for a model without units.
    """
    line = pb.ROUNDING_PLACE_LINE
    terms, others = parsed(one)._replace(place=line), parsed(other)._replace(place=line)
    bounds = {bound.to_integral_value() for bound in (*terms.tiers.bounds, *others.tiers.bounds)}
    quantities = sorted({bound + step for bound in bounds for step in (-1, 0, 1) if bound + step > 0} | {Decimal(1)})
    with localcontext(EXACT):
        prices = [Difference(each, exact_of(terms, each, ""), exact_of(others, each, "")) for each in quantities]
    return [price for price in prices if price.one != price.other]


def _against(lower: Decimal | None, before: Decimal | None, convention: Convention, index: int) -> Iterable[Finding]:
    """What lies between a row and the one before it. The first may begin at 0 or at 1."""
    if lower is None:
        return
    field = f"rows[{index}]"
    expected = Decimal(1) if before is None else before + convention.between
    if lower > expected:
        units = _units(expected, lower - 1)
        yield Finding(Fault.GAP, field, f"{units} in no row; the price of this one applies", expected, lower - 1)
    elif before is not None and lower < expected:
        units = _units(lower, expected - 1)
        yield Finding(Fault.OVERLAP, field, f"{units} in this row and before; the price before applies", lower, expected - 1)


def _bound(upper: Decimal | None, before: Decimal | None, index: int, *, is_last: bool) -> Decimal | None:
    if upper is None:
        if not is_last:
            raise InvalidNumber(f"rows[{index}].upper", "is required in every row but the last")
    elif upper <= (before or 0):
        raise InvalidNumber(f"rows[{index}].upper", f"must be above {before or 0}, got {upper}")
    return upper


def _units(first: Decimal, last: Decimal) -> str:
    if first == last:
        return f"unit {decimal_text(first)} is"
    return f"units {decimal_text(first)} to {decimal_text(last)} are"
