"""Monthly and annual recurring revenue, and the value of contracts and of their changes."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.recurring import Recurring, Segment, arr, mrr, tcv
from tests.pricing.making import to_minor


def charges(*pairs):
    return [Recurring(Decimal(amount), months) for amount, months in pairs]


def hundredths(cents):
    return Decimal(cents).scaleb(-2)


def test_recurring_revenue_is_normalised_to_months_and_years():
    mixed = charges(("10", 1), ("30", 3), ("120", 12))
    assert (mrr(mixed, "USD"), arr(mixed, "USD")) == (30, 360)
    assert (mrr([], "USD"), arr([], "USD")) == (0, 0)


def test_what_recurs_is_rounded_once_at_the_sum():
    assert mrr(charges(*[("0.01", 3)] * 3), "USD") == Decimal("0.01")
    # A half that is a sum of endless fractions is one.
    assert mrr(charges(("0.01", 3), ("0.01", 6)), "USD") == Decimal("0.01")
    assert mrr(charges(("0.05", 12)), "USD") == 0
    # 33.333… a month: 12 × the exact one, not 12 × 33.33.
    assert (mrr(charges(("100", 3)), "USD"), arr(charges(("100", 3)), "USD")) == (Decimal("33.33"), 400)


def test_the_value_of_a_contract_and_of_its_changes_as_zuora_prints_it():
    # E46c (Z-tcb): 50 a month for a year, 10 % off it, and the discount removed on April 1.
    def value(amount, months):
        return tcv(Decimal(0), [Segment(Decimal(amount), Fraction(months))], "USD")

    assert [value(50, 12), value(-5, 12), value(5, 9)] == [600, -60, 45]


def test_the_proof_of_a_value_sums_its_segments():
    proof = ProofBuilder("quotes/q", "quotes/q", "1")
    ramp = [Segment(Decimal(100), Fraction(12)), Segment(Decimal(150), Fraction(37, 3))]
    total = tcv(Decimal("99.50"), ramp, "USD", proof)
    made = proof.finish(total, "USD")
    assert verify(made)
    assert total == Decimal("3149.50")
    assert [step.expression for step in made.steps] == [
        "99.50 once",
        "99.50 + 100.00 × 12 periods",
        "1299.50 + 150.00 × 37/3 periods",
    ]


def test_a_period_without_months_is_refused():
    with pytest.raises(InvalidNumber, match=r"charges\[1\].months: must be from 1 to 1,200, got 0"):
        mrr(charges(("1", 1), ("1", 0)), "USD")


@given(
    st.lists(st.tuples(st.integers(0, 10**21).map(hundredths), st.integers(1, 120)), max_size=12), st.sampled_from(["JPY", "EUR"])
)
def test_recurring_revenue_equals_its_fraction(pairs, currency):
    exact = sum((Fraction(amount) / months for amount, months in pairs), Fraction(0))
    assert Fraction(mrr(pairs, currency)) == to_minor(exact, currency)
    assert Fraction(arr(pairs, currency)) == to_minor(12 * exact, currency)
