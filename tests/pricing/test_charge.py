"""Charge models: published examples, unit-by-unit oracles, and what must hold for every table."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import InvalidNumber, UnknownCurrency, minor_unit
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.charge import InvalidPricing, price, unit_price

FLAT, PER_UNIT, GRADUATED, VOLUME, PACKAGE = (
    pb.CHARGE_MODEL_FLAT,
    pb.CHARGE_MODEL_PER_UNIT,
    pb.CHARGE_MODEL_GRADUATED,
    pb.CHARGE_MODEL_VOLUME,
    pb.CHARGE_MODEL_PACKAGE,
)
INCLUSIVE, EXCLUSIVE = pb.TIER_BOUND_INCLUSIVE, pb.TIER_BOUND_EXCLUSIVE


def tiered(model, bound, *rows):
    """A pricing with one tier a row of (up_to, unit_amount, flat_amount), the last up_to empty."""
    tiers = [pb.Tier(up_to=str(up_to), unit_amount=str(unit), flat_amount=str(flat)) for up_to, unit, flat in rows]
    return pb.Pricing(model=model, tier_bound=bound, tiers=tiers)


def package(amount, size, free="0"):
    return pb.Pricing(model=PACKAGE, amount=str(amount), package_size=str(size), free_units=str(free))


def cost(pricing, quantity, currency="USD"):
    return price(pricing, Decimal(quantity), currency)


def steps_of(pricing, quantity, currency="USD"):
    builder = ProofBuilder("quotes/q/lines/1", "priceBooks/b/entries/e", "1")
    result = price(pricing, Decimal(quantity), currency, builder)
    proof = builder.finish(result, currency)
    assert verify(proof)
    return [(step.code, step.expression, step.value, step.rounding) for step in proof.steps]


# Published examples


def test_graduated_as_autumn_prints_it():
    # E1 (AUT): 10 + 72 + 25.
    pricing = tiered(GRADUATED, INCLUSIVE, (1000, "0.01", ""), (10000, "0.008", ""), ("", "0.005", ""))
    assert cost(pricing, 15000) == Decimal("107.00")
    assert steps_of(pricing, 15000) == [
        ("tier", "tier 1: 1000 × 0.01", "10", ""),
        ("tier", "tier 2: 10.00 + 9000 × 0.008", "82", ""),
        ("tier", "tier 3: 82.00 + 5000 × 0.005", "107", ""),
    ]


def test_volume_as_lago_prints_it():
    # E3 (LG-vol): the band of 65,000 costs 0.0006 a unit and 10 flat; the bands below it are not charged.
    pricing = tiered(VOLUME, INCLUSIVE, (10000, "0.001", "10"), (50000, "0.0008", "10"), ("", "0.0006", "10"))
    assert cost(pricing, 65000) == Decimal("49.00")
    assert steps_of(pricing, 65000) == [("tier", "tier 3: 65000 × 0.0006 + 10.00", "49", "")]


def test_packages_as_lago_prints_them():
    # E7 (LG-pkg): 5 per 100, the first 100 free: 0 + 5 + 5.
    pricing = package(5, 100, 100)
    assert cost(pricing, 201) == 10
    assert steps_of(pricing, 201) == [
        ("packages", "(201 − 100 free) ÷ 100, started ones included", "2", ""),
        ("units", "2 × 5.00", "10", ""),
    ]
    assert [cost(pricing, quantity) for quantity in (1, 100, 101, 200, "200.000001")] == [0, 0, 5, 5, 10]


def test_slab_and_range_as_salesforce_computes_them():
    # E12 (SF-slab): list 100, units 1–10 at 0 %, 11–20 at 5 %; Salesforce writes the bounds exclusive, 11 and 21.
    rows = [(11, "100", ""), (21, "95", ""), ("", "90", "")]
    assert cost(tiered(GRADUATED, EXCLUSIVE, *rows), 11) == Decimal("1095.00")
    assert cost(tiered(VOLUME, EXCLUSIVE, *rows), 11) == Decimal("1045.00")
    inclusive = [(10, "100", ""), (20, "95", ""), ("", "90", "")]
    assert cost(tiered(GRADUATED, INCLUSIVE, *inclusive), 11) == Decimal("1095.00")
    assert cost(tiered(VOLUME, INCLUSIVE, *inclusive), 11) == Decimal("1045.00")


# Bounds


def test_a_quantity_on_the_bound_follows_the_convention():
    rows = [(100, "2", "5"), ("", "1", "7")]
    assert cost(tiered(VOLUME, INCLUSIVE, *rows), 100) == 205
    assert cost(tiered(VOLUME, EXCLUSIVE, *rows), 100) == 107
    assert cost(tiered(GRADUATED, INCLUSIVE, *rows), 100) == 205
    assert cost(tiered(GRADUATED, EXCLUSIVE, *rows), 100) == 99 * 2 + 5 + 1 + 7


def test_a_flat_amount_is_charged_once_and_only_in_bands_that_are_reached():
    pricing = tiered(GRADUATED, INCLUSIVE, (10, "", "100"), (20, "1", "50"), ("", "", "7"))
    assert [cost(pricing, quantity) for quantity in (1, 10, 11, 20, 21, 500)] == [100, 100, 151, 160, 167, 167]


def test_a_measured_quantity_is_split_at_an_inclusive_bound():
    pricing = tiered(GRADUATED, INCLUSIVE, ("2.5", "4", ""), ("", "2", ""))
    assert cost(pricing, "3") == Decimal("11.00")


def test_a_started_unit_belongs_to_the_band_of_its_whole_number_under_an_exclusive_bound():
    pricing = tiered(GRADUATED, EXCLUSIVE, (11, "100", ""), ("", "90", ""))
    assert cost(pricing, "10.5") == Decimal("1045.00")


# Quantities


@pytest.mark.parametrize(
    "pricing",
    [
        pb.Pricing(model=FLAT, amount="99"),
        pb.Pricing(model=PER_UNIT, amount="99"),
        tiered(GRADUATED, INCLUSIVE, (10, "1", "5"), ("", "1", "")),
        tiered(VOLUME, EXCLUSIVE, (10, "1", "5"), ("", "1", "")),
        package(5, 100),
    ],
)
def test_quantity_0_costs_0_under_every_model(pricing):
    assert str(cost(pricing, 0)) == "0.00"
    assert steps_of(pricing, 0) == [("zero", "nothing at quantity 0", "0", "")]


def test_a_flat_charge_is_the_same_for_every_quantity_above_0():
    pricing = pb.Pricing(model=FLAT, amount="99.5")
    assert {cost(pricing, quantity) for quantity in ("0.000001", 1, 1000)} == {Decimal("99.50")}
    assert steps_of(pricing, 3) == [("flat", "99.50 flat", "99.5", "")]


@pytest.mark.parametrize("quantity", ["-1", "NaN", "Infinity"])
def test_a_quantity_below_0_or_not_a_number_is_refused(quantity):
    with pytest.raises(InvalidNumber, match="quantity: must be at least 0"):
        cost(pb.Pricing(model=PER_UNIT, amount="1"), quantity)


def test_an_unknown_currency_is_refused():
    for quantity in (0, 1):
        with pytest.raises(UnknownCurrency):
            cost(pb.Pricing(model=PER_UNIT, amount="1"), quantity, "QQQ")


def test_a_pricing_that_check_refuses_is_not_priced():
    with pytest.raises(InvalidPricing) as refused:
        cost(pb.Pricing(model=PER_UNIT, free_units="3"), 1)
    assert [violation.field for violation in refused.value.violations] == ["amount", "free_units"]


# Rounding


def test_rounding_happens_once_at_the_end_and_shows_in_the_proof():
    pricing = tiered(GRADUATED, INCLUSIVE, (1, "0.004", ""), (2, "0.004", ""), ("", "0.004", ""))
    assert cost(pricing, 3) == Decimal("0.01")
    assert steps_of(pricing, 3)[-1] == ("round", "0.012", "0.01", "HALF_UP 0.01")


@pytest.mark.parametrize(
    ("rounding", "amount"), [(pb.ROUNDING_HALF_EVEN, "0.12"), (pb.ROUNDING_UP, "0.13"), (pb.ROUNDING_DOWN, "0.12")]
)
def test_the_pricing_names_its_rounding(rounding, amount):
    pricing = pb.Pricing(model=PER_UNIT, amount="0.125", rounding=rounding)
    assert str(cost(pricing, 1)) == amount


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "12"), ("EUR", "12.35"), ("BHD", "12.346")])
def test_the_amount_has_the_decimals_of_its_currency(currency, amount):
    pricing = pb.Pricing(model=PER_UNIT, amount="1.2345678")
    assert str(cost(pricing, 10, currency)) == amount


def test_the_unit_price_is_before_rounding_at_twelve_decimals():
    assert unit_price(pb.Pricing(model=PER_UNIT, amount="0.0006"), Decimal(7)) == Decimal("0.0006")
    assert unit_price(package(5, 100, 100), Decimal(201)) == Decimal("0.049751243781")
    largest = "999999999999999999.123456789012"
    assert unit_price(pb.Pricing(model=PER_UNIT, amount=largest), Decimal("123456789012.654321")) == Decimal(largest)
    with pytest.raises(InvalidNumber, match="quantity: must be above 0"):
        unit_price(pb.Pricing(model=FLAT, amount="1"), Decimal(0))


# Every table, every quantity

PRICES = st.decimals(0, 1000, places=4)
QUANTITIES = st.decimals(0, 400, places=3)
WHOLE = st.integers(0, 400)
BOUNDS = st.sampled_from([INCLUSIVE, EXCLUSIVE])
CURRENCIES = st.sampled_from(["JPY", "EUR", "BHD"])


@st.composite
def rows(draw):
    bounds = sorted(draw(st.sets(st.integers(2, 300), max_size=6)))
    return [(bound, draw(PRICES), draw(PRICES)) for bound in [*bounds, ""]]


@st.composite
def never_falling(draw):
    """A pricing of a model under which more never costs less."""
    model = draw(st.sampled_from([FLAT, PER_UNIT, GRADUATED, PACKAGE]))
    if model == GRADUATED:
        return tiered(model, draw(BOUNDS), *draw(rows()))
    if model == PACKAGE:
        return package(draw(PRICES), draw(st.decimals("0.5", 50, places=1)), draw(st.decimals(0, 100, places=1)))
    return pb.Pricing(model=model, amount=str(draw(PRICES)))


def tier_of(rows, bound, quantity):
    """The first row that holds a whole quantity, found by walking."""
    for row in rows:
        if row[0] == "" or quantity < row[0] or (bound == INCLUSIVE and quantity == row[0]):
            return row
    raise AssertionError


def to_minor(exact, currency):
    """Half up by fractions: another road to the same rounding."""
    unit = Fraction(minor_unit(currency))
    return (exact / unit + Fraction(1, 2)).__floor__() * unit


@given(rows(), BOUNDS, WHOLE, CURRENCIES)
def test_graduated_equals_adding_up_unit_by_unit(rows, bound, quantity, currency):
    touched = [tier_of(rows, bound, number) for number in range(1, quantity + 1)]
    units = sum(Fraction(row[1]) for row in touched)
    flats = sum(Fraction(row[2]) for row in rows if row in touched)
    assert Fraction(cost(tiered(GRADUATED, bound, *rows), quantity, currency)) == to_minor(units + flats, currency)


@given(rows(), BOUNDS, WHOLE, CURRENCIES)
def test_volume_equals_the_tier_found_by_walking(rows, bound, quantity, currency):
    _, unit, flat = tier_of(rows, bound, quantity)
    exact = quantity * Fraction(unit) + Fraction(flat) if quantity else Fraction(0)
    assert Fraction(cost(tiered(VOLUME, bound, *rows), quantity, currency)) == to_minor(exact, currency)


@given(rows(), QUANTITIES)
def test_conventions_of_a_volume_table_differ_only_on_its_bounds(rows, quantity):
    if quantity not in [row[0] for row in rows]:
        assert cost(tiered(VOLUME, INCLUSIVE, *rows), quantity) == cost(tiered(VOLUME, EXCLUSIVE, *rows), quantity)


@given(rows(), QUANTITIES)
def test_an_exclusive_graduated_bound_is_the_inclusive_bound_one_unit_lower(rows, quantity):
    lower = [(row[0] - 1 if row[0] else "", *row[1:]) for row in rows]
    assert cost(tiered(GRADUATED, EXCLUSIVE, *rows), quantity) == cost(tiered(GRADUATED, INCLUSIVE, *lower), quantity)


@given(never_falling(), QUANTITIES, QUANTITIES, CURRENCIES)
def test_more_never_costs_less_outside_volume_tables(pricing, one, other, currency):
    less, more = sorted([one, other])
    assert cost(pricing, less, currency) <= cost(pricing, more, currency)


@given(st.integers(10**29, 10**30 - 1), st.integers(10**17, 10**18 - 1), CURRENCIES)
def test_the_largest_prices_and_quantities_lose_nothing(amount, quantity, currency):
    unit_text, units_text = f"{amount // 10**12}.{amount % 10**12:012}", f"{quantity // 10**6}.{quantity % 10**6:06}"
    exact = Fraction(unit_text) * Fraction(units_text)
    pricing = pb.Pricing(model=PER_UNIT, amount=unit_text)
    assert Fraction(cost(pricing, units_text, currency)) == to_minor(exact, currency)


@given(st.one_of(never_falling(), st.builds(lambda rows, bound: tiered(VOLUME, bound, *rows), rows(), BOUNDS)), QUANTITIES)
def test_a_proof_ends_at_the_price_and_does_not_change_it(pricing, quantity):
    assert Decimal(steps_of(pricing, quantity)[-1][2]) == cost(pricing, quantity)


@given(rows(), st.decimals("0.001", 400, places=3))
def test_the_steps_of_a_graduated_price_hold_every_unit_once(rows, quantity):
    steps = [step for step in steps_of(tiered(GRADUATED, INCLUSIVE, *rows), quantity) if step[0] == "tier"]
    units = [Decimal(step[1].split(" × ")[0].split(" ")[-1]) for step in steps]
    assert sum(units) == quantity
