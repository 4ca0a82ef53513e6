"""Writes derived files, and tells how those on disk differ from what they should be."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

SHOWN_LINES = 12
"""Lines of a textual difference that are shown; enough to recognise it."""


def write(folder: Path, expected: Mapping[str, bytes], keep: Collection[str] = ()) -> int:
    """Makes `folder` hold exactly `expected` (relative path → bytes) beside `keep`; returns how many files changed."""
    stale = _stale(folder, expected, keep)
    for path in stale:
        target = folder / path
        if path in expected:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(expected[path])
        else:
            target.unlink()
    return len(stale)


def differences(folder: Path, expected: Mapping[str, bytes], keep: Collection[str] = ()) -> list[str]:
    """One entry a file that `write` would change: what is wrong with it and, for text, where it starts to differ."""
    return [_difference(folder / path, expected.get(path)) for path in _stale(folder, expected, keep)]


def _stale(folder: Path, expected: Mapping[str, bytes], keep: Collection[str]) -> list[str]:
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wrong = {path for path, content in expected.items() if path not in found or found[path].read_bytes() != content}
    return sorted(wrong | {path for path in found if path not in expected and path not in keep})


def _difference(path: Path, expected: bytes | None) -> str:
    label = f"{path.parent.name}/{path.name}"
    if expected is None:
        return f"{path}: nothing produces it"
    if not path.exists():
        return f"{path}: missing"
    try:
        old, new = path.read_text().splitlines(), expected.decode().splitlines()
    except UnicodeDecodeError:
        return f"{path}: not what the contract says (binary)"
    shown = list(difflib.unified_diff(old, new, f"{label} on disk", f"{label} from the contract", n=0, lineterm=""))
    return "\n".join([f"{path}: not what the contract says", *(f"    {line}" for line in shown[:SHOWN_LINES])])
