"""Price formulas: the order of Odoo, published chains, and what a table of prices can take."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import price_formula_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.charge import InvalidPricing, price
from revops_mesh.pricing.formula import MOST_FORMULAS, InvalidFormula, check, derived, parsed
from tests.pricing.making import INCLUSIVE, pricing, tier

COST = pb.PriceFormula.BASE_COST
UNIT = pricing("PER_UNIT", amount="100")


def formula(**fields):
    return parsed(pb.PriceFormula(**fields))


def amount(formulas, of=UNIT, unit_cost=None):
    return derived(formulas, of, unit_cost, "EUR").amount


def steps(formulas, of=UNIT, unit_cost=None):
    proof = ProofBuilder("s", "r", "1")
    result = derived(formulas, of, unit_cost, "EUR", proof)
    total = price(result, Decimal(1), "EUR", proof)
    return [(step.code, step.expression, step.value, step.rounding) for step in proof.finish(total, "EUR").steps]


def test_markup_and_margin_are_not_the_same_20_percent():
    # E29 (CRIP): a cost of 4.68.
    cost = Decimal("4.68")
    assert amount([formula(base=COST, markup_rate="0.2")], unit_cost=cost) == "5.616"
    assert amount([formula(base=COST, margin_rate="0.2")], unit_cost=cost) == "5.85"
    assert steps([formula(base=COST, margin_rate="0.2")], unit_cost=cost)[0] == ("formula", "4.68 ÷ 0.8", "5.85", "")


def test_formulas_of_parents_compound():
    # E19 (OCA3): 600 at 50, 50 and 50 %: 300, 150, 75. At 50 and −5 %: 300, 315. CRIP: chains of markups compound.
    of = pricing("PER_UNIT", amount="600")
    half, more = formula(discount_rate="0.5"), formula(markup_rate="0.05")
    assert [amount([half] * count, of) for count in (1, 2, 3)] == ["300", "150", "75"]
    assert [amount(chain, of) for chain in ([half], [half, more])] == ["300", "315"]
    assert [step[1] for step in steps([half, more], of)[:2]] == ["600.00 × 0.5", "300.00 × 1.05"]


def test_the_order_is_discount_step_surcharge_least_and_most_margin():
    # ODOO: prices that end in 9.99 are rounded to 10 and then lowered by 0.01.
    nines = formula(discount_rate="0.17", rounding_step="10", surcharge="-0.01")
    assert steps([nines]) == [
        ("formula", "100.00 × 0.83", "83", ""),
        ("step", "83.00 to 10", "80", "HALF_UP 10"),
        ("surcharge", "80.00 + -0.01", "79.99", ""),
        ("units", "1 × 79.99", "79.99", ""),
    ]
    least = formula(discount_rate="0.17", rounding_step="10", surcharge="-0.01", min_margin="-15")
    assert steps([least])[3] == ("min_margin", "at least 100.00 + -15.00", "85", "")
    most = formula(markup_rate="0.5", max_margin="20")
    assert steps([most])[1] == ("max_margin", "at most 100.00 + 20.00", "120", "")


def test_a_price_is_never_below_0():
    assert steps([formula(discount_rate="1", surcharge="-5")])[2] == ("zero", "never below 0", "0", "")


@pytest.mark.parametrize(
    ("rounding", "result"),
    [(0, "82.5"), (pricing_pb2.ROUNDING_HALF_EVEN, "82.5"), (pricing_pb2.ROUNDING_UP, "85"), (pricing_pb2.ROUNDING_DOWN, "82.5")],
)
def test_a_step_may_be_any_amount(rounding, result):
    assert amount([formula(discount_rate="0.174", rounding_step="2.5", rounding=rounding)]) == result


def test_a_quotient_is_cut_at_12_decimals_in_every_book():
    third = formula(base=COST, margin_rate="0.1")
    assert steps([third], unit_cost=Decimal(1))[0] == ("formula", "1.00 ÷ 0.9", "1.111111111111", "HALF_UP 0.000000000001")


def test_a_table_is_discounted_and_rounded_price_by_price():
    tiers = [tier(10, "1.23", "7", minimum_amount="9"), tier("", "1.11")]
    table = pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE, committed_amount="50", maximum_amount="1000")
    result = derived([formula(discount_rate="0.1", rounding_step="0.05")], table, None, "EUR")
    assert [(each.unit_amount, each.flat_amount, each.minimum_amount) for each in result.tiers] == [
        ("1.1", "6.3", "8.1"),
        ("1", "", ""),
    ]
    assert (result.tiers[0].up_to, result.committed_amount, result.maximum_amount) == ("10", "45", "900")
    assert steps([formula(discount_rate="0.1", rounding_step="0.05")], table)[0] == (
        "formula",
        "all prices × 0.9",
        "0.9",
        "HALF_UP 0.05",
    )


def test_rates_are_scaled_and_what_is_free_or_included_stays():
    charge = pricing("PERCENTAGE", rate="0.0125", event_amount="0.10", free_events=3, free_amount="500")
    result = derived([formula(discount_rate="0.2", rounding_step="0.05")], charge, None, "EUR")
    assert (result.rate, result.event_amount, result.free_events, result.free_amount) == ("0.01", "0.1", 3, "500")
    overage = pricing("OVERAGE", amount="10", included_units="5", overage_amount="2")
    result = derived([formula(markup_rate="0.5")], overage, None, "EUR")
    assert (result.amount, result.included_units, result.overage_amount) == ("15", "5", "3")


def test_a_price_from_the_cost_leaves_other_amounts_of_the_parent():
    limited = pricing("PER_UNIT", amount="100", minimum_amount="10")
    result = derived([formula(base=COST, markup_rate="1")], limited, Decimal(3), "EUR")
    assert (result.amount, result.minimum_amount) == ("6", "10")


@pytest.mark.parametrize("fields", [{"base": COST}, {"surcharge": "1"}, {"min_margin": "1"}, {"max_margin": "1"}])
def test_what_is_meant_for_one_price_is_refused_for_several(fields):
    table = pricing("VOLUME", tiers=[tier("", 1)], tier_bound=INCLUSIVE)
    with pytest.raises(InvalidNumber, match="formula: may only discount"):
        derived([formula(**fields)], table, Decimal(1), "EUR")


def test_an_unknown_cost_and_a_chain_without_end_are_refused():
    with pytest.raises(InvalidNumber, match="unit_cost: is required"):
        derived([formula(base=COST)], UNIT, None, "EUR")
    with pytest.raises(InvalidNumber, match=f"formulas: must be at most {MOST_FORMULAS} in a row, got 9"):
        derived([formula()] * 9, UNIT, None, "EUR")
    with pytest.raises(InvalidPricing, match="18 digits"):
        derived([formula(markup_rate="999999")] * 3, pricing("PER_UNIT", amount="999999999"), None, "EUR")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"base": 9}, "base", "PARENT or COST"),
        ({"rounding": 9}, "rounding", "HALF_UP"),
        ({"discount_rate": "1.1"}, "discount_rate", "at most 1"),
        ({"markup_rate": "-1"}, "markup_rate", "at least 0"),
        ({"margin_rate": "1"}, "margin_rate", "below 1"),
        ({"rounding_step": "0"}, "rounding_step", "above 0"),
        ({"surcharge": "x"}, "surcharge", "'x'"),
        ({"min_margin": "2", "max_margin": "-1"}, "max_margin", "at least min_margin, 2, got -1"),
    ],
)
def test_a_fault_of_a_formula_is_named(fields, field, words):
    [violation] = check(pb.PriceFormula(**fields))
    assert violation.field == field
    assert words in violation.description
    with pytest.raises(InvalidFormula):
        formula(**fields)


AMOUNTS = st.decimals(0, 1000, places=2)


@given(
    AMOUNTS,
    AMOUNTS,
    st.decimals(0, 1, places=3),
    st.sampled_from(["", "0.05", "3", "10"]),
    st.decimals(-20, 20, places=2),
    st.tuples(st.integers(-50, 50), st.integers(-50, 50)).map(sorted),
)
def test_a_price_is_within_its_margins_and_rises_with_its_base(one, other, rate, step, surcharge, margins):
    low, high = margins
    fields = {"discount_rate": str(rate), "rounding_step": step, "surcharge": str(surcharge)}
    bound = formula(**fields, min_margin=str(low), max_margin=str(high))
    less, more = sorted([one, other])
    prices = [Decimal(amount([bound], pricing("PER_UNIT", amount=base))) for base in (less, more)]
    assert prices == sorted(prices)
    assert max(less + low, 0) <= prices[0] <= max(less + high, 0)
