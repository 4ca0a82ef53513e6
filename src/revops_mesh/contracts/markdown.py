"""Tables and names as the generated pages write them, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, or the word "None." when there is nothing to list."""
    written = [_row(row) for row in rows]
    return [_row(header), _row(["---"] * len(header)), *written] if written else ["None."]


def codes(names: Iterable[str]) -> str:
    """Names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def short(full_name: str, parts: int = 2) -> str:
    """The last parts of a full name, as in `QuoteService.GetQuote`."""
    return ".".join(full_name.split(".")[-parts:])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip().replace("|", "\\|") or "–" for cell in cells) + " |"
