"""What holds for every policy, zone and way to cut a period."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import proration_pb2 as pb

from revops_mesh.pricing.proration import NONE, Proration, Span, billing_periods, periods, share, split

ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")])
POLICIES = st.sampled_from([policy for policy in pb.ProrationPolicy.values() if policy])
ADDITIVE = st.sampled_from(
    [
        pb.PRORATION_POLICY_SECOND,
        pb.PRORATION_POLICY_DAY_ACTUAL,
        pb.PRORATION_POLICY_STRICT_30_360,
        pb.PRORATION_POLICY_MONTH_THEN_DAY,
    ]
)
STARTS = st.datetimes(datetime(2020, 1, 1), datetime(2031, 12, 31)).map(lambda each: each.replace(microsecond=0))


@st.composite
def cut_periods(draw):
    """A zone, a billing period, and where it is cut."""
    zone = draw(ZONES)
    start = draw(STARTS)
    end = start + relativedelta(months=draw(st.integers(1, 13)))
    whole = Span(start.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC))
    seconds = int((whole.end - whole.start).total_seconds())
    cuts = draw(st.sets(st.integers(1, seconds - 1), max_size=4))
    bounds = [whole.start, *(whole.start + timedelta(seconds=cut) for cut in sorted(cuts)), whole.end]
    return zone, whole, [Span(*pair) for pair in itertools.pairwise(bounds)]


@given(cut_periods(), ADDITIVE, st.booleans())
def test_the_parts_of_a_period_sum_to_it_where_that_is_promised(cut, policy, charged):
    zone, whole, parts = cut
    assert sum(share(Proration(policy, charged, zone), part, whole) for part in parts) == 1


@given(cut_periods(), POLICIES, st.booleans())
def test_a_part_is_from_0_to_1_and_a_longer_one_is_no_less(cut, policy, charged):
    zone, whole, parts = cut
    own = Proration(policy, charged, zone)
    heads = [share(own, Span(whole.start, part.end), whole) for part in parts]
    assert heads[-1] == 1
    assert heads == sorted(heads)
    assert all(0 <= share(own, part, whole) <= 1 for part in parts)


@given(cut_periods(), POLICIES, st.integers(0, 10**7))
def test_a_split_loses_no_cent_under_any_policy(cut, policy, cents):
    zone, whole, parts = cut
    total = Decimal(cents) / 100
    amounts = split(total, parts, whole, Proration(policy, True, zone), "EUR")
    assert sum(amounts) == total
    if policy == NONE:
        assert max(amounts) - min(amounts) <= Decimal("0.01")


@given(STARTS, ZONES, st.integers(1, 13), st.integers(1, 8), POLICIES)
def test_whole_billing_periods_are_counted_whole(start, zone, months, count, policy):
    anchor = start.replace(tzinfo=zone)
    end = (start + relativedelta(months=months * count)).replace(tzinfo=zone)
    whole = Span(anchor, end)
    found = list(billing_periods(anchor, months, whole, zone))
    assert len(found) == count
    # In UTC: a time that a change of clocks left out equals none of another zone.
    assert (found[0].start, found[-1].end) == (anchor.astimezone(UTC), end.astimezone(UTC))
    assert periods(Proration(policy, True, zone), whole, anchor, months) == Fraction(count)


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_a_month_is_a_month_on_every_day_of_the_year(day):
    anchor = datetime(2024, 1, day, tzinfo=UTC)
    found = list(billing_periods(anchor, 1, Span(anchor, datetime(2025, 1, day, tzinfo=UTC)), UTC))
    assert len(found) == 12
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
