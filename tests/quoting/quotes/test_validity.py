"""Where a day ends: at the first instant of the next one in the seller's zone."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import BadField
from revops_mesh.quoting.quotes.validity import validity, wanted_day

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"]


def test_an_offer_stands_thirty_days_after_the_day_of_the_submit_where_the_seller_is() -> None:
    evening = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
    assert validity(None, evening, UTC).last_day == date(2027, 3, 31)
    assert validity(None, evening, ZoneInfo("Europe/Berlin")).last_day == date(2027, 4, 1)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        ("Europe/Berlin", date(2027, 12, 31), datetime(2027, 12, 31, 23, tzinfo=UTC)),
        ("America/Los_Angeles", date(2027, 6, 30), datetime(2027, 7, 1, 7, tzinfo=UTC)),
        # Clocks jump from 00:00 to 01:00: there is no midnight, and the day begins at the jump.
        ("America/Sao_Paulo", date(2018, 11, 3), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # Clocks go back from 01:00 to 00:00: there are two midnights, and the day begins at the first.
        ("Atlantic/Azores", date(2027, 10, 30), datetime(2027, 10, 31, 0, tzinfo=UTC)),
        # A day that did not exist: 30 December 2011 in Samoa.
        ("Pacific/Apia", date(2011, 12, 29), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_ends_with_the_first_instant_of_the_next(zone: str, day: date, end: datetime) -> None:
    assert validity(day, datetime(2027, 1, 1, tzinfo=UTC), ZoneInfo(zone)).end == end


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES).map(ZoneInfo))
def test_the_last_instant_is_on_the_last_day_and_the_next_is_not(day: date, zone: tzinfo) -> None:
    end = validity(day, datetime(2027, 1, 1, tzinfo=UTC), zone).end
    assert (end - timedelta(microseconds=1)).astimezone(zone).date() <= day < end.astimezone(zone).date()


@pytest.mark.parametrize("wanted", [(2027, 2, 29), (2027, 13, 1), (2027, 4, 0), (0, 4, 1), (0, 0, 0), (9999, 12, 31), (-1, 1, 1)])
def test_a_day_that_is_none_is_refused(wanted: tuple[int, int, int]) -> None:
    quote = pb.Quote()
    quote.valid_until.year, quote.valid_until.month, quote.valid_until.day = wanted
    with pytest.raises(BadField) as refused:
        wanted_day(quote)
    assert refused.value.field == "quote.valid_until"


def test_an_open_day_is_none() -> None:
    assert wanted_day(pb.Quote()) is None
