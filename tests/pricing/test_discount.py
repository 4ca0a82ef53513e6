"""Discounts on a line and the stacking of rates, against published examples."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.discount import additive, discounted, sequential

RATES = st.decimals(0, 1, places=6)
LISTS = st.decimals(0, 10**9, places=2)


def decimals(*texts):
    return [Decimal(text) for text in texts]


def steps_of(list_amount, rate, amount, currency="USD"):
    builder = ProofBuilder("quotes/q/lines/1", "quotes/q", "1")
    builder.step("units", "list", list_amount)
    net = discounted(list_amount, rate, amount, currency, proof=builder)
    proof = builder.finish(net, currency)
    assert verify(proof)
    return [(step.code, step.expression, step.value, step.rounding) for step in proof.steps[1:]]


def test_stacked_and_sequential_discounts_as_zuora_rules_them():
    # E16 (Z-stack): 5, 10 and 15 % off 100.
    rates = decimals("0.05", "0.10", "0.15")
    assert discounted(Decimal(100), additive(rates), None, "USD") == Decimal("70.00")
    assert sequential(rates) == Decimal("0.27325")
    assert discounted(Decimal(100), sequential(rates), None, "USD") == Decimal("72.68")


def test_chain_and_additive_discounts_as_liferay_prints_them():
    # E17 (LIF): 10 then 5 % off 100.
    rates = decimals("0.10", "0.05")
    assert discounted(Decimal(100), sequential(rates), None, "USD") == Decimal("85.50")
    assert discounted(Decimal(100), additive(rates), None, "USD") == Decimal("85.00")


def test_three_halves_as_the_invoice_module_prints_them():
    # E19 (OCA3): 600 at 50, 50 and 50 %: 300, 150, 75.
    halves = decimals("0.5", "0.5", "0.5")
    amounts = [discounted(Decimal(600), sequential(halves[:count]), None, "USD") for count in (1, 2, 3)]
    assert amounts == [300, 150, 75]


def test_the_net_amount_is_what_is_rounded():
    # 72.675 up is 72.68; rounding the discount of 27.325 up would leave 72.67.
    assert steps_of(Decimal(100), Decimal("0.27325"), None) == [
        ("discount", "100.00 × (1 − 0.27325)", "72.675", ""),
        ("round", "72.675", "72.68", "HALF_UP 0.01"),
    ]
    assert discounted(Decimal(100), Decimal("0.27325"), None, "USD", pb.ROUNDING_DOWN) == Decimal("72.67")


def test_an_amount_is_taken_off_the_list_amount():
    assert steps_of(Decimal("40.00"), None, Decimal("12.5")) == [("discount", "40.00 − 12.50", "27.5", "")]


def test_no_discount_leaves_the_list_amount_and_adds_no_step():
    assert steps_of(Decimal("40.00"), None, None) == []
    assert discounted(Decimal("40"), None, None, "USD") == 40


@pytest.mark.parametrize(
    ("list_amount", "rate", "amount", "field", "words"),
    [
        ("40", "1.01", None, "discount_rate", "from 0 to 1"),
        ("40", "-0.1", None, "discount_rate", "from 0 to 1"),
        ("40", "NaN", None, "discount_rate", "from 0 to 1"),
        ("40", None, "40.01", "discount_amount", "at most the list amount 40"),
        ("40", None, "-1", "discount_amount", "at least 0"),
        ("40", "0", "0", "discount", "not both"),
        ("-40", "0.1", None, "list_amount", "at least 0"),
    ],
)
def test_a_discount_that_makes_no_sense_is_refused_by_name(list_amount, rate, amount, field, words):
    with pytest.raises(InvalidNumber) as refused:
        discounted(Decimal(list_amount), rate and Decimal(rate), amount and Decimal(amount), "USD")
    assert refused.value.field == field
    assert words in refused.value.reason


def test_added_rates_above_all_of_it_are_refused():
    with pytest.raises(InvalidNumber, match=r"rates: must sum to at most 1, got 1.1"):
        additive(decimals("0.6", "0.5"))
    with pytest.raises(InvalidNumber, match=r"rates\[1\]"):
        sequential(decimals("0.6", "1.5"))


@given(LISTS, RATES)
def test_a_discounted_amount_is_between_0_and_the_list_amount(list_amount, rate):
    net = discounted(list_amount, rate, None, "EUR")
    assert 0 <= net <= list_amount
    assert abs(Fraction(net) - Fraction(list_amount) * (1 - Fraction(rate))) <= Fraction("0.005")


@given(st.lists(RATES, max_size=5))
def test_sequential_is_order_free_and_never_above_additive(rates):
    combined = sequential(rates)
    assert 0 <= combined <= 1
    assert combined == sequential(rates[::-1])
    if sum(rates) <= 1:
        assert combined <= additive(rates)


def test_the_largest_amounts_and_finest_rates_lose_nothing():
    # The exact net amount is 99999999999999999.004999999999999, just below half a cent.
    net = discounted(Decimal("100000000000000000"), Decimal("0.00000000000000000995000000000001"), None, "EUR")
    assert net == Decimal("99999999999999999.00")
    rates = decimals("0.123456789012", "0.987654321098", "0.555555555555")
    left = Fraction(1)
    for rate in rates:
        left *= 1 - Fraction(rate)
    assert Fraction(sequential(rates)) == 1 - left


def test_no_rates_are_no_discount():
    assert sequential([]) == additive([]) == 0
