"""Tier tables: which band a quantity falls in, how many of its units, and what a band adds.

A bound follows the table's own convention, because the systems that tables come from differ: INCLUSIVE (Stripe, Lago)
keeps a quantity equal to `up_to` in the band, EXCLUSIVE (Salesforce) puts it into the next. Bands follow one another,
so neither gaps nor overlaps can be written down. Amounts are in the currency of the charge, quantities in its unit; under
GRADUATED_PERCENTAGE a table divides an amount of money, and the price of a unit is a rate.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.pricing.violations import Violation, check_decimal, check_limits

_ZERO = Decimal(0)
_TIERED_OVERAGE = pricing_pb2.CHARGE_MODEL_TIERED_OVERAGE
_COUNTS_UNITS = frozenset({pricing_pb2.CHARGE_MODEL_GRADUATED, _TIERED_OVERAGE})


class Band(NamedTuple):
    """One tier, parsed: `number` from 1, `up_to` None in the last."""

    number: int
    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal
    package_size: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    def charged_units(self, units: Decimal) -> Decimal:
        """Units as they are multiplied: started packages, if the band counts in packages."""
        return units if self.package_size is None else started(units, self.package_size)

    def clamped(self, amount: Decimal) -> Decimal:
        """What the band adds, within its own limits."""
        if self.minimum is not None and amount < self.minimum:
            return self.minimum
        if self.maximum is not None and amount > self.maximum:
            return self.maximum
        return amount


class Table(NamedTuple):
    """The bands of a charge in ascending order, and how their bounds are read."""

    bands: tuple[Band, ...]
    bounds: tuple[Decimal, ...]
    exclusive: bool


def table(pricing: pricing_pb2.Pricing) -> Table:
    """The tiers of a pricing that `check_tiers` found nothing wrong with; the overage of TIERED_OVERAGE is the last band."""
    bands = [
        Band(
            number,
            _optional(tier.up_to),
            Decimal(tier.unit_amount or tier.rate or 0),
            Decimal(tier.flat_amount or 0),
            _optional(tier.package_size),
            _optional(tier.minimum_amount),
            _optional(tier.maximum_amount),
        )
        for number, tier in enumerate(pricing.tiers, 1)
    ]
    if pricing.model == _TIERED_OVERAGE:
        bands.append(Band(len(bands) + 1, None, Decimal(pricing.overage_amount), _ZERO))
    bounds = tuple(band.up_to for band in bands if band.up_to is not None)
    return Table(tuple(bands), bounds, pricing.tier_bound == pricing_pb2.TIER_BOUND_EXCLUSIVE)


def started(units: Decimal, package_size: Decimal) -> Decimal:
    """Packages of a size that so many units begin."""
    whole, rest = divmod(units, package_size)
    return whole + 1 if rest else whole


def band_of(table: Table, quantity: Decimal) -> Band:
    """The band of a whole quantity, for VOLUME, STAIR_STEP and CUMULATIVE_BLOCK."""
    find = bisect_right if table.exclusive else bisect_left
    return table.bands[find(table.bounds, quantity)]


def units_by_band(table: Table, quantity: Decimal) -> Iterator[tuple[Band, Decimal]]:
    """The bands a quantity reaches and its units in each, for GRADUATED and TIERED_OVERAGE; the first is always reached.

    Under EXCLUSIVE the unit numbered `up_to` is the first of the next band: a bound of 11 leaves 10 units below it, as
    a Salesforce slab does. A started unit belongs where its whole number does.
    """
    below = _ZERO
    for band in table.bands:
        if quantity <= below and band.number > 1:
            return
        end = band.up_to
        if end is not None and table.exclusive:
            end -= 1
        upper = quantity if end is None or quantity < end else end
        yield band, upper - below
        below = upper


def money_by_band(table: Table, amount: Decimal) -> Iterator[tuple[Band, Decimal]]:
    """The bands an amount of money reaches and its part in each, for GRADUATED_PERCENTAGE.

    Money has no last unit: the conventions differ only in whether an amount equal to a bound reaches the next band.
    """
    below = _ZERO
    for band in table.bands[: band_of(table, amount).number]:
        upper = amount if band.up_to is None else min(amount, band.up_to)
        yield band, upper - below
        below = upper


def check_tiers(pricing: pricing_pb2.Pricing, used: frozenset[str]) -> Iterator[Violation]:
    """What is wrong with the tiers of a pricing whose model uses these fields of them, beside `up_to`."""
    counts_units = pricing.model in _COUNTS_UNITS and pricing.tier_bound == pricing_pb2.TIER_BOUND_EXCLUSIVE
    # Counting units starts at 1, so a graduated band up to 1, exclusive, would hold nothing.
    before = Decimal(1) if counts_units else _ZERO
    for index, tier in enumerate(pricing.tiers):
        path = f"tiers[{index}]"
        yield from _check_amounts(tier, path, used)
        if index == len(pricing.tiers) - 1 and pricing.model != _TIERED_OVERAGE:
            if tier.up_to:
                yield Violation(f"{path}.up_to", "must be empty in the last tier, which is open")
        elif not tier.up_to:
            exempt = "" if pricing.model == _TIERED_OVERAGE else " but the last"
            yield Violation(f"{path}.up_to", f"is required in every tier{exempt}")
        elif wrong := list(check_decimal(tier.up_to, f"{path}.up_to", positive=True)):
            yield from wrong
        else:
            bound = Decimal(tier.up_to)
            if bound <= before:
                yield Violation(f"{path}.up_to", f"must be above {before}, got {tier.up_to}")
            elif counts_units and bound % 1:
                yield Violation(f"{path}.up_to", f"must be whole: EXCLUSIVE counts units, got {tier.up_to}")
            before = max(before, bound)


def _check_amounts(tier: pricing_pb2.Tier, path: str, used: frozenset[str]) -> Iterator[Violation]:
    for field in ("unit_amount", "flat_amount", "rate", "package_size", "minimum_amount", "maximum_amount"):
        if not (text := getattr(tier, field)):
            continue
        if used and field not in used:
            yield Violation(f"{path}.{field}", "is not used by the model; leave it empty")
        yield from check_decimal(text, f"{path}.{field}", positive=field == "package_size")
    yield from check_limits(tier, f"{path}.", "minimum_amount", "maximum_amount")


def _optional(text: str) -> Decimal | None:
    return Decimal(text) if text else None
