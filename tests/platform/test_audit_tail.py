"""A reader of the audit log reads every entry once, whatever the order in which entries become visible."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_mesh.kernel.names import new_uuid
from revops_mesh.platform.audit import tail
from revops_mesh.platform.audit.tail import Position, earlier

BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
LONGEST_CALL = 60_000
FAR = 10_000_000


def minted(ms: int, salt: int = 0) -> UUID:
    """A UUIDv7 as it would be made so many milliseconds after `BEGIN`."""
    return UUID(int=(int(BEGIN.timestamp() * 1000) + ms) << 80 | 7 << 76 | 2 << 62 | salt)


@dataclass(frozen=True)
class Entry:
    id: UUID
    visible_at: int


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Entries of calls that each became visible at most a minute after their id was made."""
    made = draw(st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, LONGEST_CALL)), max_size=40))
    return [Entry(minted(at, salt), at + lag) for salt, (at, lag) in enumerate(made)]


def batch(log: list[Entry], position: Position, at: int, size: int) -> list[UUID]:
    """What the statement gives at an instant."""
    visible = (e.id for e in log if e.visible_at <= at and e.id > position.settled and e.id not in position.seen)
    return sorted(visible)[:size]


def read_all(log: list[Entry], polls: list[int], size: int) -> list[UUID]:
    """Everything that a reader gets who begins at `BEGIN` and comes at these instants, and at last long after."""
    position, read, now = Position.at(BEGIN, BEGIN, minted(0)), [], 0
    for pause in [*polls, FAR]:
        now += pause
        while rows := batch(log, position, now, size):
            read += rows
            position = Position.decoded(position.after(rows, minted(now)).encoded())
    return read


@settings(deadline=None)
@given(logs(), st.lists(st.integers(0, 50_000), max_size=20), st.integers(1, 10))
def test_every_entry_is_read_once(log: list[Entry], polls: list[int], size: int) -> None:
    read = read_all(log, polls, size)
    assert len(read) == len(set(read))
    assert set(read) == {entry.id for entry in log}


def test_without_a_time_to_settle_late_entries_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = [Entry(minted(0, 1), 5_000), Entry(minted(1, 2), 1)]
    assert len(read_all(log, [10], 5)) == 2
    monkeypatch.setattr(tail, "SETTLING", timedelta(0))
    assert len(read_all(log, [10], 5)) == 1


@settings(deadline=None)
@given(logs(), st.integers(0, 400_000))
def test_what_a_waiting_reader_remembers_is_bounded_by_the_last_minute_and_a_half(log: list[Entry], at: int) -> None:
    position = Position.at(BEGIN, BEGIN, minted(0))
    position = position.after(batch(log, position, at, 100), minted(at)).after([], minted(at))
    assert all(each > earlier(minted(at), tail.SETTLING) for each in position.seen)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_bound_lies_below_all_ids_of_the_span(ms: int, span: int) -> None:
    bound = earlier(minted(ms), span * MS)
    assert bound < minted(ms - span + 1)
    assert bound >= minted(ms - span - 1)


def test_a_reader_starts_where_it_asks_to_even_if_the_clock_is_shifted() -> None:
    real, shifted = new_uuid(), BEGIN + timedelta(days=4000)
    position = Position.at(shifted - timedelta(hours=1), shifted, real)
    assert earlier(real, timedelta(hours=1) + tail.SETTLING) == position.settled
    assert Position.at(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), real).settled == UUID(int=0)
