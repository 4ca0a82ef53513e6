"""What the embedded PostgreSQL refuses, and that it says why and what to do."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from revops_mesh.local import binaries
from revops_mesh.local.errors import LocalError
from revops_mesh.local.postgres import Postgres


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("running") / "pg", durable=False) as server:
        yield server


def test_starting_twice_is_refused(running: Postgres) -> None:
    with pytest.raises(LocalError, match=f"already running as pid {running.pid}"):
        running.start()


def test_a_taken_port_is_refused_with_its_number_and_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match=rf"port {port} for PostgreSQL is taken by .*\(pid {os.getpid()}\)"):
            Postgres(tmp_path / "pg", port=port, durable=False).start()


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_impossible_port_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(LocalError, match=rf"port of PostgreSQL must be 1…65535, or 0 .* got {port}"):
        Postgres(tmp_path / "pg", port=port)


def test_a_directory_of_another_major_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg", durable=False) as server:
        pass
    version = server.data_dir / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(LocalError, match=r"was made by PostgreSQL 15, but the programs in .* are 18\.\d+: set REVOPS_PG"):
        server.start()
    assert version.read_text() == "15\n"


def test_a_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letters" / "dear.txt"
    letter.parent.mkdir()
    letter.write_text("dear")
    with pytest.raises(LocalError, match="neither empty nor a PostgreSQL data directory"):
        Postgres(letter.parent).start()
    assert letter.read_text() == "dear"


def test_a_directory_in_use_is_refused_with_the_pid_that_uses_it(running: Postgres) -> None:
    with pytest.raises(LocalError, match=f"in use by PostgreSQL pid {running.pid}"):
        Postgres(running.data_dir, durable=False).start()
    assert running.running


def test_a_directory_that_may_not_be_written_is_named(normal_user: Callable[[str], str]) -> None:
    printed = normal_user("""
        from pathlib import Path
        from revops_mesh.local.errors import LocalError
        from revops_mesh.local.postgres import Postgres
        try:
            Postgres(Path("/proc/1/pg")).start()
        except LocalError as error:
            print(error)
    """)
    assert "cannot use /proc/1/pg as a data directory: " in printed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_called_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(small)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        with pytest.raises(LocalError, match=r"the disk is full \(\d+ MB free at .*small\)"):
            Postgres(small / "pg").start()
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize(
    ("variable", "start", "message"),
    [
        ("REVOPS_PG_BINDIR", binaries.find_postgres, "does not hold the programs postgres and initdb"),
        ("REVOPS_NATS_BIN", binaries.find_nats, "is not an executable file"),
    ],
)
def test_a_wrong_place_for_programs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, start: Callable[[], object], message: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(LocalError, match=f"{variable}={tmp_path} {message}"):
        start()
