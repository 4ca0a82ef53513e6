"""The apportioner: conservation, fairness, symmetry, and the splits that other systems publish."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.numbers.apportion import Tie, apportion
from revops_mesh.numbers.money import InvalidNumber

CENT = Decimal("0.01")
QUANTA = st.integers(-(10**12), 10**12)
QUANTUM = st.sampled_from([Decimal("1"), CENT, Decimal("0.001"), Decimal("0.05")])
TIES = st.sampled_from(Tie)
WEIGHTS = st.lists(st.one_of(st.integers(0, 3).map(Decimal), st.decimals(0, 10**6, places=6)), min_size=1, max_size=12).filter(
    any
)


def decimals(*texts):
    return [Decimal(text) for text in texts]


def test_an_invoice_split_as_zuora_prints_it():
    # E33 (Z-split): charge 120 and tax 10 in rows of 50, 50 and 30. The odd cent went to the second of two equal
    # rows; the tax of a row is what the charge leaves of it.
    rows = decimals("50", "50", "30")
    charges = apportion(Decimal(120), rows, CENT, Tie.LAST)
    assert charges == decimals("46.15", "46.16", "27.69")
    assert [row - charge for row, charge in zip(rows, charges, strict=True)] == decimals("3.85", "3.84", "2.31")


def test_the_odd_cent_of_installments_goes_where_the_tie_says():
    # E35: the last installment (ASAAS), the first (SPLIT).
    assert apportion(Decimal(100), decimals("1", "1", "1"), CENT, Tie.LAST) == decimals("33.33", "33.33", "33.34")
    assert apportion(Decimal(100), decimals("1", "1", "1"), CENT, Tie.FIRST) == decimals("33.34", "33.33", "33.33")


def test_a_fixed_discount_across_lines_as_medusa_spreads_it():
    # E21, E22 (MED-t): the second promotion spreads over what the first left.
    assert apportion(Decimal(400), decimals("200", "600"), CENT) == decimals("100", "300")
    assert apportion(Decimal(30), decimals("50", "150"), CENT) == decimals("7.5", "22.5")
    assert apportion(Decimal(50), decimals("42.5", "127.5"), CENT) == decimals("12.5", "37.5")


def test_a_transaction_price_over_selling_prices():
    # E50 (Z-carve): row by row rounding sums to 2,200.01.
    assert apportion(Decimal(2200), decimals("900", "720", "480"), CENT) == decimals("942.86", "754.28", "502.86")
    # E52: ASC 606 example 33 prints 33/17/50, whole.
    assert apportion(Decimal(100), decimals("50", "25", "75"), CENT) == decimals("33.33", "16.67", "50")


def test_parts_carry_the_decimals_of_the_quantum():
    assert [str(part) for part in apportion(Decimal(-10), decimals("1", "0", "3"), CENT)] == ["-2.50", "0.00", "-7.50"]


@given(QUANTA, WEIGHTS, QUANTUM, TIES)
def test_parts_sum_to_the_total_and_each_is_within_one_quantum_of_its_share(quanta, weights, quantum, tie):
    total = quanta * quantum
    parts = apportion(total, weights, quantum, tie)
    assert sum(map(Fraction, parts)) == Fraction(total)
    whole = sum(map(Fraction, weights))
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(total) * Fraction(weight) / whole) < Fraction(quantum)
        assert Fraction(part) % Fraction(quantum) == 0
        assert part * total >= 0


@given(QUANTA, WEIGHTS, QUANTUM, TIES)
def test_a_negative_total_splits_like_its_positive(quanta, weights, quantum, tie):
    total = quanta * quantum
    assert apportion(-total, weights, quantum, tie) == [-part for part in apportion(total, weights, quantum, tie)]


@given(QUANTA, WEIGHTS, st.randoms())
def test_reordering_the_weights_only_reorders_the_parts_of_each_weight(quanta, weights, random):
    def parts_of(order):
        parts = apportion(quanta * CENT, [weights[index] for index in order], CENT)
        return [parts[order.index(index)] for index in range(len(weights))]

    order = list(range(len(weights)))
    random.shuffle(order)
    before, after = parts_of(list(range(len(weights)))), parts_of(order)
    assert sorted(before) == sorted(after)
    whole = sum(map(Fraction, weights))
    remainders = [abs(quanta) * Fraction(weight) / whole % 1 for weight in weights]
    for index, remainder in enumerate(remainders):
        if remainders.count(remainder) == 1:
            assert before[index] == after[index]


@given(QUANTA, WEIGHTS)
def test_ties_read_the_sequence_from_either_end(quanta, weights):
    last = apportion(quanta * CENT, weights[::-1], CENT, Tie.LAST)
    assert apportion(quanta * CENT, weights, CENT, Tie.FIRST) == last[::-1]


@given(QUANTA, WEIGHTS)
def test_a_heavier_weight_never_gets_less(quanta, weights):
    parts = apportion(abs(quanta) * CENT, weights, CENT)
    for weight, part in zip(weights, parts, strict=True):
        assert all(part >= other for lighter, other in zip(weights, parts, strict=True) if lighter < weight)


def test_remainders_that_differ_beyond_28_digits_are_no_tie():
    assert apportion(CENT, decimals("1000000000000", "1000000000000.000000000000000001"), CENT) == [0, CENT]


@pytest.mark.parametrize(
    ("total", "weights", "quantum", "field"),
    [
        ("1", ["0", "0"], "0.01", "weights"),
        ("1", [], "0.01", "weights"),
        ("1", ["1", "-1"], "0.01", "weights[1]"),
        ("1", ["NaN"], "0.01", "weights[0]"),
        ("1.005", ["1"], "0.01", "total"),
        ("Infinity", ["1"], "0.01", "total"),
        ("1", ["1"], "0", "quantum"),
        ("1", ["1"], "-0.01", "quantum"),
    ],
)
def test_what_cannot_be_split_is_refused_by_name(total, weights, quantum, field):
    with pytest.raises(InvalidNumber) as refused:
        apportion(Decimal(total), decimals(*weights), Decimal(quantum))
    assert refused.value.field == field


def test_nothing_splits_over_nothing():
    assert apportion(Decimal(0), decimals("0", "0"), CENT) == [0, 0]
    assert apportion(Decimal(0), [], CENT) == []
