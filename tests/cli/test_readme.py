"""What the README shows is what happens: its commands are run and their output is compared, "…" standing for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Machine, environ

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```console\n\$ (.*?)\n```", README, re.DOTALL)


def split(block: str) -> tuple[str, str]:
    """The command, which may go on over several lines, and the output."""
    lines = block.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    return "\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])


def matches(shown: str, said: str) -> bool:
    lines = (".*" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in shown.splitlines())
    return re.fullmatch("\n".join(lines), said.strip(), re.DOTALL) is not None


def test_a_start_says_what_the_readme_shows(machine: Machine) -> None:
    command, shown = split(BLOCKS[0])
    assert command == "make up"
    said = machine.up.greeting.replace(str(machine.up.port), "7050")
    assert matches(shown, said), said


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_a_call_answers_what_the_readme_shows(machine: Machine, block: str) -> None:
    command, shown = split(block)
    here = command.replace(".venv/bin/", "").replace("revops call", f"{sys.executable} -m revops_mesh.cli call")
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", here.replace("7050", str(machine.up.port)).replace("8080", str(machine.up.http_port))],
        env=environ(TOKEN=machine.up.token, REVOPS_DATA=str(machine.up.data), PATH=beside),
        capture_output=True,
        text=True,
    )
    assert matches(shown, ran.stdout + ran.stderr), ran.stdout + ran.stderr


def test_every_command_it_names_exists() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in set(re.findall(r"`make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"\]\(([^)#]+)\)", README):
        assert (Path(__file__).parents[2] / path).exists(), path
