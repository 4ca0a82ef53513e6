"""Running a script of ours as another process, if need be as a user who is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
Script = Callable[[str], subprocess.Popen[str]]


def python_path() -> str:
    """Our source and the installed packages, for an interpreter outside of this environment."""
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    return os.pathsep.join([str(SOURCE), *packages])


def popen_options() -> dict[str, object]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": python_path(), "PYTHONDONTWRITEBYTECODE": "1"}
    return {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment}


@pytest.fixture
def script() -> Iterator[Script]:
    """Starts Python code in a process of its own and kills it at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        started.append(subprocess.Popen(command, start_new_session=True, **popen_options()))  # type: ignore[call-overload]
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def normal_user(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Runs Python code to its end as a user who is not root, in an own directory; returns what it printed."""
    if os.geteuid() != 0:
        yield lambda code: _output([sys.executable, "-c", code], tmp_path, {})
        return
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    home = Path("/var/tmp") / f"revops-test-{os.getpid()}-{tmp_path.name}"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    yield lambda code: _output([_interpreter_for(identity), "-c", code], home, identity)
    shutil.rmtree(home)


def _output(command: list[str], home: Path, identity: dict[str, object]) -> str:
    command[-1] = textwrap.dedent(command[-1])
    ended = subprocess.run(command, cwd=home, timeout=60, check=False, **popen_options(), **identity)  # type: ignore[call-overload]
    assert ended.returncode == 0, ended.stdout
    return str(ended.stdout)


def _interpreter_for(identity: dict[str, object]) -> str:
    """This interpreter, or the system's if the user cannot reach this one; ours needs only the standard library."""
    check = "import sys, revops_mesh.local.errors; sys.exit(sys.version_info < (3, 11))"
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            tried = subprocess.run([candidate, "-c", check], cwd="/", check=False, **popen_options(), **identity)  # type: ignore[call-overload]
        except OSError:
            continue
        if tried.returncode == 0:
            return candidate
    pytest.skip("no Python 3.11 that the user nobody can execute and that reaches the source")
