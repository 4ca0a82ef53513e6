"""Seeded faults stay seedable: every patch applies to the present tree, and a patch that does not is told apart."""

import shutil
from pathlib import Path

import pytest

from tests.mutants.__main__ import HERE, ROOT
from tests.mutants.patching import Unfit, read

PATCHES = sorted(HERE.glob("*.patch"))
SOUND = "# Fault: f.\n# Red: tests/x.py\n--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n a\n-b\n+c\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "m.patch"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", PATCHES, ids=[path.stem for path in PATCHES])
def test_a_patch_applies_to_the_present_tree(path: Path, tmp_path: Path) -> None:
    mutant = read(path)
    for file in {hunk.file for hunk in mutant.hunks}:
        assert file.startswith("src/")
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    mutant.apply(tmp_path)
    for test in mutant.red:
        assert (ROOT / test.partition("::")[0]).exists(), f"{test} is gone"
    for file in {hunk.file for hunk in mutant.hunks}:
        compile((tmp_path / file).read_text(), file, "exec")


def test_a_hunk_is_found_wherever_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("new\nlines\na\nb\nmore\n")
    read(written(tmp_path, SOUND)).apply(tmp_path)
    assert (tmp_path / "f.py").read_text() == "new\nlines\na\nc\nmore\n"


@pytest.mark.parametrize("text", ["a\nx\n", "a\nb\na\nb\n", ""], ids=["changed", "ambiguous", "empty"])
def test_a_hunk_that_is_not_found_once_does_not_apply(text: str, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(text)
    with pytest.raises(Unfit, match=r"f\.py has [02] places"):
        read(written(tmp_path, SOUND)).apply(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        SOUND.replace("# Fault: f.\n", ""),
        SOUND.replace("# Red: tests/x.py\n", ""),
        SOUND.replace("+c", "+b"),
        "# Fault: f.\n# Red: t\n",
    ],
    ids=["no fault", "no test", "no change", "no hunk"],
)
def test_a_patch_that_says_too_little_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Unfit):
        read(written(tmp_path, text))
