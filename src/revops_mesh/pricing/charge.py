"""The list amount of one charge: a table of charge models, one function each.

Pure: the same pricing, quantity and currency give the same amount and the same proof. Arithmetic is exact and rounding
happens once, at the end, to the currency's minor unit, as the pricing says. A quantity of 0 costs 0 under every model,
FLAT included: reducing a line to 0 is how people take it off, and a fee on a line of nothing would be the surprise.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import (
    EXACT,
    InvalidNumber,
    decimal_text,
    intermediate,
    minor_unit,
    money_text,
    rounded,
    rounding_text,
)
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.tiers import (
    Band,
    Table,
    Violation,
    band_of,
    check_decimal,
    check_tiers,
    table,
    units_by_band,
)


class InvalidPricing(ValueError):
    """A pricing that `check` finds fault with; `violations` lists every fault."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("; ".join(f"{field}: {description}" for field, description in violations))
        self.violations = violations


class Terms(NamedTuple):
    """A pricing that passed `check`, its numbers parsed."""

    model: "Model"
    amount: Decimal
    tiers: Table
    package_size: Decimal
    free_units: Decimal
    rounding: pricing_pb2.Rounding.ValueType


class Model(NamedTuple):
    """One way an amount follows from a quantity above 0: the fields it needs, those it may use, and its arithmetic.

    `exact` is not rounded; it records its steps if given a proof. The currency only formats them.
    """

    required: frozenset[str]
    optional: frozenset[str]
    exact: Callable[[Terms, Decimal, str, ProofBuilder | None], Decimal]


def check(pricing: pricing_pb2.Pricing) -> list[Violation]:
    """Everything that is wrong with a pricing; empty if it can be used. A field its model does not use is refused,
    because whoever filled it in expects an effect.
    """
    model = MODELS.get(pricing.model)
    if model is None:
        known = ", ".join(_model_name(number) for number in MODELS)
        return [Violation("model", f"must be one of {known}")]
    name = _model_name(pricing.model)
    found: list[Violation] = []
    for field in ("amount", "tiers", "tier_bound", "package_size", "free_units"):
        given = bool(getattr(pricing, field))
        if given and field not in model.required | model.optional:
            found.append(Violation(field, f"is not used by {name}; leave it empty"))
        if not given and field in model.required:
            found.append(Violation(field, f"is required by {name}"))
    found += check_decimal(pricing.amount, "amount")
    found += check_decimal(pricing.package_size, "package_size", positive=True)
    found += check_decimal(pricing.free_units, "free_units")
    if pricing.tier_bound not in pricing_pb2.TierBound.values():
        found.append(Violation("tier_bound", "must be INCLUSIVE or EXCLUSIVE"))
    if pricing.rounding not in pricing_pb2.Rounding.values():
        found.append(Violation("rounding", "must be HALF_UP, HALF_EVEN, UP or DOWN"))
    return found + list(check_tiers(pricing))


