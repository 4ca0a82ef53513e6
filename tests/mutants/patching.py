"""Seeded faults as unified diffs with a header, applied by what they say rather than by where they say it is.

A header names the fault and the tests that notice it:

    # Fault: the permission check is dropped.
    # Red: tests/contract/test_every_method.py::test_…[…]

Hunks carry little context and are found by their text, so that a patch survives changes around it. Source of the format:
GNU diffutils manual, "Unified Format".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"\+\+\+ b/(\S+)")


class Unfit(Exception):
    """A patch does not say what it must, or no longer applies."""


@dataclass(frozen=True)
class Hunk:
    """One change of one file."""

    file: str
    before: str
    after: str

    def apply(self, root: Path) -> None:
        """Makes the change in a tree. Raises `Unfit` if what it changes is not found exactly once."""
        path = root / self.file
        text = path.read_text() if path.exists() else ""
        if text.count(self.before) != 1:
            raise Unfit(f"{self.file} has {text.count(self.before)} places that read:\n{self.before}")
        path.write_text(text.replace(self.before, self.after))


@dataclass(frozen=True)
class Mutant:
    """One seeded fault."""

    name: str
    fault: str
    red: tuple[str, ...]
    """Ids of the tests that notice it, for pytest; at least one."""
    hunks: tuple[Hunk, ...]

    def apply(self, root: Path) -> None:
        """Seeds the fault in a tree. Raises `Unfit` if a hunk is not found exactly once."""
        for hunk in self.hunks:
            hunk.apply(root)


def read(path: Path) -> Mutant:
    """The mutant in a patch file. Raises `Unfit` if its header or its hunks are missing or change nothing."""
    header, _, body = path.read_text().partition("--- ")
    fault = re.findall(r"^# Fault: (.+)$", header, re.MULTILINE)
    red = re.findall(r"^# Red: (\S.*)$", header, re.MULTILINE)
    hunks = tuple(hunks_of(f"--- {body}".splitlines()))
    if len(fault) != 1 or not red or not hunks:
        raise Unfit(f"{path.name} needs one `# Fault:`, at least one `# Red:` and at least one hunk")
    if any(hunk.before == hunk.after for hunk in hunks):
        raise Unfit(f"{path.name} has a hunk that changes nothing")
    return Mutant(path.stem, fault[0], tuple(red), hunks)


def hunks_of(lines: list[str]) -> Iterator[Hunk]:
    """The changes in the lines of a unified diff."""
    file, before, after = "", list[str](), list[str]()
    for line in [*lines, "@@ end @@"]:
        if line.startswith(("@@", "--- ")) and (before or after):
            yield Hunk(file, "".join(f"{each}\n" for each in before), "".join(f"{each}\n" for each in after))
            before, after = [], []
        if found := _FILE.match(line):
            file = found[1]
        elif not line.startswith(("@@", "--- ", "+++ ")):
            if not line.startswith("+"):
                before.append(line[1:])
            if not line.startswith("-"):
                after.append(line[1:])
