"""Margin against markup."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.pricing.margin import (
    margin_of_markup,
    margin_rate,
    markup_of_margin,
    markup_rate,
    price_at_margin,
    price_at_markup,
)

COST = Decimal("4.68")
FIFTH = Decimal("0.2")


def test_20_percent_are_two_prices():
    # E29 (CRIP): markup 5.616, which is a margin of 16.67 %; margin 5.85.
    assert price_at_markup(COST, FIFTH) == Decimal("5.616")
    assert price_at_margin(COST, FIFTH) == Decimal("5.85")
    assert margin_rate(Decimal("5.616"), COST) == Decimal("0.166666666667")
    assert margin_rate(Decimal("5.85"), COST) == FIFTH
    assert markup_rate(Decimal("5.616"), COST) == FIFTH
    assert markup_rate(Decimal("5.85"), COST) == Decimal("0.25")


def test_one_rate_becomes_the_other():
    assert margin_of_markup(FIFTH) == Decimal("0.166666666667")
    assert markup_of_margin(FIFTH) == Decimal("0.25")


def test_a_margin_of_nothing_is_undefined_and_a_loss_is_negative():
    assert margin_rate(Decimal(0), COST) is None
    assert markup_rate(COST, Decimal(0)) is None
    assert margin_rate(Decimal(2), Decimal(3)) == Decimal("-0.5")
    assert markup_rate(Decimal(0), Decimal(3)) == -1


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: price_at_margin(COST, Decimal(1)), "margin_rate"),
        (lambda: price_at_margin(Decimal(-1), FIFTH), "cost"),
        (lambda: price_at_markup(COST, Decimal(-1)), "markup_rate"),
        (lambda: margin_rate(Decimal(-1), COST), "price"),
        (lambda: margin_of_markup(Decimal("NaN")), "markup_rate"),
        (lambda: markup_of_margin(Decimal(1)), "margin_rate"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, field):
    with pytest.raises(InvalidNumber) as refused:
        call()
    assert refused.value.field == field


@given(st.decimals("0.01", 10**6, places=2), st.decimals(0, "0.99", places=2))
def test_a_price_at_a_margin_has_that_margin(cost, rate):
    assert abs(margin_rate(price_at_margin(cost, rate), cost) - rate) < Decimal("1E-9")
    assert abs(markup_rate(price_at_markup(cost, rate), cost) - rate) < Decimal("1E-9")
    assert abs(margin_of_markup(markup_of_margin(rate)) - rate) < Decimal("1E-9")
