"""Connections are given out in turns between tenants, and none is lost when a unit gives up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pools import Pool
from tests.world import World


@pytest.fixture
async def pool(world: World) -> AsyncIterator[Pool]:
    opened = Pool(world.dsn, "revops_app", 2)
    yield opened
    await opened.close()
    assert opened.open == 0


async def test_a_quiet_tenant_waits_for_one_turn_of_a_noisy_one(pool: Pool) -> None:
    served: list[str] = []
    held = [await pool.take("noisy") for _ in range(2)]

    async def unit(tenant: str) -> None:
        connection = await pool.take(tenant)
        served.append(tenant)
        await asyncio.sleep(0)
        pool.give(connection)

    units = [asyncio.ensure_future(unit("noisy")) for _ in range(20)]
    await asyncio.sleep(0)
    units.append(asyncio.ensure_future(unit("quiet")))
    await asyncio.sleep(0)
    for connection in held:
        pool.give(connection)
    await asyncio.gather(*units)
    assert served.index("quiet") <= 2
    assert len(served) == 21


async def test_a_unit_that_gives_up_takes_no_connection_with_it(pool: Pool) -> None:
    held = [await pool.take("a") for _ in range(2)]
    waiting = [asyncio.ensure_future(pool.take("b")) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting[:3]:
        task.cancel()
    pool.give(held.pop())  # handed over to a place whose task is being cancelled in the same turn
    waiting[3].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    got: list[Any] = [each for each in results if not isinstance(each, BaseException)]
    for connection in (*got, *held):
        pool.give(connection)
    assert pool.waiting == 0
    assert pool.open == pool.idle == 2


async def test_waiting_too_long_is_refused_as_overloaded(pool: Pool) -> None:
    held = [await pool.take() for _ in range(2)]
    with pytest.raises(Failure) as refused:
        await pool.take("late", seconds=0.05)
    assert refused.value.reason == "OVERLOADED"
    for connection in held:
        pool.give(connection)
    assert pool.idle == 2


async def test_a_connection_that_died_makes_room_for_a_new_one(pool: Pool) -> None:
    held = [await pool.take() for _ in range(2)]
    waiting = asyncio.ensure_future(pool.take("next"))
    await asyncio.sleep(0)
    held[0].terminate()
    pool.give(held[0])
    fresh = await waiting
    assert await fresh.fetchval("SELECT 1") == 1
    pool.give(fresh)
    pool.give(held[1])


async def test_a_block_that_is_cancelled_in_a_statement_leaves_room_for_another(pool: Pool) -> None:
    async def works() -> None:
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_sleep(10)")

    for _ in range(3):
        working = asyncio.ensure_future(works())
        await asyncio.sleep(0.1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert pool.open == 0
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
