"""Copies what is appended to log files to stdout, as it is, without a prefix."""

import sys
from pathlib import Path


class Mirror:
    """Remembers how far each log has been copied; what stood in it before `add` is not copied."""

    def __init__(self) -> None:
        self._copied: dict[Path, int] = {}

    def add(self, log: Path) -> None:
        self._copied[log] = log.stat().st_size if log.exists() else 0

    def copy(self) -> None:
        """Writes what is new in every log. Raises `BrokenPipeError` when nobody reads stdout any more."""
        for log, position in self._copied.items():
            if log.exists():
                self._copied[log] = _copy_from(log, position)
        sys.stdout.flush()


def _copy_from(log: Path, position: int) -> int:
    """Writes what follows byte `position` and returns the new end; a log that has shrunk was begun anew."""
    with log.open("rb") as text:
        text.seek(position if position <= log.stat().st_size else 0)
        sys.stdout.write(text.read().decode(errors="replace"))
        return text.tell()
