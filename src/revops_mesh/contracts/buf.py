"""Runs buf: format, lint and the comparison with the released image. Its rules are in `buf.yaml`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from revops_mesh.contracts.workspace import Refused, Workspace, run, tool


def rewrite_format(workspace: Workspace) -> None:
    """Formats `protos/` in place."""
    _buf(workspace, "the contract cannot be formatted", ["format", "-w", str(workspace.protos)])


def check_format(workspace: Workspace) -> None:
    """Refuses contracts that `format` would change, with the difference."""
    _buf(workspace, "not formatted: run `make proto`", ["format", "-d", "--exit-code", str(workspace.protos)])


def lint(workspace: Workspace, image: bytes) -> None:
    """Refuses an image that breaks a rule of `buf.yaml`."""
    with tempfile.TemporaryDirectory(prefix="revops-buf-") as folder:
        current = Path(folder, "contract.binpb")
        current.write_bytes(image)
        _buf(workspace, "the contract breaks a lint rule", ["lint", str(current)])


def breaking(workspace: Workspace, image: bytes) -> None:
    """Refuses an image that breaks callers or stored state of the released one, which must exist."""
    with tempfile.TemporaryDirectory(prefix="revops-buf-") as folder:
        current = Path(folder, "contract.binpb")
        current.write_bytes(image)
        against = ["breaking", str(current), "--against", str(workspace.released)]
        _buf(workspace, "the contract breaks what was released", against)


def _buf(workspace: Workspace, title: str, arguments: list[str]) -> None:
    code, output = run([tool("buf"), *arguments], workspace.root)
    if code:
        raise Refused(title, output.splitlines())
