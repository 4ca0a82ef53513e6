"""What one discount takes off, and what is refused in rules, policies and documents."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import discount_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.pricing.stacking.rules import InvalidRule, spread
from revops_mesh.pricing.stacking.stack import stack
from tests.pricing.stacking import DOCUMENT, EACH, discount, how, line, nets, rates

HUNDRED = [line("a", 100)]


def decimals(*texts):
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("fields", "quantity", "net"),
    [
        ({"rate": "0.5", "max_quantity": "2"}, 10, 90),
        ({"rate": "0.5", "max_amount": "30"}, 10, 70),
        ({"fixed_price": "8"}, 10, 80),
        ({"fixed_price": "12"}, 10, 100),
        ({"fixed_price": "0", "max_quantity": "3"}, 10, 70),
        ({"amount": "250"}, 10, 0),
        ({"amount": "3", "allocation": EACH}, 10, 70),
        ({"amount": "3", "allocation": EACH, "max_amount": "20"}, 10, 80),
        ({"buy_x_get_y": pb.BuyXGetY(buy_quantity=2, get_quantity=1)}, 10, 70),
        ({"buy_x_get_y": pb.BuyXGetY(buy_quantity=3, get_quantity=2)}, 9, "66.67"),
        ({"buy_x_get_y": pb.BuyXGetY(buy_quantity=2, get_quantity=1, max_times=2)}, 10, 80),
        ({"buy_x_get_y": pb.BuyXGetY(buy_quantity=1, get_quantity=1, rate="0.5")}, "10.9", "77.06"),
    ],
)
def test_a_rule_takes_off_what_it_says(fields, quantity, net):
    assert nets([line("a", 100, quantity)], [discount("x", **fields)], how()) == [Decimal(net)]


def test_the_cheapest_units_are_free():
    lines = [line("dear", 90, 3), line("cheap", 20, 2)]
    offer = pb.BuyXGetY(buy_quantity=2, get_quantity=1)
    assert nets(lines, [discount("x", buy_x_get_y=offer)], how()) == [90, 10]
    # With its own lines bought and others discounted: 3 bought make 1 of the others free.
    given = discount("x", lines=["cheap"], bought=["dear"], buy_x_get_y=offer)
    assert nets(lines, [given], how()) == [90, 10]


def test_an_amount_in_thirds_is_spread_to_the_cent():
    lines = [line(key, 50) for key in "abc"]
    assert nets(lines, [discount("x", amount="100")], how()) == decimals("16.66", "16.67", "16.67")


def test_a_part_with_a_fraction_of_a_cent_gives_up_what_exceeds_it():
    cent = Decimal("0.01")
    assert spread(decimals("0.01")[0], decimals("0.009", "0.009"), cent) == [0, 0]
    assert spread(decimals("0.03")[0], decimals("0.009", "0.009", "0.02"), cent) == decimals("0", "0", "0.02")
    assert spread(decimals("0.02")[0], decimals("0.009", "0.001", "0.019"), cent) == decimals("0", "0", "0.01")
    assert spread(decimals("9")[0], decimals("0.009", "0.001"), cent) == decimals("0.009", "0.001")


@given(st.integers(1, 300), st.lists(st.decimals(0, 2, places=3), min_size=1, max_size=6))
def test_no_part_exceeds_its_weight_and_no_quantum_is_made_up(cents, weights):
    total, cent = Decimal(cents) / 100, Decimal("0.01")
    parts = spread(total, weights, cent)
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
    assert min(total, sum(weights)) - len(weights) * cent <= sum(parts) <= total


def test_an_amount_larger_than_what_is_left_leaves_nothing():
    lines = [line("a", "12.50"), line("b", "6.33")]
    stacked = stack(lines, [*rates("0.15"), discount("x", amount="50")], how(), "USD")
    assert list(stacked.nets) == [0, 0]
    assert sum(each.amount for each in stacked.outcomes) == Decimal("18.83")


# Refusals


@pytest.mark.parametrize(
    ("lines", "discounts", "field"),
    [
        ([line("a", -1)], [], "lines[0].list_amount"),
        ([line("a", "1.001")], [], "lines[0].list_amount"),
        ([line("a", 1, -1)], [], "lines[0].quantity"),
        ([line("a", 1, floor="0.005")], [], "lines[0].floor"),
        ([line("a", 1), line("a", 1)], [], "lines[1].key"),
        (HUNDRED, [discount("x", rate="0.1"), discount("x", rate="0.2")], "candidates[1].key"),
        (HUNDRED, [discount("x", amount="0.005")], "candidates[0].rule"),
        (HUNDRED, [discount("x", rate="0.5", max_amount="0.005")], "candidates[0].rule"),
        (
            HUNDRED,
            [discount("x", bought=["a"], buy_x_get_y=pb.BuyXGetY(buy_quantity=1, get_quantity=1))],
            "candidates[0].bought",
        ),
    ],
)
def test_what_cannot_be_stacked_is_refused_by_name(lines, discounts, field):
    with pytest.raises(InvalidNumber) as refused:
        stack(lines, discounts, how(), "USD")
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "value"),
        ({"rate": "1.5"}, "rate"),
        ({"rate": ""}, "rate"),
        ({"amount": "0"}, "amount"),
        ({"rate": "0.1", "allocation": EACH}, "allocation"),
        ({"amount": "1", "allocation": 9}, "allocation"),
        ({"amount": "1", "max_quantity": "1"}, "max_quantity"),
        ({"rate": "0.1", "max_quantity": "0"}, "max_quantity"),
        ({"rate": "0.1", "max_amount": "-1"}, "max_amount"),
        ({"rate": "0.1", "level": 9}, "level"),
        ({"buy_x_get_y": pb.BuyXGetY(get_quantity=1)}, "buy_x_get_y.buy_quantity"),
        ({"buy_x_get_y": pb.BuyXGetY(buy_quantity=1, get_quantity=1, rate="2")}, "buy_x_get_y.rate"),
    ],
)
def test_a_fault_of_a_rule_is_named(fields, field):
    with pytest.raises(InvalidRule) as refused:
        discount("x", **fields)
    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scope": DOCUMENT}, "scope"),
        ({"order": [1, 1]}, "order"),
        ({"order": [0]}, "order[0]"),
        ({"classes": ["a", "a"]}, "classes"),
        ({"kinds": [9]}, "kinds[0]"),
        ({"floor_action": 9}, "floor_action"),
        ({"rounding": 9}, "rounding"),
        ({"rounding_place": pricing_pb2.ROUNDING_PLACE_UNIT}, "rounding_place"),
    ],
)
def test_a_fault_of_a_stacking_policy_is_named(fields, field):
    with pytest.raises(InvalidRule) as refused:
        how(**fields)
    assert [violation.field for violation in refused.value.violations] == [field]
