"""A supervisor in a process of its own: what signals do to it and its children, and what outlives it (nothing)."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.local.conftest import Script
from tests.local.watching import has_ended, wait_until

SUPERVISED = """
import asyncio, sys
from pathlib import Path
from revops_mesh.local.supervisor import Supervisor

CHILD = '''
import os, signal, sys, time
def leave(*_):
    with open("order", "a") as order:
        print(sys.argv[1], file=order)
    time.sleep({linger})
    sys.exit()
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, lambda *_: os._exit(9))
print(sys.argv[1], os.getpid(), flush=True)
time.sleep(60)
'''

async def main():
    async with Supervisor(Path("logs"), mirror=True, grace={grace}) as supervisor:
        for name in ("first", "second", "third"):
            await supervisor.start(name, [sys.executable, "-c", CHILD, name])
        await supervisor.wait()
    print("done", flush=True)

asyncio.run(main())
"""


def supervised(
    script: Script, directory: Path, linger: float = 0.0, grace: float = 10
) -> tuple[subprocess.Popen[str], list[int]]:
    """A supervisor in a process of its own with three children that note when they are asked to leave; their pids."""
    code = SUPERVISED.replace("{linger}", str(linger)).replace("{grace}", str(grace))
    process = script(f"import os\nos.chdir({str(directory)!r})\n{code}")
    assert process.stdout is not None
    pids = dict(process.stdout.readline().split() for _ in range(3))
    return process, [int(pids[name]) for name in ("first", "second", "third")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_children_in_reverse_order(tmp_path: Path, script: Script, number: signal.Signals) -> None:
    process, pids = supervised(script, tmp_path)
    # To the whole group, as a terminal does on Ctrl-C: the children must not notice.
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=20)
    assert (output, process.returncode) == ("done\n", 0)
    assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]
    assert all(has_ended(pid) for pid in pids)


def test_a_second_signal_kills_at_once(tmp_path: Path, script: Script) -> None:
    process, pids = supervised(script, tmp_path, linger=30, grace=30)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    wait_until((tmp_path / "order").exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert all(has_ended(pid) for pid in pids)


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path, script: Script) -> None:
    process, pids = supervised(script, tmp_path)
    assert not any(has_ended(pid) for pid in pids)
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: all(has_ended(pid) for pid in pids))
    assert not (tmp_path / "order").exists()


def test_the_mirror_shows_what_the_logs_hold(tmp_path: Path, script: Script) -> None:
    process, pids = supervised(script, tmp_path)
    process.terminate()
    process.communicate(timeout=20)
    held = [(tmp_path / "logs" / f"{name}.log").read_text() for name in ("first", "second", "third")]
    assert held == [f"{name} {pid}\n" for name, pid in zip(("first", "second", "third"), pids, strict=True)]
