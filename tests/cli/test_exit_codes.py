"""Exit codes 0, 1, 2 and 130 as docs/cli.md states them, and names that somebody meant."""

import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Machine


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["token", "--tenant", "acmee"], "there is no tenant acmee; did you mean acme?"),
        (["show", "quotes/helix-gpu", "--tenant", "glopex"], "there is no tenant glopex; did you mean globex?"),
        (["show", "quots/helix-gpu", "--tenant", "acme"], "quots/helix-gpu is no resource name; did you mean quotes?"),
        (
            ["show", "quotes/helix-gp", "--tenant", "acme"],
            "the tenant acme has no quotes/helix-gp; did you mean quotes/helix-gpu",
        ),
        (["reproject", "quoting.Quot"], "no kind is called quoting.Quot; did you mean quoting.Quote"),
        (["export", "quots", "-o", "out.csv", "--tenant", "acme"], "no collection is called quots; did you mean quotes?"),
        (["catalogue", "--capability", "quotin"], "no capability is called quotin; did you mean quoting?"),
        (["call", "GetQuot"], "no methods are called GetQuot; did you mean GetQuote"),
        (["tenant", "list", "--address", "http://localhost:1"], "http://localhost:1 is no address of a member: write host:port"),
        (["export", "quotes", "-o", "/nowhere/out.csv", "--tenant", "acme"], "there is no directory /nowhere for out.csv"),
        (["token-key", "/nowhere/keys.json"], "there is no directory /nowhere for keys.json"),
    ],
)
def test_who_names_what_is_not_there_is_told_what_is(machine: Machine, arguments: list[str], said: str) -> None:
    ran = machine.revops(*arguments)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"revops: {said}")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["promotion-repor"],
        ["promotion-report", "--days", "0"],
        ["promotion-report", "--share", "1.1"],
        ["export", "quotes", "-o", "-", "--format", "csv", "--tenant", "acme", "--json"],
        ["serve", "--workers", "x"],
        ["token", "--tenant", "acme", "--hours", "0"],
    ],
)
def test_a_wrong_call_is_2(machine: Machine, arguments: list[str]) -> None:
    ran = machine.revops(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "Traceback" not in ran.stderr


def test_a_member_that_does_not_answer_is_told_with_where_it_was_sought(machine: Machine, tmp_path: Path) -> None:
    token = machine.revops("token", "--tenant", "acme").stdout.strip()
    for found, environment in (
        ("as --address or REVOPS_ADDRESS says", {"REVOPS_ADDRESS": "127.0.0.1:9"}),
        ("the default", {"REVOPS_DATA": str(tmp_path)}),
    ):
        ran = machine.revops("call", "GetQuote", '{"name": "quotes/a"}', "--token", token, **environment)
        assert ran.exit_code == 1
        assert f", {found}: start one with revops up, or name another with --address" in ran.stderr


def test_ctrl_c_is_130_without_a_traceback(machine: Machine) -> None:
    """A request that stays on standard input keeps the command waiting, as a person would."""
    waiting = machine.background("call", "GetQuote", "-", "--tenant", "acme")
    while not Path(f"/proc/{waiting.pid}/wchan").exists() or "pipe" not in Path(f"/proc/{waiting.pid}/wchan").read_text():
        assert waiting.poll() is None
        time.sleep(0.05)
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=20)
    assert (waiting.returncode, b"Traceback" in said) == (130, False), said
