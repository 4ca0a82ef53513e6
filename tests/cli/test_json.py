"""With --json every command prints one document and nothing else, whatever it answers; a refusal leaves standard output empty."""

import json
import re
import shlex
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revops_mesh.cli.main import app
from tests.cli.conftest import Machine
from tests.cli.test_page import COMMANDS, SERVERS

CALLS = {
    "migrate": "",
    "token": "--tenant acme",
    "token-key": "{folder}/keys.json",
    "tenant create": "{slug}",
    "tenant list": "",
    "dead-letters list": "--tenant acme",
    "import": "{folder}/p.jsonl --type products --tenant acme --dry-run",
    "export": "products -o {folder}/out.csv --tenant acme",
    "operations list": "--tenant acme",
    "operations show": "{operation} --tenant acme",
    "operations wait": "{operation} --tenant acme",
    "call": 'GetQuote \'{{"name": "quotes/helix-gpu"}}\' --tenant acme',
    "show": "quotes/helix-gpu --tenant acme",
    "reproject": "catalog.Product",
    "promotion-report": "",
    "catalogue": "",
    "seed": "",
}
REFUSED = {
    "dead-letters replay": "0123456789abcdef0123456789abcdef --tenant acme",
    "operations cancel": "nowhere --tenant acme",
    "operations resume": "nowhere --tenant acme",
}
ELSEWHERE = {"up", "migration"}
"""They start servers: of `up` a refusal is tried below, and `migration` writes into the checkout."""


def test_every_command_is_tried_here() -> None:
    assert set(COMMANDS) == SERVERS | set(CALLS) | set(REFUSED) | ELSEWHERE


@pytest.fixture(scope="module")
def places(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("json")
    (folder / "p.jsonl").write_text('{"display_name": "Once"}\n')
    ended = machine.revops("export", "products", "-o", str(folder / "first.csv"), "--tenant", "acme", "--json")
    return {"folder": str(folder), "slug": f"j-{uuid.uuid4().hex[:8]}", "operation": json.loads(ended.stdout)["name"]}


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_one_document(machine: Machine, places: dict[str, str], name: str) -> None:
    ran = machine.revops(*name.split(), *shlex.split(CALLS[name].format(**places)), "--json", NO_COLOR="", FORCE_COLOR="1")
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout) is not None
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_leaves_standard_output_empty(machine: Machine, name: str) -> None:
    ran = machine.revops(*name.split(), *REFUSED[name].split(), "--json")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert re.match(r"revops: [A-Z_]+: .*\n\Z", ran.stderr)


def test_an_up_that_cannot_start_leaves_standard_output_to_its_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    ran = CliRunner().invoke(app, ["up", "--json", "--data", str(tmp_path / "data")])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "is not a directory" in ran.stderr
