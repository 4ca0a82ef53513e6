"""Half-open periods against sets of days, and instants against what PostgreSQL keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.catalog.periods import Period, instant, period, rfc3339
from revops_mesh.kernel.errors import BadField

DAYS = range(8)
START = datetime(2026, 1, 1, tzinfo=UTC)
bounds = st.none() | st.integers(1, 7)


def of_days(start: int | None, end: int | None) -> Period:
    return Period(*(None if day is None else START + timedelta(days=day) for day in (start, end)))


def days_of(start: int | None, end: int | None) -> set[int]:
    return {day for day in DAYS if (start is None or start <= day) and (end is None or day < end)}


@given(bounds, bounds)
def test_a_period_is_empty_when_it_holds_no_day(start: int | None, end: int | None) -> None:
    assert of_days(start, end).is_empty is not bool(days_of(start, end))


@given(bounds, bounds, bounds, bounds)
def test_periods_overlap_when_they_share_a_day(a: int | None, b: int | None, c: int | None, d: int | None) -> None:
    one, other = days_of(a, b), days_of(c, d)
    if one and other:
        assert of_days(a, b).overlaps(of_days(c, d)) is bool(one & other)
        assert of_days(c, d).overlaps(of_days(a, b)) is bool(one & other)


def test_what_is_finer_than_a_microsecond_is_cut_off_the_field_too() -> None:
    product = pb.Product(sellable_from=Timestamp(seconds=5, nanos=1_999))
    assert instant(product, "sellable_from") == datetime(1970, 1, 1, 0, 0, 5, 1, tzinfo=UTC)
    assert product.sellable_from.nanos == 1_000


def test_an_unset_field_is_an_open_end_and_stays_unset() -> None:
    product = pb.Product()
    assert period(product, "sellable_from", "sellable_to") == Period(None, None)
    assert not product.HasField("sellable_from")


@pytest.mark.parametrize("stamp", [Timestamp(seconds=10**15), Timestamp(nanos=-1), Timestamp(seconds=1, nanos=10**9)])
def test_what_is_no_instant_is_refused_with_the_field(stamp: Timestamp) -> None:
    with pytest.raises(BadField) as refused:
        instant(pb.Product(sellable_to=stamp), "sellable_to", "product.")
    assert refused.value.field == "product.sellable_to"


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_text_of_an_instant_reads_back_as_the_instant(at: datetime) -> None:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    assert datetime.fromisoformat(rfc3339(stamp)) == at
