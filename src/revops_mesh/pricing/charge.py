"""The list amount of one charge, under any charge model.

Pure: the same pricing, basis and currency give the same amount and the same proof. Arithmetic is exact. Rounding happens
once, at the end, to the currency's minor unit, unless the pricing says that units or documents are rounded. A quantity of
0 costs 0 under every model unless the pricing says that it is charged: reducing a line to 0 is how people take it off, and
a fee on a line of nothing would be the surprise. What is committed is due all the same.
"""

from decimal import Decimal, localcontext
from functools import lru_cache

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import (
    EXACT,
    InvalidNumber,
    decimal_rounding,
    decimal_text,
    intermediate,
    minor_unit,
    money_text,
    rounding_text,
)
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.limits import limited, with_true_up
from revops_mesh.pricing.models.table import MODELS
from revops_mesh.pricing.terms import Basis, Limits, Terms, needed
from revops_mesh.pricing.tiers import check_tiers, table
from revops_mesh.pricing.violations import InvalidTerms, Violation, check_decimal, check_limits

__all__ = ["MODELS", "Basis", "InvalidPricing", "Terms", "amount_of", "check", "exact_of", "parsed", "price", "unit_price"]

UNIT, LINE, DOCUMENT = (
    pricing_pb2.ROUNDING_PLACE_UNIT,
    pricing_pb2.ROUNDING_PLACE_LINE,
    pricing_pb2.ROUNDING_PLACE_DOCUMENT,
)
_ZERO = Decimal(0)
_AMOUNTS = (
    "amount",
    "free_units",
    "rate",
    "event_amount",
    "free_amount",
    "included_units",
    "overage_amount",
    "minimum_amount",
    "maximum_amount",
    "committed_amount",
)
_MODEL_FIELDS = (*_AMOUNTS[:1], "tiers", "tier_bound", "package_size", *_AMOUNTS[1:], "free_events", "zero_quantity")


class InvalidPricing(InvalidTerms):
    """A pricing that `check` finds fault with; `violations` lists every fault."""


def check(pricing: pricing_pb2.Pricing) -> list[Violation]:
    """Everything that is wrong with a pricing; empty if it can be used. A field its model does not use is refused,
    because whoever filled it in expects an effect.
    """
    model = MODELS.get(pricing.model)
    if model is None:
        return [Violation("model", f"must be one of {', '.join(known.name for known in MODELS.values())}")]
    found: list[Violation] = []
    for field in _MODEL_FIELDS:
        given = bool(getattr(pricing, field))
        if given and field not in model.required | model.optional:
            found.append(Violation(field, f"is not used by {model.name}; leave it empty"))
        if not given and field in model.required:
            found.append(Violation(field, f"is required by {model.name}"))
    for field in _AMOUNTS:
        found += check_decimal(getattr(pricing, field), field)
    found += check_decimal(pricing.package_size, "package_size", positive=True)
    found += check_limits(pricing, "", "minimum_amount", "maximum_amount")
    found += check_limits(pricing, "", "committed_amount", "maximum_amount")
    if pricing.free_events < 0:
        found.append(Violation("free_events", f"must be at least 0, got {pricing.free_events}"))
    found += _check_conventions(pricing)
    return found + list(check_tiers(pricing, model.tier_fields))


def _check_conventions(pricing: pricing_pb2.Pricing) -> list[Violation]:
    found = []
    if pricing.tier_bound not in pricing_pb2.TierBound.values():
        found.append(Violation("tier_bound", "must be INCLUSIVE or EXCLUSIVE"))
    if pricing.rounding not in pricing_pb2.Rounding.values():
        found.append(Violation("rounding", "must be HALF_UP, HALF_EVEN, UP or DOWN"))
    if pricing.rounding_place not in pricing_pb2.RoundingPlace.values():
        found.append(Violation("rounding_place", "must be UNIT, LINE or DOCUMENT"))
    if pricing.zero_quantity not in pricing_pb2.ZeroQuantity.values():
        found.append(Violation("zero_quantity", "must be FREE or CHARGED"))
    return found


