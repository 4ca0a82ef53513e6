"""Splits bytes that come in pieces into records, without ever holding more than one of them.

A record ends at a line feed; in CSV (RFC 4180) at one that is not inside quotes. A quote that is not closed within `LONGEST` ends
with its line, so that one bad row does not swallow the others. UTF-8: neither byte occurs inside another character.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 1024 * 1024
"""Bytes of a record."""
BOM = b"\xef\xbb\xbf"

_MARK = re.compile(rb'["\n]')


@dataclass(frozen=True, slots=True)
class Record:
    """The bytes of one record without its line end, and where the next one begins."""

    data: bytes
    end: int


class Splitter:
    """Takes pieces in order from the byte `position` on, which begins a record."""

    def __init__(self, position: int = 0, *, quotes: bool) -> None:
        self._begin, self._quotes = position, quotes
        self._held = bytearray()
        self._seen, self._inside = 0, False
        """How much of what is held was looked at, and whether that ends inside quotes."""

    def feed(self, piece: bytes) -> Iterator[Record]:
        """The records that end in a piece."""
        self._held += piece
        yield from self._ended()

    def rest(self) -> Iterator[Record]:
        """What is left when no more pieces come."""
        while self._held:
            yield from self._ended()
            if self._held:
                first = self._held.find(b"\n") if self._inside else -1
                yield self._cut(len(self._held) if first < 0 else first + 1)

    def _ended(self) -> Iterator[Record]:
        while (end := self._end()) is not None:
            yield self._cut(end)

    def _end(self) -> int | None:
        """Behind the line feed that ends the first record held; None if there is none yet."""
        for mark in _MARK.finditer(self._held, self._seen):
            if mark[0] == b"\n" and not self._inside:
                return mark.end()
            if mark[0] == b'"' and self._quotes:
                self._inside = not self._inside
            self._seen = mark.end()
        self._seen = len(self._held)
        if len(self._held) <= LONGEST:
            return None
        first = self._held.find(b"\n")
        return first + 1 if 0 <= first < LONGEST else LONGEST

    def _cut(self, end: int) -> Record:
        data = bytes(self._held[:end])
        del self._held[:end]
        self._begin += end
        self._seen, self._inside = 0, False
        if self._begin == end and data.startswith(BOM):
            data = data[len(BOM) :]
        return Record(data.removesuffix(b"\n").removesuffix(b"\r"), self._begin)
