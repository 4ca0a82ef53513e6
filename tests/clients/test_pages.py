"""Every snippet of the clients' pages runs against a member, and gives what the page says it gives."""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import NewToken
from tests.clients.typescript import Project
from tests.runtime.calling import Running

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:7050"


def blocks(page: str, address: str = ADDRESS) -> list[tuple[str, str]]:
    """Language and text of each snippet of a page, for a member at that address."""
    found = BLOCK.findall((ROOT / "docs" / "clients" / f"{page}.md").read_text())
    return [(language, text.replace(ADDRESS, address)) for language, text in found]


def told(page: str) -> str:
    """What the snippets of a page write, in their order."""
    return "".join(text for language, text in blocks(page) if language == "text")


async def commands(page: str) -> None:
    """Runs the commands of a page and compares what they write."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PIP_NO_BUILD_ISOLATION": "1", "PYTHONPATH": "src:generated"}
    for command, output in re.findall(
        r"^\$ (.*)\n((?:[^$].*\n)*)", "".join(t for la, t in blocks(page) if la == "console"), re.M
    ):
        done = await asyncio.to_thread(
            subprocess.run, command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if (missing := re.match(r"[\w-]+: (there is no .*|.* fails: .*|npm .*)", done.stderr)) is not None:
            pytest.skip(missing[0])
        assert (done.returncode, done.stdout) == (0, output), done.stderr


@pytest.fixture
async def at(serving: Running, token: NewToken, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a member; its token is in the environment, as on the pages."""
    monkeypatch.setenv("TOKEN", await token())
    return serving.address


async def test_the_python_page(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    await commands("python")
    session: dict[str, Any] = {}
    for language, text in blocks("python", at):
        if language == "python":
            code = compile(text, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            ran = eval(code, session)
            if inspect.isawaitable(ran):
                await ran
    assert capsys.readouterr().out == told("python")


async def test_the_typescript_page(at: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    await commands("typescript")
    project.compile(page="".join(text for language, text in blocks("typescript", at) if language == "ts"))
    assert await project.output("page") == told("typescript")


async def test_the_go_page(at: str, tmp_path: Path) -> None:
    await commands("go")
    (program,) = (text for language, text in blocks("go", at) if language == "go")
    (tmp_path / "main.go").write_text(program)
    module = (ROOT / "src/go/go.mod").read_text().replace("module revops/client", "module page")
    (tmp_path / "go.mod").write_text(f"{module}\nrequire revops/client v0.0.0\nreplace revops/client => {ROOT}/build/go\n")
    (tmp_path / "go.sum").write_bytes((ROOT / "src/go/go.sum").read_bytes())
    done = await asyncio.to_thread(
        subprocess.run, ["go", "run", "-mod=mod", "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, told("go")), done.stderr
