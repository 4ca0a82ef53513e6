"""Ramps: segments follow one another, and their values sum to the value of the ramp."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import proration_pb2 as pb

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.proration import Proration, Span
from revops_mesh.pricing.ramp import RampSegment, valued

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = Proration(pb.PRORATION_POLICY_DAY_ACTUAL, True, UTC)


def segment(start, end, amount):
    span = Span(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))
    return RampSegment(span, Decimal(amount))


THREE_YEARS = [
    segment("2026-01-01", "2027-01-01", 100),
    segment("2027-01-01", "2028-01-01", 150),
    segment("2028-01-01", "2028-07-16", 200),
]


def test_each_segment_has_its_periods_and_its_value():
    proof = ProofBuilder("quotes/q/lines/1", "quotes/q", "1")
    found = valued(THREE_YEARS, DAYS, ANCHOR, 1, "USD", proof)
    assert found == [(12, 1200), (12, 1800), (6 + Fraction(15, 31), Decimal("1296.77"))]
    made = proof.finish(sum(each.value for each in found), "USD")
    assert verify(made)
    assert made.steps[-1].expression == "3000.00 + 200.00 × 201/31 periods"
    yearly = valued(THREE_YEARS, DAYS, ANCHOR, 12, "USD")
    assert [each.periods for each in yearly] == [1, 1, Fraction(197, 366)]


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        (segment("2027-01-02", "2028-01-01", 1), "segments[1].span", "leaves a gap after"),
        (segment("2026-12-31", "2028-01-01", 1), "segments[1].span", "overlaps"),
        (segment("2027-01-01", "2027-01-01", 1), "span", "must end after it starts"),
        (segment("2027-01-01", "2028-01-01", -1), "segments[1].amount", "at least 0"),
    ],
)
def test_a_segment_that_does_not_fit_is_refused(changed, field, words):
    with pytest.raises(InvalidNumber, match=words) as refused:
        valued([THREE_YEARS[0], changed], DAYS, ANCHOR, 1, "USD")
    assert refused.value.field == field


@given(st.lists(st.integers(1, 200), min_size=1, max_size=5), st.integers(0, 10**6), st.sampled_from([1, 3, 12]))
def test_cutting_a_term_into_segments_of_one_price_keeps_its_periods(lengths, cents, months):
    amount, segments, start = Decimal(cents) / 100, [], ANCHOR
    for days in lengths:
        segments.append(RampSegment(Span(start, start + timedelta(days=days)), amount))
        start = segments[-1].span.end
    [whole] = valued([RampSegment(Span(ANCHOR, start), amount)], DAYS, ANCHOR, months, "EUR")
    parts = valued(segments, DAYS, ANCHOR, months, "EUR")
    assert sum(part.periods for part in parts) == whole.periods
    assert abs(sum(part.value for part in parts) - whole.value) <= Decimal("0.01") * len(parts)
