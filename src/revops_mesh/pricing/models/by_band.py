"""Charge models with a tier table: graduated, volume, stair-step, cumulative block, tiered with overage."""

from decimal import Decimal

from revops_mesh.numbers.money import decimal_text, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.terms import Terms
from revops_mesh.pricing.tiers import Band, band_of, units_by_band

_ZERO = Decimal(0)


def graduated(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """Each band that is reached adds its units × its price + its flat amount, within its own limits."""
    amount = _ZERO
    for band, units in units_by_band(terms.tiers, quantity):
        amount = amount + _adds(band, units, amount, currency, proof)
    return amount


def volume(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """All units × the price of the band of the quantity + its flat amount, within its limits."""
    return _adds(band_of(terms.tiers, quantity), quantity, _ZERO, currency, proof)


def stair_step(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """The flat amount of the band of the quantity."""
    band = band_of(terms.tiers, quantity)
    if proof is not None:
        proof.step("tier", f"tier {band.number}: {money_text(band.flat_amount, currency)} flat", band.flat_amount)
    return band.flat_amount


def cumulative_block(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """The flat amounts of all bands up to the one of the quantity."""
    amount = _ZERO
    for band in terms.tiers.bands[: band_of(terms.tiers, quantity).number]:
        before, amount = amount, amount + band.flat_amount
        if proof is not None:
            flat = f"{_carried(before, currency)}{money_text(band.flat_amount, currency)} flat"
            proof.step("tier", f"tier {band.number}: {flat}", amount)
    return amount


def _adds(band: Band, units: Decimal, before: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """What a band adds to the amount before it."""
    charged = band.charged_units(units)
    own = charged * band.unit_amount + band.flat_amount
    added = band.clamped(own)
    if proof is not None:
        proof.step("tier", _in_band(band, charged, currency, before), before + own)
        if added != own:
            limit = "at least" if added > own else "at most"
            text = f"tier {band.number}: {_carried(before, currency)}{limit} {money_text(added, currency)}"
            proof.step("tier_limit", text, before + added)
    return added


def _in_band(band: Band, units: Decimal, currency: str, before: Decimal) -> str:
    """The step of a band as a person would write it: "tier 2: 10.00 + 9000 × 0.008 + 5.00"."""
    flat = f" + {money_text(band.flat_amount, currency)}" if band.flat_amount else ""
    packed = "" if band.package_size is None else f" packages of {decimal_text(band.package_size)}"
    price = f"{decimal_text(units)}{packed} × {money_text(band.unit_amount, currency)}"
    return f"tier {band.number}: {_carried(before, currency)}{price}{flat}"


def _carried(before: Decimal, currency: str) -> str:
    return f"{money_text(before, currency)} + " if before else ""