def price(pricing: pricing_pb2.Pricing, quantity: Decimal, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """The list amount of `quantity` units, at the minor unit of `currency`; its steps go to `proof`.

    Steps, by code: "flat", "units", "tier" (one a band reached), "packages", "zero", and "round" if rounding changed
    the amount. Raises InvalidPricing, UnknownCurrency, and InvalidNumber for a negative quantity.
    """
    with localcontext(EXACT):
        return amount_of(parsed(pricing), quantity, currency, proof)


def parsed(pricing: pricing_pb2.Pricing) -> Terms:
    """The parsed terms of a pricing. Raises InvalidPricing."""
    return _terms(pricing.SerializeToString(deterministic=True))


def amount_of(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """As `price`; call it inside `localcontext(EXACT)`."""
    if not quantity.is_finite() or quantity < 0:
        raise InvalidNumber("quantity", f"must be at least 0, got {quantity}")
    if not quantity:
        if proof is not None:
            proof.step("zero", "nothing at quantity 0", Decimal(0))
        return 0 * minor_unit(currency)
    exact = terms.model.exact(terms, quantity, currency, proof)
    amount = rounded(exact, currency, terms.rounding)
    if proof is not None and amount != exact:
        proof.step("round", decimal_text(exact), amount, rounding_text(terms.rounding, currency))
    return amount


def unit_price(pricing: pricing_pb2.Pricing, quantity: Decimal) -> Decimal:
    """What one of `quantity` units costs on average, in the charge's currency: before rounding to its minor unit, at
    12 decimals. Raises InvalidPricing, and InvalidNumber for a quantity that is not above 0.
    """
    terms = _terms(pricing.SerializeToString(deterministic=True))
    if not quantity.is_finite() or quantity <= 0:
        raise InvalidNumber("quantity", f"must be above 0, got {quantity}")
    with localcontext(EXACT):
        return intermediate(terms.model.exact(terms, quantity, "", None) / quantity)


@lru_cache(maxsize=1024)
def _terms(serialized: bytes) -> Terms:
    """The parsed terms of a serialized pricing. The bytes are only a cache key: equal bytes are equal prices, so an
    entry can never be stale.
    """
    pricing = pricing_pb2.Pricing.FromString(serialized)
    if violations := check(pricing):
        raise InvalidPricing(violations)
    return Terms(
        MODELS[pricing.model],
        Decimal(pricing.amount or 0),
        table(pricing),
        Decimal(pricing.package_size or 1),
        Decimal(pricing.free_units or 0),
        pricing.rounding,
    )


def _flat(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    if proof is not None:
        proof.step("flat", f"{money_text(terms.amount, currency)} flat", terms.amount)
    return terms.amount


def _per_unit(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    amount = quantity * terms.amount
    if proof is not None:
        proof.step("units", f"{decimal_text(quantity)} × {money_text(terms.amount, currency)}", amount)
    return amount


def _graduated(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    amount = Decimal(0)
    for band, units in units_by_band(terms.tiers, quantity):
        before = amount
        amount += units * band.unit_amount + band.flat_amount
        if proof is not None:
            proof.step("tier", _in_band(band, units, currency, before), amount)
    return amount


def _volume(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    band = band_of(terms.tiers, quantity)
    amount = quantity * band.unit_amount + band.flat_amount
    if proof is not None:
        proof.step("tier", _in_band(band, quantity, currency, Decimal(0)), amount)
    return amount


def _package(terms: Terms, quantity: Decimal, currency: str, proof: ProofBuilder | None) -> Decimal:
    packages, started = divmod(max(quantity - terms.free_units, Decimal(0)), terms.package_size)
    if started:
        packages += 1
    amount = packages * terms.amount
    if proof is not None:
        paid = f"({decimal_text(quantity)} − {decimal_text(terms.free_units)} free)"
        proof.step("packages", f"{paid} ÷ {decimal_text(terms.package_size)}, started ones included", packages)
        proof.step("units", f"{decimal_text(packages)} × {money_text(terms.amount, currency)}", amount)
    return amount


def _in_band(band: Band, units: Decimal, currency: str, before: Decimal) -> str:
    """The step of a band as a person would write it: "tier 2: 10.00 + 9000 × 0.008 + 5.00"."""
    carried = f"{money_text(before, currency)} + " if before else ""
    flat = f" + {money_text(band.flat_amount, currency)}" if band.flat_amount else ""
    return f"tier {band.number}: {carried}{decimal_text(units)} × {money_text(band.unit_amount, currency)}{flat}"


def _model_name(model: int) -> str:
    """PER_UNIT for CHARGE_MODEL_PER_UNIT."""
    return pricing_pb2.ChargeModel.Name(model).removeprefix("CHARGE_MODEL_")  # type: ignore[arg-type]


_TIERED = frozenset({"tiers", "tier_bound"})
_AMOUNT = frozenset({"amount"})
_NONE: frozenset[str] = frozenset()

MODELS: dict[int, Model] = {
    pricing_pb2.CHARGE_MODEL_FLAT: Model(_AMOUNT, _NONE, _flat),
    pricing_pb2.CHARGE_MODEL_PER_UNIT: Model(_AMOUNT, _NONE, _per_unit),
    pricing_pb2.CHARGE_MODEL_GRADUATED: Model(_TIERED, _NONE, _graduated),
    pricing_pb2.CHARGE_MODEL_VOLUME: Model(_TIERED, _NONE, _volume),
    pricing_pb2.CHARGE_MODEL_PACKAGE: Model(frozenset({"amount", "package_size"}), frozenset({"free_units"}), _package),
}
