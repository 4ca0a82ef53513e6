"""Records: the same whatever pieces they come in, from whichever record one begins, and never more than one in memory."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.platform.bulk import records
from revops_mesh.platform.bulk.records import BOM, Record, Splitter

CELLS = st.lists(st.sampled_from([*'ab",;\n é€𝔘', "\r\n"]), max_size=6).map("".join)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n"])


def split(data: bytes, cuts: list[int], *, quotes: bool, position: int = 0) -> list[Record]:
    """The records of bytes that come in pieces."""
    splitter, found = Splitter(position, quotes=quotes), list[Record]()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in pairwise(places):
        found += splitter.feed(data[begin:end])
    return [*found, *splitter.rest()]


def parsed(found: list[Record]) -> list[list[str]]:
    return [next(csv.reader(io.StringIO(record.data.decode(), newline=""), strict=True), []) for record in found]


@given(TABLES, ENDS, st.booleans(), st.lists(st.integers(0, 1000), max_size=6))
def test_a_table_is_split_into_its_rows(table: list[list[str]], end: str, last: bool, cuts: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(table)
    data = text.getvalue().encode()
    data = data if last else data.removesuffix(end.encode())
    found = split(data, cuts, quotes=True)
    assert parsed(found) == table
    assert [record.end for record in found[-1:]] == ([len(data)] if table else [])
    for i, record in enumerate(found):
        assert split(data[record.end :], cuts, quotes=True, position=record.end) == found[i + 1 :], "a cursor is good anywhere"


@given(st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")), max_size=8), ENDS)
def test_lines_are_split_at_their_ends_whatever_quotes_they_have(lines: list[bytes], end: str) -> None:
    data = b"".join(line + end.encode() for line in lines)
    data = data if not data.startswith(BOM) else b"a" + data
    found = split(data, [1, 3, 7], quotes=False)
    assert b"".join(record.data + end.encode() for record in found) == data


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert [record.data for record in split(BOM + b"a,b\n1,2\n", [2], quotes=True)] == [b"a,b", b"1,2"]
    assert split(BOM + b"a\n", [], quotes=True)[0].end == 5


def test_a_quote_that_is_not_closed_ends_with_its_line() -> None:
    found = split(b'a,"b\nc,d\ne,"f g"\nh,i', [4], quotes=True)
    assert [record.data for record in found] == [b'a,"b', b"c,d", b'e,"f g"', b"h,i"]


def test_a_quote_that_is_not_closed_for_long_costs_no_more_memory_than_the_longest_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "LONGEST", 50)
    splitter, found, most = Splitter(quotes=True), list[Record](), 0
    for piece in [b'a,"b\n', *(b"row,%d\n" % n for n in range(100))]:
        found += splitter.feed(piece)
        most = max(most, len(splitter._held))
    found += splitter.rest()
    assert [record.data for record in found] == [b'a,"b', *(b"row,%d" % n for n in range(100))]
    assert most <= 60


def test_a_line_that_is_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 10)
    found = split(b"x" * 25 + b"\nshort\n", [12, 24], quotes=False)
    assert [len(record.data) for record in found] == [10, 10, 5, 5]
    assert found[-1].end == 32
