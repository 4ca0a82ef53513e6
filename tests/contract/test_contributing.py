"""CONTRIBUTING's worked example is followed to the letter in a copy of the tree: it is five files and one entry, and it works.

A fenced block whose first line names a file is written to it, a second one is added to the first; a `diff` is applied, and the
commands of a `sh` block are run.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from revops_mesh.kernel.call import Call
from tests.mutants.__main__ import ROOT, copied
from tests.mutants.patching import hunks_of

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLE = PAGE.partition("## A module in an hour")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent
DERIVED = ("generated", "docs/reference")
"""What commands write and nobody edits."""
SERVICE = "revops.quoting.v1.CompetitorService"
RPCS = ("CreateCompetitor", "GetCompetitor", "ListCompetitors", "RecordEncounter", "ArchiveCompetitor")


@dataclass
class Copy:
    """A copy of the tree in which the page is followed."""

    root: Path
    before: dict[str, str] = field(default_factory=dict)
    said: str = ""
    """What the commands printed."""

    def written(self) -> dict[str, str]:
        """Every file that somebody answers for: text by path."""
        files = (path for path in self.root.rglob("*") if path.is_file() and path.suffix in {".py", ".proto", ".toml", ".yaml"})
        paths = {path.relative_to(self.root).as_posix(): path for path in files}
        return {name: path.read_text() for name, path in paths.items() if not name.startswith((*DERIVED, "."))}

    def run(self, command: str) -> None:
        """Runs a command of the page with the programs of this environment."""
        here = re.sub(r"(?<![\w/])\.venv/bin/", f"{BIN}/", command).replace("make ", f"make -o setup -o .venv/.node BIN={BIN} ")
        here = here.replace("pytest ", "pytest -vv -p no:xdist -p no:cacheprovider ")
        paths = os.pathsep.join(str(self.root / name) for name in ("src", "generated"))
        env = {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"}
        ran = subprocess.run(
            ["bash", "-c", here], cwd=self.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said += ran.stdout
        assert ran.returncode == 0, f"{command}\n{ran.stdout[-6000:]}"

    def follow(self, language: str, path: str, text: str) -> None:
        """Does what a block of the page says."""
        if language == "sh":
            for command in text.splitlines():
                self.run(command)
        elif language == "diff":
            for hunk in hunks_of(text.splitlines()):
                hunk.apply(self.root)
        elif path:
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("a") as file:
                file.write(("\n" if target.stat().st_size else "") + text)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The tree after the page."""
    copy = Copy(copied(tmp_path_factory.mktemp("newcomer")))
    for name in ("Makefile", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, copy.root)
    shutil.rmtree(copy.root / "src/typescript")  # else every copy has Node fetch what generates it
    copy.before = copy.written()
    for language, path, text in BLOCK.findall(EXAMPLE):
        copy.follow(language, path, text)
    return copy


@pytest.mark.timeout(900)
def test_a_module_is_five_files_and_one_entry(followed: Copy) -> None:
    after = followed.written()
    new = sorted(set(after) - set(followed.before))
    changed = [path for path, text in followed.before.items() if after.get(path) != text]
    assert len(new) == 5, new
    assert changed == ["src/revops_mesh/quoting/__init__.py"]
    added = set(after[changed[0]].splitlines()) - set(followed.before[changed[0]].splitlines())
    assert sorted(line.split()[0].partition("(")[0] for line in added) == ["Module", "from", "from"]
    for path in new:
        named = re.sub(r"versions/\d+_", "versions/…_", path)
        assert f"`{named}`" in EXAMPLE, f"{path} is not in the table"


@pytest.mark.timeout(900)
def test_every_method_of_the_module_keeps_the_promises_of_all(followed: Copy) -> None:
    passed = re.findall(rf"::(\w+)\[[^\]]*{re.escape(SERVICE)}\.(\w+)[^\]]*\] PASSED", followed.said)
    promises = Counter(rpc for _, rpc in passed)
    assert sorted(promises) == sorted(RPCS)
    assert min(promises.values()) > 15, promises
    tests = {test for test, _ in passed}
    for wanted in (
        "foreign_tenant",
        "stale_etag",
        "replay",
        "permission",
        "lower_edition",
        "hostile|makes_a_fault",
        "unique_value",
    ):
        assert any(re.search(wanted, test) for test in tests), f"no test of {wanted}"
    assert re.search(
        r"test_a_cap_admits_the_last_and_refuses_the_next\[revops.quoting.v1.Competitor-FREE\] PASSED", followed.said
    )


@pytest.mark.timeout(900)
def test_what_the_page_has_written_passes_the_checks(followed: Copy) -> None:
    followed.run(f"{BIN}/ruff check . && {BIN}/ruff format --check .")
    followed.run(f"{BIN}/python -m revops_mesh.contracts lint check-contract current")
    followed.run(f"{BIN}/mypy src/revops_mesh/quoting/competitors_service.py")
    followed.run(f"{BIN}/lint-imports --no-logo && {BIN}/pytest tests/contract/test_budgets.py")


def test_the_page_names_what_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for targets in re.findall(r"`make ([a-z ]+)", PAGE):
        for target in targets.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for name in re.findall(r"\bcall\.(?!py\b)(\w+)", PAGE):
        assert hasattr(Call, name) or name in Call.__dataclass_fields__, f"call.{name}"
    for path in re.findall(r"`((?:src|tests|docs|protos)/[\w/.]+)`", PAGE.replace(EXAMPLE, "")):
        assert (ROOT / path).exists(), path
    for decision in re.findall(r"\(decision (\d+)\)|, decision (\d+)\)", PAGE):
        assert list((ROOT / "docs/decisions").glob(f"{int(''.join(decision)):04}-*.md")), decision


def test_the_page_quotes_what_the_checks_say() -> None:
    table = PAGE.partition("## What the checks say")[2].partition("\n## ")[0]
    sources = "\n".join(path.read_text() for folder in ("src", "tests", "pyproject.toml") for path in texts(ROOT / folder))
    for quoted in re.findall(r"^\| (`+)(.*?)\1 \|", table, re.MULTILINE):
        words = re.split(r"…|;|\bX\b|\[[a-z, ]+\]|\bCompetitor\w*|\bArchive\w*|quoting\.\w+|`x`", quoted[1])
        for part in (part.strip(' `"') for part in words):
            assert part in sources, f"nobody says {part!r}"


def texts(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*.py") if each.name != "test_contributing.py"]
