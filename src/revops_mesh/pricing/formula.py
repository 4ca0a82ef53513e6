"""Price formulas: the price of a book follows from that of its parent, or from the cost.

The order is that of Odoo's price lists: discount or markup, rounding step, surcharge, least margin, most margin; in the end
never below 0. Margins here are amounts above the base. Formulas compound: each book's price is a price of its own, with 12
decimals at most, and the next book's base. Amounts are in the currency of the books.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from revops.type.v1 import price_formula_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, InvalidNumber, decimal_rounding, decimal_text, intermediate, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.charge import parsed as parsed_pricing
from revops_mesh.pricing.violations import InvalidTerms, Violation, check_decimal, check_limits

MOST_FORMULAS = 8
"""How many formulas may follow one another."""

_ONE = Decimal(1)
_COST = pb.PriceFormula.BASE_COST
_ONE_PRICE = (
    pricing_pb2.CHARGE_MODEL_FLAT,
    pricing_pb2.CHARGE_MODEL_PER_UNIT,
    pricing_pb2.CHARGE_MODEL_PACKAGE,
)
_PRICES = ("amount", "event_amount", "overage_amount", "minimum_amount", "maximum_amount", "committed_amount")
_TIER_PRICES = ("unit_amount", "flat_amount", "minimum_amount", "maximum_amount")


class InvalidFormula(InvalidTerms):
    """A formula that `check` finds fault with; `violations` lists every fault."""


class Formula(NamedTuple):
    """A formula that passed `check`, its numbers parsed. The price is base × factor ÷ divisor, and so on."""

    from_cost: bool
    factor: Decimal
    divisor: Decimal
    step: Decimal | None
    rounding: str
    surcharge: Decimal
    min_margin: Decimal | None
    max_margin: Decimal | None

    @property
    def needs_one_price(self) -> bool:
        """Whether it can only be meant for a pricing with one price."""
        return self.from_cost or bool(self.surcharge) or self.min_margin is not None or self.max_margin is not None


def check(formula: pb.PriceFormula) -> list[Violation]:
    """Everything that is wrong with a formula; empty if it can be used."""
    found: list[Violation] = []
    if formula.base not in pb.PriceFormula.Base.values():
        found.append(Violation("base", "must be PARENT or COST"))
    if formula.rounding not in pricing_pb2.Rounding.values():
        found.append(Violation("rounding", "must be HALF_UP, HALF_EVEN, UP or DOWN"))
    found += check_decimal(formula.discount_rate, "discount_rate", most=_ONE)
    found += check_decimal(formula.markup_rate, "markup_rate")
    found += check_decimal(formula.margin_rate, "margin_rate", below=_ONE)
    found += check_decimal(formula.rounding_step, "rounding_step", positive=True)
    for field in ("surcharge", "min_margin", "max_margin"):
        found += check_decimal(getattr(formula, field), field, signed=True)
    return found + list(check_limits(formula, "", "min_margin", "max_margin"))


def parsed(formula: pb.PriceFormula) -> Formula:
    """The parsed numbers of a formula. Raises InvalidFormula."""
    if violations := check(formula):
        raise InvalidFormula(violations)
    return Formula(
        from_cost=formula.base == _COST,
        factor=_ONE - Decimal(formula.discount_rate or 0) + Decimal(formula.markup_rate or 0),
        divisor=_ONE - Decimal(formula.margin_rate or 0),
        step=Decimal(formula.rounding_step) if formula.rounding_step else None,
        rounding=decimal_rounding(formula.rounding),
        surcharge=Decimal(formula.surcharge or 0),
        min_margin=Decimal(formula.min_margin) if formula.min_margin else None,
        max_margin=Decimal(formula.max_margin) if formula.max_margin else None,
    )


def derived(
    formulas: Sequence[Formula],
    pricing: pricing_pb2.Pricing,
    unit_cost: Decimal | None,
    currency: str,
    proof: ProofBuilder | None = None,
) -> pricing_pb2.Pricing:
    """The pricing of a book whose parents' formulas, the one next to the root first, are applied to the root's pricing.

    All its amounts of money and rates are discounted or marked up, amounts are then rounded to the step; what is free,
    included or counted stays, and under COST everything but the price. Steps, by code: "formula", "step", "surcharge",
    "min_margin", "max_margin" and "zero" for a pricing with one price; for others one "formula" for each book. Raises
    InvalidPricing, also for amounts that come out beyond 18 digits; InvalidNumber: too many formulas; a cost that is needed
    and unknown; a formula for one price on a pricing with several.
    """
    if len(formulas) > MOST_FORMULAS:
        raise InvalidNumber("formulas", f"must be at most {MOST_FORMULAS} in a row, got {len(formulas)}")
    parsed_pricing(pricing)
    result = pricing_pb2.Pricing()
    result.CopyFrom(pricing)
    with localcontext(EXACT):
        for formula in formulas:
            if pricing.model in _ONE_PRICE:
                base = _base(formula, Decimal(result.amount), unit_cost)
                result.amount = decimal_text(applied(formula, base, currency, proof))
                if not formula.from_cost:
                    _scale(result, _PRICES[1:], formula)
            else:
                _derive_table(result, formula, proof)
    parsed_pricing(result)
    return result


def applied(formula: Formula, base: Decimal, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """The price that follows from one base, at most 12 decimals; call it inside `localcontext(EXACT)`."""
    if not base.is_finite() or base < 0:
        raise InvalidNumber("base", f"must be at least 0, got {base}")

    def step(code: str, text: str, value: Decimal, rounding: str = "") -> Decimal:
        if proof is not None and (code == "formula" or value != price):
            proof.step(code, text, value, rounding)
        return value

    price = base
    scaled = _scaled(formula, base)
    cut = "" if scaled * formula.divisor == base * formula.factor else "HALF_UP 0.000000000001"
    price = step("formula", f"{money_text(base, currency)}{_scaling(formula)}", scaled, cut)
    if formula.step is not None:
        stepped = _to_step(formula, price, formula.step)
        mode = formula.rounding.removeprefix("ROUND_")
        price = step("step", f"{money_text(price, currency)} to {formula.step}", stepped, f"{mode} {formula.step}")
    text = f"{money_text(price, currency)} + {money_text(formula.surcharge, currency)}"
    price = step("surcharge", text, price + formula.surcharge)
    if formula.min_margin is not None:
        least = base + formula.min_margin
        text = f"at least {money_text(base, currency)} + {money_text(formula.min_margin, currency)}"
        price = step("min_margin", text, max(price, least))
    if formula.max_margin is not None:
        most = base + formula.max_margin
        text = f"at most {money_text(base, currency)} + {money_text(formula.max_margin, currency)}"
        price = step("max_margin", text, min(price, most))
    return step("zero", "never below 0", max(price, Decimal(0)))


def _base(formula: Formula, price: Decimal, unit_cost: Decimal | None) -> Decimal:
    if not formula.from_cost:
        return price
    if unit_cost is None:
        raise InvalidNumber("unit_cost", "is required by a formula that starts from the cost")
    return unit_cost


def _derive_table(pricing: pricing_pb2.Pricing, formula: Formula, proof: ProofBuilder | None) -> None:
    """A pricing with several prices can only be scaled: a surcharge would be added to each of them."""
    if formula.needs_one_price:
        raise InvalidNumber("formula", "may only discount, mark up and round a pricing with several prices")
    _scale(pricing, _PRICES, formula)
    _scale(pricing, ("rate",), formula._replace(step=None))
    for tier in pricing.tiers:
        _scale(tier, _TIER_PRICES, formula)
        _scale(tier, ("rate",), formula._replace(step=None))
    if proof is not None:
        rounding = "" if formula.step is None else f"{formula.rounding.removeprefix('ROUND_')} {formula.step}"
        proof.step("formula", f"all prices{_scaling(formula)}", intermediate(formula.factor / formula.divisor), rounding)


def _scale(message: pricing_pb2.Pricing | pricing_pb2.Tier, fields: Sequence[str], formula: Formula) -> None:
    for field in fields:
        if text := getattr(message, field):
            price = _scaled(formula, Decimal(text))
            setattr(message, field, decimal_text(price if formula.step is None else _to_step(formula, price, formula.step)))


def _scaled(formula: Formula, base: Decimal) -> Decimal:
    return intermediate(base * formula.factor / formula.divisor)


def _to_step(formula: Formula, price: Decimal, step: Decimal) -> Decimal:
    """The multiple of the step next to a price."""
    return (price / step).quantize(_ONE, formula.rounding) * step


def _scaling(formula: Formula) -> str:
    """What a formula does to its base, as a person would write it."""
    text = "" if formula.factor == 1 else f" × {decimal_text(formula.factor)}"
    return text + ("" if formula.divisor == 1 else f" ÷ {decimal_text(formula.divisor)}")
