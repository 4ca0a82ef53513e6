"""Prices as the tables of the demo write them, one function a charge model. Amounts are decimals in the book's currency."""

from decimal import ROUND_HALF_UP, Decimal

from revops.type.v1 import pricing_pb2 as pb

Band = tuple[str, str]
"""Upper bound of a tier ("" for the last one) and what a unit in it costs."""


def flat(amount: str) -> pb.Pricing:
    """One amount whatever the quantity."""
    return pb.Pricing(model=pb.CHARGE_MODEL_FLAT, amount=amount)


def per_unit(amount: str) -> pb.Pricing:
    """The same for every unit."""
    return pb.Pricing(model=pb.CHARGE_MODEL_PER_UNIT, amount=amount)


def graduated(*bands: Band) -> pb.Pricing:
    """Each unit costs what its own band says."""
    return _tiered(pb.CHARGE_MODEL_GRADUATED, bands)


def volume(*bands: Band) -> pb.Pricing:
    """All units cost what the band of the whole quantity says."""
    return _tiered(pb.CHARGE_MODEL_VOLUME, bands)


def package(amount: str, size: str, free: str = "") -> pb.Pricing:
    """Whole packages of `size` units, after `free` ones."""
    return pb.Pricing(model=pb.CHARGE_MODEL_PACKAGE, amount=amount, package_size=size, free_units=free)


def _tiered(model: pb.ChargeModel.ValueType, bands: tuple[Band, ...]) -> pb.Pricing:
    tiers = [pb.Tier(up_to=up_to, unit_amount=amount) for up_to, amount in bands]
    return pb.Pricing(model=model, tiers=tiers, tier_bound=pb.TIER_BOUND_INCLUSIVE)


def times(pricing: pb.Pricing, factor: str) -> pb.Pricing:
    """The same price in another book: every amount multiplied, with as many decimals as before."""
    scaled = pb.Pricing()
    scaled.CopyFrom(pricing)
    scaled.amount = _times(pricing.amount, factor)
    for tier in scaled.tiers:
        tier.unit_amount = _times(tier.unit_amount, factor)
    return scaled


def _times(amount: str, factor: str) -> str:
    if not amount:
        return ""
    exact = Decimal(amount)
    return str((exact * Decimal(factor)).quantize(exact, ROUND_HALF_UP))
