"""What all workers stand on: they go on after errors, end when told to, and leave no interrupted transaction behind."""

import asyncio
import logging
from itertools import pairwise

import pytest

from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.pools import open_pool
from revops_mesh.messaging import dead_letters
from revops_mesh.messaging.worker import repeat, transaction
from tests.messaging.running import letters
from tests.probe.world import ProbeWorld


async def test_a_transaction_cancelled_at_any_point_never_undoes_the_next_one(probe: ProbeWorld) -> None:
    pool, tenant = await open_pool(probe.dsn, "revops_relay", 1), new_uuid()

    async def hold() -> None:
        async with transaction(pool):
            await asyncio.sleep(0.001)

    for turns in range(60):
        task = asyncio.create_task(hold())
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with transaction(pool) as connection:
            await dead_letters.put(connection, tenant, new_uuid(), "", "", b"", "{}", problem="", attempts=1)
    await pool.close()
    assert len(await letters(probe, tenant)) == 60


async def test_a_worker_whose_cancellation_was_swallowed_ends_after_its_step() -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return True  # as nats-py does while it flushes
        return True

    worker = asyncio.create_task(repeat(step, asyncio.Event().wait, "worker"))
    await asyncio.sleep(0.01)
    worker.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await worker
    assert steps == 1


async def test_an_error_is_logged_and_the_next_step_follows_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    loop, times = asyncio.get_running_loop(), []

    async def step() -> bool:
        times.append(loop.time())
        if len(times) < 4:
            raise ZeroDivisionError("a fault of ours")
        return False

    worker = asyncio.create_task(repeat(step, asyncio.Event().wait, "worker"))
    await asyncio.sleep(1.2)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    waits = [after - before for before, after in pairwise(times)]
    assert len(times) == 4
    assert waits[0] < waits[1] < waits[2]
    assert [(r.levelno, r.exc_info is not None) for r in caplog.records] == [(logging.ERROR, True)] * 3