def price(pricing: pricing_pb2.Pricing, basis: Decimal | Basis, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """The list amount of a quantity, or of whatever else the model needs, at the minor unit of `currency` unless the
    pricing is rounded by document: then at 12 decimals. Its steps go to `proof`.

    Steps, by code: "unit" if rounding changed a unit price; "flat", "units", "tier" and "tier_limit" (for each band that is
    reached), "packages", "included", "overage", "rate", "events", "zero"; "minimum" or "maximum", "true_up"; and "round" if
    rounding changed the amount. Raises InvalidPricing, UnknownCurrency, and InvalidNumber for what is negative or missing.
    """
    with localcontext(EXACT):
        return amount_of(parsed(pricing), basis, currency, proof)


def parsed(pricing: pricing_pb2.Pricing) -> Terms:
    """The parsed terms of a pricing. Raises InvalidPricing."""
    return _terms(pricing.SerializeToString(deterministic=True))


def amount_of(terms: Terms, basis: Decimal | Basis, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """As `price`; call it inside `localcontext(EXACT)`."""
    of_units = terms.plain
    if of_units is not None and isinstance(basis, Decimal) and basis.is_finite() and basis > _ZERO:
        exact = of_units(terms, basis, currency, proof)
    else:
        exact = exact_of(terms, basis, currency, proof)
    if terms.place != DOCUMENT:
        amount = exact.quantize(minor_unit(currency), terms.rounding)
        place = ""
    else:
        minor_unit(currency)
        amount = intermediate(exact)
        place = "HALF_UP 0.000000000001"
    if proof is not None and amount != exact:
        proof.step("round", decimal_text(exact), amount, place or rounding_text(terms.rounding_mode, currency))
    return amount


def exact_of(terms: Terms, basis: Decimal | Basis, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """As `amount_of`, before the amount is rounded."""
    if terms.place == UNIT:
        terms = _with_rounded_units(terms, currency, proof)
    model = terms.model
    if (of_units := model.of_units) is not None:
        quantity = basis if isinstance(basis, Decimal) else needed(basis.quantity, "quantity", model)
        if not quantity.is_finite() or quantity < 0:
            raise InvalidNumber("quantity", f"must be at least 0, got {quantity}")
        if quantity or terms.zero_is_charged:
            exact = of_units(terms, quantity, currency, proof)
            reached = True
        else:
            exact, reached = _ZERO, False
            if proof is not None:
                proof.step("zero", "nothing at quantity 0", exact)
    else:
        if model.of_money is None or isinstance(basis, Decimal):
            raise InvalidNumber("amount", f"is required by {model.name}; a quantity is not an amount")
        exact = model.of_money(terms, basis, currency, proof)
        reached = True
    if terms.limits is None:
        return exact
    return _within(terms.limits, exact, reached, basis, currency, proof)


def unit_price(pricing: pricing_pb2.Pricing, quantity: Decimal) -> Decimal:
    """What one of `quantity` units costs on average, in the charge's currency: before rounding to its minor unit, at
    12 decimals, within the minimum and maximum, without a true-up.

    Raises InvalidPricing, and InvalidNumber for a quantity that is not above 0 and for a model without units.
    """
    terms = parsed(pricing)
    if not quantity.is_finite() or quantity <= 0:
        raise InvalidNumber("quantity", f"must be above 0, got {quantity}")
    if terms.model.of_units is None:
        raise InvalidNumber("quantity", f"is not what {terms.model.name} multiplies")
    with localcontext(EXACT):
        amount = terms.model.of_units(terms, quantity, "", None)
        return intermediate((limited(terms.limits, amount, "") if terms.limits else amount) / quantity)


def _within(
    limits: Limits, exact: Decimal, reached: bool, basis: Decimal | Basis, currency: str, proof: ProofBuilder | None
) -> Decimal:
    """The amount within its limits, which hold only for what was bought, and topped up to what is committed."""
    if reached:
        exact = limited(limits, exact, currency, proof)
    if limits.committed is None:
        return exact
    share = Basis().share if isinstance(basis, Decimal) else basis.share
    return with_true_up(limits.committed, exact, share, currency, proof)


def _with_rounded_units(terms: Terms, currency: str, proof: ProofBuilder | None) -> Terms:
    """The same terms, the prices of units and packages rounded to the minor unit."""

    def rounded(field: str, exact: Decimal) -> Decimal:
        amount = exact.quantize(minor_unit(currency), terms.rounding)
        if proof is not None and amount != exact:
            text = f"{field} {money_text(exact, currency)}"
            proof.step("unit", text, amount, rounding_text(terms.rounding_mode, currency))
        return amount

    if terms.model.of_money is not None:
        return terms
    bands = tuple(band._replace(unit_amount=rounded(f"tier {band.number}", band.unit_amount)) for band in terms.tiers.bands)
    return terms._replace(
        amount=rounded("unit", terms.amount),
        overage_amount=rounded("overage", terms.overage_amount),
        tiers=terms.tiers._replace(bands=bands),
    )


@lru_cache(maxsize=1024)
def _terms(serialized: bytes) -> Terms:
    """The parsed terms of a serialized pricing. The bytes are only a cache key: equal bytes are equal prices, so an
    entry can never be stale.
    """
    pricing = pricing_pb2.Pricing.FromString(serialized)
    if violations := check(pricing):
        raise InvalidPricing(violations)
    model = MODELS[pricing.model]
    limits = Limits(*map(_optional, (pricing.minimum_amount, pricing.maximum_amount, pricing.committed_amount)))
    has_limits = any(limit is not None for limit in limits)
    return Terms(
        model=model,
        plain=None if has_limits or pricing.rounding_place in (UNIT, DOCUMENT) else model.of_units,
        rounding=decimal_rounding(pricing.rounding),
        rounding_mode=pricing.rounding,
        place=pricing.rounding_place,
        zero_is_charged=pricing.zero_quantity == pricing_pb2.ZERO_QUANTITY_CHARGED,
        limits=limits if has_limits else None,
        amount=Decimal(pricing.amount or 0),
        tiers=table(pricing),
        package_size=Decimal(pricing.package_size or 0),
        free_units=Decimal(pricing.free_units or 0),
        rate=Decimal(pricing.rate or 0),
        event_amount=Decimal(pricing.event_amount or 0),
        free_events=pricing.free_events,
        free_amount=_optional(pricing.free_amount),
        included_units=Decimal(pricing.included_units or 0),
        overage_amount=Decimal(pricing.overage_amount or 0),
    )


def _optional(text: str) -> Decimal | None:
    return Decimal(text) if text else None
