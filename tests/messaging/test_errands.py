"""Errands on a real table: noted once whatever breaks, leased rather than locked, and nobody waits for a slow lane."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from revops_mesh.kernel import clock
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.errands import OF_A_LANE, OF_A_TENANT, Errands
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import emptied, eventually, letters, running, waiting
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld, open_probe
from tests.world import Caller

NOTE_WEIGHT = "revops.probe.v1.BoxService.NoteWeight"
Scale = Callable[[Any, int], Awaitable[Any]]


@pytest.fixture(autouse=True)
async def _afresh(probe: ProbeWorld) -> AsyncIterator[None]:
    await probe.owner.execute("DELETE FROM kernel.timer")
    probe.service.attempts.clear()
    scale = probe.service.scale
    yield
    probe.service.scale = scale


async def boxes(anna: Caller, count: int) -> list[str]:
    return [(await anna(pb.CreateBoxRequest(box=pb.Box()))).name for _ in range(count)]


async def weigh(anna: Caller, *names: str) -> None:
    for name in names:
        await anna(pb.WeighBoxRequest(name=name))


async def weight(anna: Caller, name: str) -> int:
    found: int = (await anna(pb.GetBoxRequest(name=name))).weight
    return found


def stuck(free: asyncio.Event, *names: str) -> Scale:
    """A scale on which some boxes stay until it is freed."""

    async def scale(request: Any, attempt: int) -> Any:
        if request.box in names:
            await free.wait()
        return pb.NoteWeightRequest(box=request.box, weight=7)

    return scale


async def test_what_an_errand_found_outside_is_noted_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    (name,) = await boxes(anna, 1)
    await weigh(anna, name)
    assert await Timers(probe.kernel, relay_pool, counts).fire() is False, "errands have runners of their own"
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT)):
        await emptied(probe, anna.tenant, "timer")
    assert await weight(anna, name) == 7
    assert (probe.service.attempts, counts.fired) == ([name], 1)


async def test_an_errand_that_fails_goes_again_and_its_first_finding_counts(probe: ProbeWorld, relay_pool: Pool) -> None:
    """The second attempt notes something, but its timer is not removed, as when the worker is killed; the third finds more."""
    anna, counts, weights = await probe.caller(), Counts(), [OSError("no scale"), 5, 6]

    async def scale(request: Any, attempt: int) -> Any:
        weight = weights[attempt - 1]
        if isinstance(weight, OSError):
            raise weight
        return pb.NoteWeightRequest(box=request.box, weight=weight)

    probe.service.scale = scale
    (name,) = await boxes(anna, 1)
    await weigh(anna, name)
    errands = Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT, delays=(0.0,))
    await ran(errands)
    row = await probe.owner.fetchrow("SELECT * FROM kernel.timer WHERE tenant_id=$1", anna.tenant)
    assert row["attempts"] == 1
    await ran(errands)
    await probe.owner.execute(
        "INSERT INTO kernel.timer(tenant_id,id,due,request_type,request,attempts,trace) VALUES($1,$2,$3,$4,$5,2,'')",
        row["tenant_id"], row["id"], row["due"], row["request_type"], row["request"],
    )  # fmt: skip
    await ran(errands)
    assert await weight(anna, name) == 5
    assert await letters(probe, anna.tenant) == []
    await emptied(probe, anna.tenant, "timer")


async def ran(errands: Errands) -> None:
    """Runs what is due to its end."""
    async with asyncio.TaskGroup() as group:
        assert await errands.fill(group) is True


async def test_a_busy_store_sends_nobody_outside_again(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    (name,) = await boxes(anna, 1)
    await weigh(anna, name)
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT)):
        async with probe.owner.transaction():
            await probe.owner.execute("SELECT 1 FROM probe.boxes WHERE tenant_id=$1 FOR UPDATE", anna.tenant)
            await asyncio.sleep(2.5)  # longer than a flush waits for a lock
        await emptied(probe, anna.tenant, "timer")
    assert (await weight(anna, name), probe.service.attempts, counts.retried) == (7, [name], 0)


async def test_a_slow_lane_keeps_no_other_waiting(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts, free = await probe.caller(), Counts(), asyncio.Event()
    slow, *others = await boxes(anna, 11)
    probe.service.scale = stuck(free, slow)
    await weigh(anna, *[slow] * 30)  # all due before the others
    await weigh(anna, *others)
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT, slots=8, delays=(0.0,))):
        await eventually(lambda: counts.fired == len(others))
        assert probe.service.attempts.count(slow) == OF_A_LANE
        free.set()
        await emptied(probe, anna.tenant, "timer")
    assert [await weight(anna, name) for name in (slow, *others)] == [7 * 30, *[7] * 10]


async def test_a_slow_tenant_keeps_no_other_waiting(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, berta, counts, free = await probe.caller(), await probe.caller(), Counts(), asyncio.Event()
    slow, quick = await boxes(anna, OF_A_TENANT + 8), await boxes(berta, 3)
    probe.service.scale = stuck(free, *slow)
    await weigh(anna, *slow)
    await weigh(berta, *quick)
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT, slots=OF_A_TENANT + 2)):
        await emptied(probe, berta.tenant, "timer")
        assert len(probe.service.attempts) == OF_A_TENANT + len(quick)
        free.set()
        await emptied(probe, anna.tenant, "timer")


async def test_what_runs_somewhere_is_left_alone_until_its_lease_ends(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts, free = await probe.caller(), Counts(), asyncio.Event()
    (name,) = await boxes(anna, 1)
    probe.service.scale = stuck(free, name)
    await weigh(anna, name)
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT)):
        await eventually(lambda: probe.service.attempts == [name])
        async with open_probe(probe.dsn, size=2) as other, asyncio.TaskGroup() as group:
            assert await Errands(other.kernel, relay_pool, counts, NOTE_WEIGHT).fill(group) is False
    free.set()  # too late: its runner is gone, as if it had been killed
    assert (await waiting(probe, anna.tenant, "timer"), await weight(anna, name)) == (1, 0)
    left = await probe.owner.fetchval("SELECT due FROM kernel.timer WHERE tenant_id=$1", anna.tenant) - clock.now()
    assert timedelta(seconds=30) < left < timedelta(seconds=61)
    await probe.owner.execute("UPDATE kernel.timer SET due=$2 WHERE tenant_id=$1", anna.tenant, clock.now())
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT)):
        await emptied(probe, anna.tenant, "timer")
    assert await weight(anna, name) == 7


async def test_runners_cancelled_at_any_moment_leave_every_errand_noted_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    names = await boxes(anna, 30)
    await weigh(anna, *names)
    for each in range(15):
        async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT, lease=0.05)):
            await asyncio.sleep(0.004 * each)
    async with running(Errands(probe.kernel, relay_pool, counts, NOTE_WEIGHT)):
        await emptied(probe, anna.tenant, "timer")
    assert [await weight(anna, name) for name in names] == [7] * 30
