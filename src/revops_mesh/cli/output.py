"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

WIDE = 400


def say(sentence: str, facts: Mapping[str, object], *, as_json: bool) -> None:
    """What was done: a sentence, or its facts as one JSON object."""
    print(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else sentence)


def show(rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Rows with the same keys: a JSON array, or a table whose headers are the keys."""
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        print("nothing")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in rows[0]:
        table.add_column(key.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(" ".join(value) if isinstance(value, list) else str(value) for value in row.values()))
    # Where nobody looks, nothing is folded, so that lines can be searched.
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
