"""The supervisor on real processes: order, restarts, reports, signals, and what outlives it (nothing)."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.local import ports
from revops_mesh.local import supervisor as supervisor_module
from revops_mesh.local.errors import LocalError
from revops_mesh.local.nats import Nats
from revops_mesh.local.postgres import Postgres
from revops_mesh.local.supervisor import Backoff, Interrupted, Status, Supervisor
from tests.local.watching import has_ended, wait_until

SLEEP = ["sleep", "60"]
QUICK = Backoff(first=0.02, longest=0.05)


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


async def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 – the condition is another process's
            await asyncio.sleep(0.01)


def pid_of(supervisor: Supervisor, name: str) -> int | None:
    return next(status.pid for status in supervisor.statuses() if status.name == name)


@given(st.integers(1, 10_000), st.floats(0.001, 1.0), st.floats(1.0, 100.0))
def test_the_wait_doubles_up_to_its_longest(failures: int, first: float, longest: float) -> None:
    backoff = Backoff(first=first, longest=longest)
    assert backoff.delay(1) == first
    assert backoff.delay(failures + 1) == min(longest, 2 * backoff.delay(failures))


def test_the_wait_is_two_tenths_at_first_and_ten_seconds_at_last() -> None:
    assert [Backoff().delay(failures) for failures in range(1, 9)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


async def test_a_child_that_is_killed_is_restarted_and_writes_on_in_the_same_log(tmp_path: Path) -> None:
    deaths: list[str] = []
    async with Supervisor(tmp_path, report=deaths.append) as supervisor:
        await supervisor.start("member", python("import os, time; print(os.getpid()); time.sleep(60)"))
        log = tmp_path / "member.log"
        await eventually(lambda: log.exists() and log.read_text().count("\n") == 1)
        first = pid_of(supervisor, "member")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: log.read_text().count("\n") == 2)
        second = pid_of(supervisor, "member")
        assert supervisor.statuses() == [Status("member", second, restarts=1)]
    assert log.read_text().split() == [str(first), str(second)]
    assert len(deaths) == 1
    assert deaths[0].startswith("member ended with -9 after ")
    assert deaths[0].endswith("; restart in 0.2 s")
    assert has_ended(second or 0)


async def test_the_fifth_death_in_a_row_is_reported_with_twenty_lines_and_tried_again(tmp_path: Path) -> None:
    reports: list[str] = []
    async with Supervisor(tmp_path, backoff=QUICK, report=reports.append) as supervisor:
        await supervisor.start("broken", ["sh", "-c", "for n in $(seq 30); do echo line $n; done; exit 3"])
        await eventually(lambda: len(reports) >= 6)
    assert all("ended with 3 after" in report for report in reports)
    assert ["in a row" in report for report in reports[:6]] == [False, False, False, False, True, False]
    assert f"its log {tmp_path}/broken.log ends:" in reports[4]
    assert reports[4].splitlines()[1:] == [f"line {n}" for n in range(11, 31)]


async def test_a_healthy_life_begins_the_waits_anew(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    code = f"""
import pathlib, time
lives = pathlib.Path({str(lives)!r})
lives.write_text((lives.read_text() if lives.exists() else "") + "x")
time.sleep(2.5 if len(lives.read_text()) == 3 else 0)
"""
    reports: list[str] = []
    backoff = Backoff(first=0.1, longest=10, healthy=2.0)  # far from what starting a busy Python takes
    async with Supervisor(tmp_path, backoff=backoff, report=reports.append) as supervisor:
        await supervisor.start("moody", python(code))
        await eventually(lambda: len(reports) >= 4)
    assert [report.rpartition("in ")[2] for report in reports[:4]] == ["0.1 s", "0.2 s", "0.1 s", "0.2 s"]


async def test_start_returns_when_the_child_is_ready(tmp_path: Path) -> None:
    port = ports.free_port()
    code = f"import socket, time; time.sleep(0.3); s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"

    async def ready() -> bool:
        return await asyncio.to_thread(ports.answers, port)

    async with Supervisor(tmp_path) as supervisor:
        assert not await ready()
        await supervisor.start("late", python(code), ready=ready)
        assert await ready()


async def test_a_child_that_is_not_ready_in_time_is_named_with_its_log(tmp_path: Path) -> None:
    async def never() -> bool:
        raise ConnectionRefusedError

    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(LocalError, match=r"slow was not ready within 0\.5 s; its log ends:\nstill loading"):
            await supervisor.start("slow", ["sh", "-c", "echo still loading; sleep 60"], ready=never, ready_timeout=0.5)


async def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(LocalError, match="cannot start 'no-such-program': no such executable file"):
            await supervisor.start("member", ["no-such-program"])
        assert supervisor.statuses() == []


async def test_a_second_child_of_the_same_name_is_refused(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        await supervisor.start("member", SLEEP)
        with pytest.raises(LocalError, match="something named 'member' is already supervised"):
            await supervisor.start("member", SLEEP)


async def test_nothing_starts_after_the_stop(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        supervisor.request_stop()
        with pytest.raises(Interrupted):
            await supervisor.start("member", SLEEP)


async def test_a_stop_during_readiness_interrupts_the_start_and_ends_the_child(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with Supervisor(tmp_path) as supervisor:
        asyncio.get_running_loop().call_later(0.2, supervisor.request_stop)
        with pytest.raises(Interrupted):
            await supervisor.start("member", SLEEP, ready=never)
        pid = pid_of(supervisor, "member")
    assert pid is not None
    assert has_ended(pid)


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_with_its_own_children(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, grace=0.3) as supervisor:
        await supervisor.start("deaf", ["sh", "-c", "trap '' TERM; sleep 61 & echo $!; wait; sleep 62"])
        log = tmp_path / "deaf.log"
        await eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        begun = time.monotonic()
    assert 0.3 <= time.monotonic() - begun < 3
    wait_until(lambda: has_ended(int(log.read_text())))


async def test_what_a_killed_child_leaves_behind_is_gone_before_its_next_life(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        await supervisor.start("parent", ["sh", "-c", "sleep 61 & echo $!; wait"])
        log = tmp_path / "parent.log"
        await eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        orphan, parent = int(log.read_text()), pid_of(supervisor, "parent")
        assert parent is not None
        os.kill(parent, signal.SIGKILL)
        await eventually(lambda: supervisor.statuses()[0].restarts == 1)
        assert has_ended(orphan)


async def test_a_server_that_cannot_be_restarted_is_reported_with_the_reason_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[str] = []
    server = Nats(tmp_path / "nats")
    async with Supervisor(tmp_path, backoff=QUICK, report=reports.append) as supervisor:
        await supervisor.adopt("nats", server)
        with monkeypatch.context() as misled:
            misled.setenv("REVOPS_NATS_BIN", str(tmp_path))
            server.kill()
            await eventually(lambda: len(reports) >= 3)
        await eventually(lambda: server.running)
    assert reports[0].startswith("nats ended with -9 after ")
    assert reports[1].startswith(f"nats cannot be restarted: REVOPS_NATS_BIN={tmp_path} is not an executable file")


async def test_a_question_for_readiness_that_hangs_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "_READY_ANSWER", 0.05)
    asked = 0

    async def hangs_once() -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(60 if asked == 1 else 0)
        return True

    async with Supervisor(tmp_path) as supervisor:
        await supervisor.start("member", SLEEP, ready=hangs_once, ready_timeout=5)
    assert asked == 2


async def test_embedded_servers_are_restarted_on_their_ports_with_what_they_held(tmp_path: Path) -> None:
    postgres, nats = Postgres(tmp_path / "pg", settings={"shared_buffers": "32MB"}), Nats(tmp_path / "nats")
    async with Supervisor(tmp_path) as supervisor:
        await supervisor.adopt("postgres", postgres)
        await supervisor.adopt("nats", nats)
        connection = await asyncpg.connect(postgres.dsn())
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        connection.terminate()
        killed = [postgres.pid, nats.pid]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: all(status.restarts == 1 and status.pid for status in supervisor.statuses()))
        assert not set(killed) & {postgres.pid, nats.pid}
        await eventually(lambda: ports.answers(postgres.port) and ports.answers(nats.port))
        connection = await asyncpg.connect(postgres.dsn())
        assert await connection.fetchval("SELECT n FROM kept") == 42
        await connection.close()
    assert (postgres.running, nats.running) == (False, False)
