"""Rounding by document: lines sum to the rounded sum, and none moves by a minor unit."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import minor_unit, rounded
from revops_mesh.pricing.document import settled


def decimals(*texts):
    return [Decimal(text) for text in texts]


def test_three_thirds_of_a_cent_are_a_cent():
    assert settled(decimals("0.004", "0.004", "0.004"), "EUR") == decimals("0.01", "0", "0")
    assert settled(decimals("0.375", "0.375"), "EUR") == decimals("0.38", "0.37")
    assert settled([], "EUR") == []


@given(
    st.lists(st.decimals(-1000, 1000, places=6), max_size=9),
    st.sampled_from(["JPY", "EUR", "BHD"]),
    st.sampled_from(pb.Rounding.values()),
)
def test_lines_sum_to_the_rounded_sum_and_stay_within_a_minor_unit(amounts, currency, rounding):
    parts = settled(amounts, currency, rounding)
    assert sum(parts) == rounded(Decimal(sum(amounts)), currency, rounding)
    unit = minor_unit(currency)
    for part, amount in zip(parts, amounts, strict=True):
        assert abs(part - amount) < unit
        assert part % unit == 0
