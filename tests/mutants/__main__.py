"""`python -m tests.mutants [name …]`: seeds every fault in a copy of the tree and runs the tests that must turn red.

Without a fault the same tests must be green. The exit code is 1 if a mutant survives, its patch no longer applies, or its tests
do not run at all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.patching import Mutant, Unfit, read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COPIED = ("src", "generated", "protos", "tests", "buf.yaml", "pyproject.toml")
GREEN, RED = 0, 1
"""Exit codes of pytest: all passed, some failed; the others mean that tests did not run."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    name: str
    fault: str
    outcome: str
    """KILLED, or why it lives."""
    seconds: float
    output: str = ""


def copied(into: Path) -> Path:
    """A copy of the tree."""
    for name in COPIED:
        source, ignore = ROOT / name, shutil.ignore_patterns("__pycache__", ".pytest_cache")
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=ignore)
        else:
            shutil.copy(source, into / name)
    return into


def tested(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Runs tests in a tree: pytest's exit code and its output."""
    paths = [str(tree / "src"), str(tree / "generated"), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def judged(mutant: Mutant) -> Verdict:
    """Seeds one fault and says what became of it."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = copied(Path(folder))
        try:
            mutant.apply(tree)
        except Unfit as unfit:
            return Verdict(mutant.name, mutant.fault, "DOES NOT APPLY", time.monotonic() - begun, str(unfit))
        code, output = tested(tree, mutant.red)
    outcome = {GREEN: "SURVIVED", RED: "KILLED"}.get(code, f"TESTS DID NOT RUN ({code})")
    return Verdict(mutant.name, mutant.fault, outcome, time.monotonic() - begun, "" if code == RED else output)


def sound(mutants: list[Mutant]) -> Verdict:
    """The tests without any fault."""
    begun = time.monotonic()
    tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.red))
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        code, output = tested(copied(Path(folder)), tests)
    outcome = "GREEN" if code == GREEN else "NOT GREEN: red means nothing"
    return Verdict("(none)", f"{len(tests)} tests without a fault", outcome, time.monotonic() - begun, output if code else "")


def main(names: list[str]) -> int:
    """Judges the named mutants, all if none is named."""
    try:
        mutants = [read(path) for path in sorted(HERE.glob("*.patch")) if not names or path.stem in names]
    except Unfit as unfit:
        print(unfit, file=sys.stderr)
        return 1
    if not mutants or not set(names) <= {mutant.name for mutant in mutants}:
        print(f"no such mutant: {names}", file=sys.stderr)
        return 1
    verdicts = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as workers:
        for verdict in (sound(mutants), *workers.map(judged, mutants)):
            print(f"{verdict.outcome:<14} {verdict.seconds:5.1f} s  {verdict.name:<34} {verdict.fault}", flush=True)
            verdicts.append(verdict)
    living = [verdict for verdict in verdicts if verdict.outcome not in ("KILLED", "GREEN")]
    for verdict in living:
        print(f"\n{verdict.name}: {verdict.outcome}\n{verdict.output[-3000:]}")
    print(f"\n{len(mutants)} mutants, {len(mutants) - sum(v.name != '(none)' for v in living)} killed")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
