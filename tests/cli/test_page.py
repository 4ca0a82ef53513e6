"""docs/cli.md names every command and every option that there is, and no other; what prints data prints JSON when asked to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from revops_mesh.cli.main import SUBCOMMANDS, app

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text()
SERVERS = {"serve", "gateway"}
"""Their standard output is lines of JSON in any case."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words, as in "tenant create"."""
    root = typer.Context(get_command(app))
    for name in SUBCOMMANDS:
        context = root.command.get_command(root, name).make_context(name, ["--help"], root, resilient_parsing=True)  # type: ignore[attr-defined]
        if hasattr(context.command, "commands"):
            yield from ((f"{name} {each}", command) for each, command in context.command.commands.items())
        else:
            yield name, context.command


COMMANDS = dict(commands())


def sections() -> dict[str, str]:
    """The text below each heading that names a command."""
    parts = re.split(r"^### `revops ([a-z -]+)`\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_is_about_the_commands_that_there_are() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_names_the_options_of_a_command(name: str) -> None:
    options = {
        option for each in COMMANDS[name].params for option in (*each.opts, *each.secondary_opts) if option.startswith("--")
    }
    named = set(re.findall(r"`(--[a-z-]+)", sections()[name]))
    everywhere = {"--help", "--data", "--address", "--token", "--json", "--tenant"}
    assert named - everywhere == options - everywhere - {"--demo"}
    assert options >= named


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - SERVERS))
def test_what_a_command_prints_can_be_had_as_json(name: str) -> None:
    assert "--json" in {option for each in COMMANDS[name].params for option in each.opts}
