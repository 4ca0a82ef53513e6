"""One `revops up` for all tests here: started cold with the demo, stopped, started again warm."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from revops_mesh.cli.main import app
from revops_mesh.local.installation import Installation
from revops_mesh.local.ports import free_port

COMMAND = [sys.executable, "-m", "revops_mesh.cli"]
PATIENCE = 60.0
READY = "Ctrl-C stops everything."


def environ(**more: str) -> dict[str, str]:
    """This process's, but for what would lead a command elsewhere."""
    return {key: text for key, text in os.environ.items() if not key.startswith("REVOPS_")} | {"NO_COLOR": "1"} | more


@dataclass
class Running:
    """A `revops up` under way."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    output: Path
    seconds: float

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def greeting(self) -> str:
        """What it said until it was ready; later it tells of what fails, as a killed member does."""
        return "".join(self.said.partition(READY)[:2])

    @property
    def http_port(self) -> int:
        return int(re.findall(r"http://127\.0\.0\.1:(\d+)/docs", self.said)[0])

    @property
    def token(self) -> str:
        return next(line.removeprefix("export TOKEN=") for line in self.said.splitlines() if line.startswith("export"))

    def await_said(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def stop(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def start(data: Path, port: int, *arguments: str, **environment: str) -> Running:
    """Starts `revops up` and waits until it is ready."""
    output, begun = data.parent / "said.txt", time.monotonic()
    with output.open("wb") as said:
        argv = [*COMMAND, "up", "--data", str(data), "--port", str(port), "--http-port", str(free_port()), *arguments]
        process = subprocess.Popen(argv, stdout=said, stderr=said, env=environ(**environment), start_new_session=True)
    running = Running(process, data, port, output, 0.0)
    try:
        running.await_said(READY)
    except BaseException:
        process.kill()
        raise
    running.seconds = time.monotonic() - begun
    return running


@dataclass
class Machine:
    """The warm `revops up`, and how long both starts took."""

    up: Running
    cold: float
    first_exit: int

    def revops(self, *arguments: str, **environment: str) -> Result:
        """A command of this process that finds the running member by its data directory."""
        return CliRunner().invoke(app, list(arguments), env={"REVOPS_DATA": str(self.up.data), "NO_COLOR": "1", **environment})

    def background(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command in a process of its own, with pipes.

        Ctrl-C reaches it also where tests run in the background of a shell, which has their processes ignore it: a program
        starts with the default of whatever its parent handles. (A preexec_fn would fork, and gRPC, loaded here, aborts then.)
        """
        env = environ(REVOPS_DATA=str(self.up.data), PYTHONPATH=os.environ.get("PYTHONPATH", ""))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            return subprocess.Popen([*COMMAND, *arguments], env=env, **pipes)
        finally:
            signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    data, port = tmp_path_factory.mktemp("up") / "data", free_port()
    first = start(data, port)
    first_exit = first.stop()
    warm = start(data, port)
    yield Machine(warm, first.seconds, first_exit)
    assert warm.stop() == 0
    assert Installation(data).running() is None
