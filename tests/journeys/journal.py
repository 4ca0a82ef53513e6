"""The callers' journal: what they sent and what they were told, one JSON object a line. An answer counts once it is on disk.

Instants are Unix seconds of the machine's clock.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec

What = Literal["sent", "lost", "told", "refused"]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt, the loss of an attempt that is made again, an answer, or a refusal for good."""

    what: What
    request_id: str
    method: str
    at: float
    name: str = ""
    """Of the resource in the answer; `etag` and `number` likewise."""
    etag: str = ""
    number: str = ""
    why: str = ""
    """Reason of a loss or a refusal, the gRPC code where no member spoke."""


class Journal:
    """Writes a journal; the order of its lines is the order in which things happened to the callers."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, line: Line) -> None:
        """Adds a line; what a caller may rely on is on disk when this returns."""
        os.write(self._file, msgspec.json.encode(line) + b"\n")
        if line.what in ("told", "refused"):
            os.fsync(self._file)


class Follower:
    """Reads a journal that is being written."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._open = path, 0, set[str]()
        self.told = 0

    def in_flight(self) -> int:
        """How many calls wait for an answer at this moment; those that wait to be sent again are not counted."""
        if not self._path.exists():
            return 0
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._note(msgspec.json.decode(line, type=Line))
        return len(self._open)

    def _note(self, line: Line) -> None:
        self.told += line.what == "told"
        if line.what == "sent":
            self._open.add(line.request_id)
        else:
            self._open.discard(line.request_id)


def read(path: Path) -> list[Line]:
    """All lines of a journal."""
    return [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]
