"""Overage, minimum, maximum, commitment, and the conventions that are data: where rounding happens, what 0 costs."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import EXACT, InvalidNumber, UnknownCurrency
from revops_mesh.pricing.charge import Basis, price, unit_price
from revops_mesh.pricing.limits import with_true_up
from tests.pricing.making import INCLUSIVE, PRICES, QUANTITIES, cost, pricing, steps_of, tier

CHARGED = pb.ZERO_QUANTITY_CHARGED


def used(quantity, share=Fraction(1)):
    return Basis(quantity=Decimal(quantity), share=share)


def test_overage_costs_the_included_units_and_each_beyond():
    # Z-cm's cell phone: 59.99 with 500 minutes, 0.50 for each above.
    overage = pricing("OVERAGE", amount="59.99", included_units="500", overage_amount="0.50")
    assert [cost(overage, quantity) for quantity in (0, 1, 500, 510)] == [0, Decimal("59.99"), Decimal("59.99"), Decimal("64.99")]
    assert steps_of(overage, 510) == [
        ("included", "59.99 for 500 included", "59.99", ""),
        ("overage", "59.99 + 10 × 0.50", "64.99", ""),
    ]
    assert cost(pricing("OVERAGE", included_units="500", overage_amount="0.50"), 500) == 0


def test_overage_may_be_billed_by_started_packages():
    # Z-block-q: overage in blocks of 100, which elsewhere takes one tier a block.
    overage = pricing("OVERAGE", included_units="1000", overage_amount="5", package_size="100")
    assert [cost(overage, quantity) for quantity in (1000, 1001, 1100, 1101)] == [0, 5, 5, 10]
    assert steps_of(overage, 1101)[-1] == ("overage", "0.00 + 2 packages of 100 × 5.00", "10", "")


@pytest.mark.parametrize(
    ("amount", "low", "high", "result"),
    [("40", "45", "60", 45), ("70", "", "65", 65), ("50", "45", "60", 50)],
)
def test_a_price_stays_within_its_limits_as_zuora_prints_them(amount, low, high, result):
    # E14 (Z-minmax): California 45 to 60 and a price of 40; New York at most 65 and a price of 70.
    assert cost(pricing("PER_UNIT", amount=amount, minimum_amount=low, maximum_amount=high), 1) == result


@pytest.mark.parametrize(
    ("amount", "low", "high", "quantity", "result"), [(10, 100, 200, 8, 100), (12, 120, 240, 25, 240), (12, 120, 240, 10, 120)]
)
def test_limits_of_a_charge_as_zuora_prints_them(amount, low, high, quantity, result):
    # Z-minmax, charge level: 8 × 10 in California, 25 × 12 and 10 × 12 in New York.
    charge = pricing("PER_UNIT", amount=amount, minimum_amount=low, maximum_amount=high)
    assert cost(charge, quantity) == result


def test_a_commitment_is_topped_up_as_lago_prints_it():
    # E15 (LG-min): usage of 50, a minimum of 100, a true-up of 50.
    charge = pricing("PER_UNIT", amount="1", committed_amount="100")
    assert cost(charge, 50) == 100
    assert steps_of(charge, 50) == [
        ("units", "50 × 1.00", "50", ""),
        ("true_up", "50.00 + 50.00 short of 100.00", "100", ""),
    ]
    assert cost(charge, 120) == 120


def test_a_commitment_is_prorated_and_due_without_any_usage():
    charge = pricing("PER_UNIT", amount="1", committed_amount="100")
    assert cost(charge, 0) == 100
    assert cost(charge, used(0, Fraction(1, 4))) == 25
    assert cost(charge, used(30, Fraction(1, 4))) == 30
    assert steps_of(charge, used(10, Fraction(17, 31))) == [
        ("units", "10 × 1.00", "10", ""),
        ("true_up", "10.00 + 44.838709677419 short of 100.00 × 17/31", "54.838709677419", ""),
        ("round", "54.838709677419", "54.84", "HALF_UP 0.01"),
    ]
    with pytest.raises(InvalidNumber, match="share: must be from 0 to 1"):
        cost(charge, used(1, Fraction(3, 2)))


def test_a_period_billed_in_pieces_is_topped_up_once():
    with localcontext(EXACT):
        pieces = Decimal("20.00") + Decimal("30.00")
        assert with_true_up(Decimal(100), pieces, Fraction(1), "USD") - pieces == 50


def test_a_minimum_is_for_what_was_bought_unless_0_is_charged():
    free = pricing("PER_UNIT", amount="1", minimum_amount="10")
    charged = pricing("PER_UNIT", amount="1", minimum_amount="10", zero_quantity=CHARGED)
    assert [cost(free, quantity) for quantity in (0, 1, 11)] == [0, 10, 11]
    assert cost(charged, 0) == 10


def test_flat_and_overage_amounts_are_charged_at_0_if_the_pricing_says_so():
    assert cost(pricing("FLAT", amount="9", zero_quantity=CHARGED), 0) == 9
    overage = pricing("OVERAGE", amount="9", included_units="5", overage_amount="1", zero_quantity=CHARGED)
    assert cost(overage, 0) == 9
    assert cost(pricing("PACKAGE", amount="9", package_size="5", zero_quantity=CHARGED), 0) == 0


def test_unit_prices_are_within_limits_and_without_true_up():
    charge = pricing("PER_UNIT", amount="1", minimum_amount="10", committed_amount="100")
    assert unit_price(charge, Decimal(4)) == Decimal("2.5")


# Where rounding happens


def test_units_are_rounded_before_they_are_multiplied():
    line = pricing("PER_UNIT", amount="0.125")
    unit = pricing("PER_UNIT", amount="0.125", rounding_place=pb.ROUNDING_PLACE_UNIT)
    assert (cost(line, 100), cost(unit, 100)) == (Decimal("12.50"), Decimal("13.00"))
    assert steps_of(unit, 100) == [
        ("unit", "unit 0.125", "0.13", "HALF_UP 0.01"),
        ("units", "100 × 0.13", "13", ""),
    ]
    assert cost(unit, "0.5") == Decimal("0.07")  # 0.065: the line keeps the decimals of its currency


def test_prices_of_tiers_and_of_overage_are_units_too():
    tiers = [tier(10, "0.124"), tier("", "0.126")]
    graduated = pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE, rounding_place=pb.ROUNDING_PLACE_UNIT)
    assert cost(graduated, 20) == Decimal("2.50")
    overage = pricing("OVERAGE", included_units="0", overage_amount="0.126", rounding_place=pb.ROUNDING_PLACE_UNIT)
    assert cost(overage, 100) == 13
    down = pricing("PER_UNIT", amount="0.129", rounding=pb.ROUNDING_DOWN, rounding_place=pb.ROUNDING_PLACE_UNIT)
    assert cost(down, 100) == 12


def test_a_document_that_is_rounded_keeps_12_decimals_in_its_lines():
    charge = pricing("PER_UNIT", amount="0.125", rounding_place=pb.ROUNDING_PLACE_DOCUMENT)
    assert cost(charge, 3) == Decimal("0.375")
    fine = pricing("PER_UNIT", amount="0.000000000001", rounding_place=pb.ROUNDING_PLACE_DOCUMENT)
    assert steps_of(fine, "0.5")[-1] == ("round", "0.0000000000005", "0.000000000001", "HALF_UP 0.000000000001")
    with pytest.raises(UnknownCurrency):
        price(charge, Decimal(1), "QQQ")


@given(PRICES, st.tuples(st.integers(0, 5000), st.integers(0, 5000)).map(sorted), QUANTITIES, QUANTITIES)
def test_an_amount_stays_within_its_limits_and_does_not_fall(amount, limits, one, other):
    low, high = limits
    charge = pricing("PER_UNIT", amount=amount, minimum_amount=low, maximum_amount=high)
    less, more = sorted([one, other])
    assert cost(charge, less) <= cost(charge, more) <= high
    assert more == 0 or low <= cost(charge, more)


@given(PRICES, QUANTITIES, st.integers(0, 5000), st.fractions(0, 1, max_denominator=400))
def test_a_true_up_adds_exactly_what_is_missing(amount, quantity, committed, share):
    bare = cost(pricing("PER_UNIT", amount=amount), quantity)
    charge = pricing("PER_UNIT", amount=amount, committed_amount=committed)
    due = Fraction(committed) * share
    total = cost(charge, used(quantity, share))
    assert total >= bare
    assert abs(Fraction(total) - max(Fraction(amount) * Fraction(quantity), due)) <= Fraction(1, 199)
    steps_of(charge, used(quantity, share))
