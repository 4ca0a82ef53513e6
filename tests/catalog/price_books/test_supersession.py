"""Supersession against a calendar in which every day knows which entry gives its price."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.catalog.price_books.supersession import Superseded, Validity, superseded

DAYS = 10
LAST = 9
"""No bounded validity reaches the last day, which so stands for all that follow."""
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(n: int) -> datetime:
    return START + timedelta(days=n)


@st.composite
def validities(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Starts and ends, the first known first."""
    starts = st.integers(0, LAST - 1)
    return [(start, draw(st.none() | st.integers(start + 1, LAST))) for start in draw(st.lists(starts, min_size=1, max_size=8))]


def named(spans: list[tuple[int, int | None]]) -> list[Validity]:
    return [Validity(f"e{i}", day(start), None if end is None else day(end)) for i, (start, end) in enumerate(spans)]


def calendar(spans: list[tuple[int, int | None]]) -> list[str | None]:
    """The entry that gives the price on each day: the last known of those valid."""
    days: list[str | None] = [None] * DAYS
    for i, (start, end) in enumerate(spans):
        for n in range(start, DAYS if end is None else end):
            days[n] = f"e{i}"
    return days


@given(validities())
def test_an_entry_is_superseded_from_the_first_day_on_which_it_no_longer_gives_the_price(
    spans: list[tuple[int, int | None]],
) -> None:
    *older, new = named(spans)
    before, after = calendar(spans[:-1]), calendar(spans)
    expected: dict[str, int] = {}
    for n in range(DAYS):
        was = before[n]
        if was is not None and was != after[n]:
            expected.setdefault(was, n)
    found = superseded(new, reversed(older))
    assert {each.name: each.start for each in found} == {name: day(n) for name, n in expected.items()}
    assert len(found) == len(expected)


def test_a_correction_of_the_past_supersedes_only_what_it_covers() -> None:
    by = Validity("fix", day(2), day(4))
    older = [Validity("future", day(6), None), Validity("list", day(0), None)]
    assert superseded(by, older) == [Superseded("list", day(2))]


def test_nothing_older_is_read_once_the_whole_period_is_explained() -> None:
    def older() -> object:
        yield Validity("list", day(0), None)
        raise AssertionError("read on")

    assert superseded(Validity("new", day(1), None), older()) == [Superseded("list", day(1))]  # type: ignore[arg-type]
