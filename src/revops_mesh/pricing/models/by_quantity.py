"""Charge models that multiply a quantity: flat, per unit, packages, overage."""

from decimal import Decimal

from revops_mesh.numbers.money import decimal_text, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.terms import Terms
from revops_mesh.pricing.tiers import started

_ZERO = Decimal(0)


def flat(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """The amount, whatever the quantity."""
    if proof is not None:
        proof.step("flat", f"{money_text(terms.amount, currency)} flat", terms.amount)
    return terms.amount


def per_unit(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """Quantity × amount."""
    amount = quantity * terms.amount
    if proof is not None:
        proof.step("units", f"{decimal_text(quantity)} × {money_text(terms.amount, currency)}", amount)
    return amount


def package(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """Started packages beyond the free units × amount."""
    packages = started(max(quantity - terms.free_units, _ZERO), terms.package_size)
    amount = packages * terms.amount
    if proof is not None:
        paid = f"({decimal_text(quantity)} − {decimal_text(terms.free_units)} free)"
        proof.step("packages", f"{paid} ÷ {decimal_text(terms.package_size)}, started ones included", packages)
        proof.step("units", f"{decimal_text(packages)} × {money_text(terms.amount, currency)}", amount)
    return amount


def overage(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    """The amount of the included units + units, or started packages, beyond them × overage amount."""
    beyond = max(quantity - terms.included_units, _ZERO)
    units = started(beyond, terms.package_size) if terms.package_size else beyond
    amount = terms.amount + units * terms.overage_amount
    if proof is not None:
        included = f"{money_text(terms.amount, currency)} for {decimal_text(terms.included_units)} included"
        proof.step("included", included, terms.amount)
        if units:
            packed = f" packages of {decimal_text(terms.package_size)}" if terms.package_size else ""
            price = f"{decimal_text(units)}{packed} × {money_text(terms.overage_amount, currency)}"
            proof.step("overage", f"{money_text(terms.amount, currency)} + {price}", amount)
    return amount
