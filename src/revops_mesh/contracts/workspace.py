"""Where the toolchain reads and writes, and how it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REFERENCE, CONTEXT_MAP = "reference", "context-map.md"
"""Below `docs/`: a folder that is made, and a page whose tables are made."""


class Refused(Exception):
    """The contract, or what was derived from it, is not acceptable; `problems` says why, one line each."""

    def __init__(self, title: str, problems: Sequence[str]) -> None:
        super().__init__("\n".join([title, *problems]))
        self.title = title
        self.problems = tuple(problems)


class Missing(Exception):
    """A program of another language, or a package of it, cannot be had here; the text says which and why."""


@dataclass(frozen=True)
class Workspace:
    """A checkout of the project."""

    root: Path

    @property
    def protos(self) -> Path:
        """The contracts, written by people."""
        return self.root / "protos"

    @property
    def generated(self) -> Path:
        """Everything that follows from the contracts; never edited."""
        return self.root / "generated"

    @property
    def released(self) -> Path:
        """The image of the last release, with which the present one is compared."""
        return self.generated / "released.binpb"

    @property
    def docs(self) -> Path:
        """The pages; those in `REFERENCE` and the tables of `CONTEXT_MAP` are made from descriptors and comments."""
        return self.root / "docs"

    @property
    def typescript(self) -> Path:
        """What people write of the TypeScript client."""
        return self.root / "src" / "typescript"

    @property
    def build(self) -> Path:
        """What is built and not committed."""
        return self.root / "build"

    @property
    def changelog(self) -> Path:
        """Where a changed policy has to be announced."""
        return self.root / "CHANGELOG.md"

    def pages_by_hand(self) -> list[str]:
        """Paths below `docs/` of what people write, sorted."""
        found = (path.relative_to(self.docs) for path in self.docs.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if path.parts[0] != REFERENCE)

    def proto_files(self) -> list[str]:
        """Paths of our contracts below `protos/`, sorted; never empty."""
        found = sorted(path.relative_to(self.protos).as_posix() for path in self.protos.rglob("*.proto"))
        if not found:
            raise Refused("no contracts", [f"{self.protos} holds no .proto file"])
        return found


def tool(name: str) -> str:
    """Path of a program installed beside the running interpreter, whatever PATH says."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise Refused("a tool is missing", [f"{name} is not installed beside {sys.executable}: run `make setup`"])
    return str(path)


def run(command: Sequence[str], where: Path) -> tuple[int, str]:
    """Exit code and combined output of a program run in `where`."""
    done = subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
