"""`revops up` starts everything, tells a newcomer what to try, keeps it running and stops all of it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revops_mesh.local.installation import Installation
from revops_mesh.local.ports import free_port
from tests.cli.conftest import COMMAND, Machine, environ, start


def processes_of(data: Path) -> list[int]:
    """Pids of all processes that name the directory in their arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(data) in entry.read_bytes().decode(errors="replace"):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def member_of(up: int) -> int:
    """Pid of the `revops serve` under a `revops up`."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            words = (entry.parent / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == up and b"serve" in words:
            return int(entry.parent.name)
    raise AssertionError("no member runs")


def test_a_second_start_is_quicker_and_the_first_ended_well(machine: Machine) -> None:
    """How quick in seconds is told, not asserted: a machine that is busy with other tests would decide it."""
    print(f"cold {machine.cold:.1f} s, warm {machine.up.seconds:.1f} s")
    assert machine.first_exit == 0
    assert machine.up.seconds < machine.cold


def test_it_tells_where_everything_is(machine: Machine) -> None:
    assert f"gRPC on 127.0.0.1:{machine.up.port}" in machine.up.said
    assert "postgresql://" in machine.up.said
    assert "nats://" in machine.up.said
    assert "incomplete" not in machine.up.said


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_three_commands_to_try_work_as_printed(machine: Machine, number: int) -> None:
    if not Path(sys.executable).with_name("buf").exists():
        pytest.skip("buf is not installed beside this Python")
    parts = re.split(r"\n(?=(?:\S+/)?buf )", machine.up.said)[1:]
    commands = [part.split("\n\nCtrl-C")[0].rstrip() for part in parts]
    assert len(commands) == 3
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", commands[number]], env=environ(TOKEN=machine.up.token, PATH=path), capture_output=True, text=True
    )
    said = ran.stdout + ran.stderr
    if number == 2:
        assert ran.returncode != 0
        assert "failed_precondition" in said
        assert "REJECTED; accept needs SUBMITTED" in said
    else:
        assert ran.returncode == 0, said
        assert ("Object storage", "discount")[number] in said


def test_a_killed_member_is_started_again(machine: Machine) -> None:
    before = member_of(machine.up.process.pid)
    os.kill(before, signal.SIGKILL)
    machine.up.await_said("member ended with -9")
    deadline = time.monotonic() + 30
    while machine.revops("call", "ProductService/GetProduct", '{"name": "products/gpu"}', "--tenant", "acme").exit_code:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert member_of(machine.up.process.pid) != before


def test_a_second_one_on_the_same_directory_is_refused(machine: Machine) -> None:
    argv = [*COMMAND, "up", "--data", str(machine.up.data)]
    refused = subprocess.run(argv, env=environ(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"runs on {machine.up.data} already (pid {machine.up.process.pid}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_taken_port_is_refused_before_anything_is_started(machine: Machine, tmp_path: Path) -> None:
    argv = [*COMMAND, "up", "--data", str(tmp_path / "other"), "--port", str(machine.up.port), "--http-port", str(free_port())]
    refused = subprocess.run(argv, env=environ(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"port {machine.up.port} for the member's gRPC is taken" in refused.stderr
    assert not (tmp_path / "other" / "postgres").exists()


def test_data_of_another_major_version_is_refused(tmp_path: Path) -> None:
    postgres = Installation(tmp_path / "old").postgres
    postgres.mkdir(parents=True)
    (postgres / "PG_VERSION").write_text("9\n")
    argv = [*COMMAND, "up", "--data", str(tmp_path / "old"), "--port", str(free_port()), "--http-port", str(free_port())]
    refused = subprocess.run(argv, env=environ(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert "was made by PostgreSQL 9" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = subprocess.run([*COMMAND, "up", "--data", str(tmp_path / "file")], env=environ(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr == f"revops: {tmp_path / 'file'} is not a directory: choose another --data\n"


def test_servers_named_in_the_environment_are_used_and_none_are_embedded(machine: Machine, tmp_path: Path) -> None:
    running = Installation(machine.up.data).running()
    assert running is not None
    guest = start(
        tmp_path / "guest", free_port(), "--no-demo",
        REVOPS_DATABASE_URL=running.database_url, REVOPS_NATS_URL=running.nats_url,
    )  # fmt: skip
    assert guest.stop() == 0
    assert "starting PostgreSQL" not in guest.said
    assert "starting NATS" not in guest.said
    assert not (tmp_path / "guest" / "postgres").exists()


def test_a_killed_up_leaves_nothing_behind(tmp_path: Path) -> None:
    up = start(tmp_path / "data", free_port(), "--no-demo")
    assert len(processes_of(tmp_path / "data")) > 1
    up.process.kill()
    up.process.wait()
    deadline = time.monotonic() + 15
    while left := processes_of(tmp_path / "data"):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
