"""Pricings and quantities for the tests of charge models."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import minor_unit
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.charge import Basis, price

INCLUSIVE, EXCLUSIVE = pb.TIER_BOUND_INCLUSIVE, pb.TIER_BOUND_EXCLUSIVE

PRICES = st.decimals(0, 1000, places=4)
RATES = st.decimals(0, 2, places=4)
QUANTITIES = st.decimals(0, 400, places=3)
WHOLE = st.integers(0, 400)
BOUNDS = st.sampled_from([INCLUSIVE, EXCLUSIVE])
CURRENCIES = st.sampled_from(["JPY", "EUR", "BHD"])


def pricing(model, **fields):
    """A pricing of a model by the end of its name, its numbers as text."""
    texts = {name: str(value) if isinstance(value, int | float | Decimal) else value for name, value in fields.items()}
    for kept in ("free_events", "tier_bound", "rounding", "rounding_place", "zero_quantity"):
        if kept in fields:
            texts[kept] = fields[kept]
    return pb.Pricing(model=pb.ChargeModel.Value(f"CHARGE_MODEL_{model}"), **texts)


def tier(up_to, unit=0, flat=0, **fields):
    """A tier; 0 and an empty bound stay empty."""
    texts = {name: str(value) for name, value in fields.items()}
    return pb.Tier(up_to=str(up_to), unit_amount=str(unit or ""), flat_amount=str(flat or ""), **texts)


def cost(of, basis, currency="USD"):
    """What a pricing costs; a basis that is a number is a quantity."""
    return price(of, basis if isinstance(basis, Basis) else Decimal(basis), currency)


def steps_of(of, basis, currency="USD"):
    """The steps of its proof, which verifies and ends at the price."""
    builder = ProofBuilder("quotes/q/lines/1", "priceBooks/b/entries/e", "1")
    result = price(of, basis if isinstance(basis, Basis) else Decimal(basis), currency, builder)
    assert result == cost(of, basis, currency)
    proof = builder.finish(result, currency)
    assert verify(proof)
    return [(step.code, step.expression, step.value, step.rounding) for step in proof.steps]


def to_minor(exact, currency):
    """Half up by fractions: another road to the same rounding."""
    unit = Fraction(minor_unit(currency))
    return (exact / unit + Fraction(1, 2)).__floor__() * unit


@st.composite
def rows(draw):
    """Rows of (up_to, unit, flat), ascending, the last open."""
    bounds = sorted(draw(st.sets(st.integers(2, 300), max_size=6)))
    return [(bound, draw(PRICES), draw(PRICES)) for bound in [*bounds, ""]]


def walked(rows, bound, quantity):
    """The first row that holds a whole quantity, found by walking."""
    for row in rows:
        if row[0] == "" or quantity < row[0] or (bound == INCLUSIVE and quantity == row[0]):
            return row
    raise AssertionError
