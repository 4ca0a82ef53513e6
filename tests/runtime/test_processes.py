"""Several workers share a port and are kept; a stalled loop ends its process; a wrong start says why."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import grpc
import pytest
from grpc_channelz.v1.channelz_pb2 import GetServersRequest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.local.ports import free_port
from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import ROOT, Client, Running, member_process, served
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: set[int], seconds: float = 10.0) -> bool:
    """Whether all have ended within a time."""
    deadline = monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True


async def test_workers_share_a_port_are_kept_and_end_together(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    token, admin = issuer.issue("users/anna", await world.tenant(), ["admin"]), free_port()
    with member_process(environ, REVOPS_WORKERS="2", REVOPS_ADMIN_ADDRESS=f"127.0.0.1:{admin}") as running:
        workers = children(running.process.pid)
        assert len(workers) == 2
        for number in range(16):  # each by a connection of its own
            own = [("grpc.use_local_subchannel_pool", 1), ("grpc.tests.number", number)]
            async with grpc.aio.insecure_channel(running.address, options=own) as channel:
                assert (await Client(channel, token)(CREATE)).name
        for port in (admin, admin + 1):
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                (answer,) = [a async for a in served(channel, "grpc.channelz.v1.Channelz", "GetServers", GetServersRequest())]
                assert len(answer.server) == 2  # the door and this one
        os.kill(victim := max(workers), signal.SIGKILL)
        running.await_line("starts anew")
        running.await_line('"message":"serving', times=3)
        renewed = children(running.process.pid)
        assert len(renewed) == 2
        assert victim not in renewed
        assert await asyncio.to_thread(running.stop) == 0
        assert gone(renewed, 0.1)
        assert running.records(), "the parent's lines are JSON too"


def test_workers_do_not_outlive_their_parent(environ: dict[str, str]) -> None:
    with member_process(environ, REVOPS_WORKERS="2") as running:
        workers = children(running.process.pid)
        running.process.kill()
        assert gone(workers)


STALLING = """
import asyncio, sys, time
from revops_mesh.runtime.processes import watchdog

def stall(seconds):  # of its own: those during which the process is stopped do not count
    print("begun", flush=True)
    begun = time.process_time()
    while time.process_time() < begun + seconds:
        pass

loop = asyncio.new_event_loop()
with watchdog(loop, 5.0):
    loop.call_later(0.3, stall, float(sys.argv[1]))
    loop.run_until_complete(asyncio.sleep(3))
"""


def stalling(seconds: float) -> subprocess.Popen[str]:
    """A process with a watchdog of five seconds, whose loop stands still for some seconds."""
    argv, environ = [sys.executable, "-c", STALLING, str(seconds)], {**os.environ, "PYTHONPATH": "src:generated"}
    process = subprocess.Popen(argv, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_a_loop_that_stands_still_ends_the_process_with_its_stacks() -> None:
    process = stalling(60)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 70
    assert "in stall" in errors


def test_a_loop_that_stumbles_goes_on() -> None:
    process = stalling(0.3)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_process_that_was_stopped_as_a_whole_goes_on() -> None:
    process = stalling(0.3)
    process.send_signal(signal.SIGSTOP)
    sleep(7)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_loop_can_be_the_standard_one(environ: dict[str, str]) -> None:
    with member_process(environ, REVOPS_LOOP="asyncio") as running:
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"REVOPS_ONLY": "catalog,nothing"}, "REVOPS_ONLY: there is no capability nothing"),
        ({"REVOPS_POOL_SIZE": "many", "REVOPS_LOOP": "fast"}, "REVOPS_LOOP: expected uvloop or asyncio, got 'fast'"),
    ],
)
def test_a_wrong_setting_stops_the_start(environ: dict[str, str], wrong: dict[str, str], told: str) -> None:
    running = Running({"REVOPS_GRPC_ADDRESS": f"127.0.0.1:{free_port()}", **environ, **wrong})
    assert running.process.wait(20) == 1
    running.await_line(told)


def test_a_taken_port_stops_the_start(environ: dict[str, str]) -> None:
    with member_process(environ) as first:
        second = Running({**environ, "REVOPS_GRPC_ADDRESS": first.address, "REVOPS_ADMIN_ADDRESS": f"127.0.0.1:{free_port()}"})
        assert second.process.wait(20) == 1
        second.await_line("Failed to bind to address")
