"""Tier tables: which band a quantity falls in, and how many of its units.

A bound follows the table's own convention, because the systems that tables come from differ: INCLUSIVE (Stripe, Lago)
keeps a quantity equal to `up_to` in the band, EXCLUSIVE (Salesforce) puts it into the next. Bands follow one another,
so neither gaps nor overlaps can be written down. Amounts are in the currency of the charge, quantities in its unit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import InvalidNumber, parse

_ZERO = Decimal(0)


class Violation(NamedTuple):
    """What is wrong with a field of a contract message; `field` is its path, as in "tiers[1].up_to"."""

    field: str
    description: str


class Band(NamedTuple):
    """One tier, parsed: `number` from 1, `up_to` None in the last."""

    number: int
    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal


class Table(NamedTuple):
    """The bands of a charge in ascending order, and how their bounds are read."""

    bands: tuple[Band, ...]
    bounds: tuple[Decimal, ...]
    exclusive: bool


def table(pricing: pricing_pb2.Pricing) -> Table:
    """The tiers of a pricing that `check_tiers` found nothing wrong with."""
    bands = tuple(
        Band(
            number,
            Decimal(tier.up_to) if tier.up_to else None,
            Decimal(tier.unit_amount or 0),
            Decimal(tier.flat_amount or 0),
        )
        for number, tier in enumerate(pricing.tiers, 1)
    )
    bounds = tuple(band.up_to for band in bands if band.up_to is not None)
    return Table(bands, bounds, pricing.tier_bound == pricing_pb2.TIER_BOUND_EXCLUSIVE)


def band_of(table: Table, quantity: Decimal) -> Band:
    """The band of a whole quantity, for VOLUME."""
    find = bisect_right if table.exclusive else bisect_left
    return table.bands[find(table.bounds, quantity)]


def units_by_band(table: Table, quantity: Decimal) -> Iterator[tuple[Band, Decimal]]:
    """The bands a quantity reaches and its units in each, for GRADUATED.

    Under EXCLUSIVE the unit numbered `up_to` is the first of the next band: a bound of 11 leaves 10 units below it, as
    a Salesforce slab does. A started unit belongs where its whole number does.
    """
    below = _ZERO
    for band in table.bands:
        if quantity <= below:
            return
        end = band.up_to
        if end is not None and table.exclusive:
            end -= 1
        upper = quantity if end is None or quantity < end else end
        yield band, upper - below
        below = upper


def check_tiers(pricing: pricing_pb2.Pricing) -> Iterator[Violation]:
    """What is wrong with the tiers of a GRADUATED or VOLUME pricing."""
    counts_units = pricing.model == pricing_pb2.CHARGE_MODEL_GRADUATED and pricing.tier_bound == pricing_pb2.TIER_BOUND_EXCLUSIVE
    # Counting units starts at 1, so a graduated band up to 1, exclusive, would hold nothing.
    before = Decimal(1) if counts_units else _ZERO
    for index, tier in enumerate(pricing.tiers):
        path = f"tiers[{index}]"
        yield from check_decimal(tier.unit_amount, f"{path}.unit_amount")
        yield from check_decimal(tier.flat_amount, f"{path}.flat_amount")
        if index == len(pricing.tiers) - 1:
            if tier.up_to:
                yield Violation(f"{path}.up_to", "must be empty in the last tier, which is open")
        elif not tier.up_to:
            yield Violation(f"{path}.up_to", "is required in every tier but the last")
        elif wrong := list(check_decimal(tier.up_to, f"{path}.up_to", positive=True)):
            yield from wrong
        else:
            bound = Decimal(tier.up_to)
            if bound <= before:
                yield Violation(f"{path}.up_to", f"must be above {before}, got {tier.up_to}")
            elif counts_units and bound % 1:
                yield Violation(f"{path}.up_to", f"must be whole: EXCLUSIVE counts units, got {tier.up_to}")
            before = max(before, bound)


def check_decimal(text: str, path: str, *, positive: bool = False) -> Iterator[Violation]:
    """Whether an optional field is a decimal of at least 0, or above 0 if `positive`; an empty one is."""
    if not text:
        return
    try:
        value = parse(text, path)
    except InvalidNumber as wrong:
        yield Violation(path, wrong.reason)
        return
    if value < 0 or (positive and not value):
        yield Violation(path, f"must be {'above' if positive else 'at least'} 0, got {text}")
