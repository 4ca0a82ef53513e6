"""The page for partners is true: its commands run against processes, and say what the page says."""

import asyncio
import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from google.rpc import code_pb2
from revops.options.v1 import options_pb2 as options

from revops_mesh.gateway.rest.limits import ADDRESS_BURST, ADDRESS_PER_SECOND
from revops_mesh.gateway.rest.statuses import HTTP_STATUS
from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.contract.methods import contract
from tests.gateway.partners.processes import Installation
from tests.world import TEAM, World

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "partners.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
END = "\x1e"


def matches(shown: str, said: str) -> bool:
    """Whether an output is what is shown, "…" standing for anything."""
    return re.fullmatch(re.escape(shown.strip()).replace("…", ".*"), said.strip().replace("\r", ""), re.DOTALL) is not None


async def test_every_command_says_what_the_page_says(
    installation: Installation, world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    admin = issuer.issue("users/anna", await world.tenant(TEAM), ["admin"])
    steps = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", "".join(BLOCKS), re.MULTILINE)
    script = "\n".join(f"{command}\nprintf '\\x1e'" for command, _ in steps)
    environ = {**os.environ, "REVOPS_URL": installation.url, "ADMIN": admin}
    run = partial(subprocess.run, ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    ran = await asyncio.to_thread(run)
    said = ran.stdout.split(END)[:-1]
    assert len(said) == len(steps) > 15
    for (command, shown), output in zip(steps, said, strict=True):
        assert matches(shown, output), f"{command}\n{output}\n{ran.stderr}"


def test_its_table_of_limits_is_the_contract_s() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    stated = {}
    for value in options.Edition.DESCRIPTOR.values[1:]:
        rate = value.GetOptions().Extensions[options.rate]
        numbers = (rate.per_second, rate.burst, rate.caller_per_second, rate.caller_burst)
        stated[value.name.removeprefix("EDITION_")] = tuple(map(str, numbers))
    assert {name: tuple(numbers) for name, *numbers in rows} == stated
    assert f"{ADDRESS_PER_SECOND} requests a second are answered of one address, {ADDRESS_BURST} at once" in PAGE


def test_its_reasons_exist_with_these_statuses() -> None:
    codes = {value.name: value.options for enum in contract().enums.values() if enum.is_reason for value in enum.values}
    rows = re.findall(r"^\| ([\d, ]+) \| (`.*?`) \|", PAGE, re.MULTILINE)
    assert len(rows) > 10
    for statuses, named in rows:
        found = {HTTP_STATUS[code_pb2.Code.Name(codes[reason]["revops.options.v1.code"])] for reason in re.findall(r"\w+", named)}
        assert found == set(map(int, statuses.split(", "))), named


def test_its_links_lead_somewhere() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / path).exists(), path
