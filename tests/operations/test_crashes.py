"""A runner may die at any point of any batch: nothing is lost and nothing happens twice, which every trace is asked for."""

import asyncio

import pytest
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import emptied, letters, running
from tests.operations.killing import Killed, killed
from tests.operations.packing import ADVANCE, assert_packed_once, begun, done, fire_until_done, runners
from tests.probe.world import ProbeWorld

PORTIONS, SIZE = 5, 2
CALLS = 14
"""Of a whole packing: three batches, each read and saved, five portions, and three that find that nothing is due any more."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS))
async def test_a_runner_that_dies_at_any_call_leaves_everything_done_once(
    probe: ProbeWorld, relay_pool: Pool, at: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, counts = await probe.caller(), Counts()
    box, name = await begun(anna, PORTIONS, SIZE)
    dies = runners(probe, relay_pool, counts=counts)
    with killed(probe.kernel, at, after=after, monkeypatch=monkeypatch) as made:
        try:
            while await dies.fire():
                pass
        except Killed:
            pass
    assert len(made) <= at
    operation = await fire_until_done(anna, runners(probe, relay_pool, counts=counts), name)
    assert operation.state == pb.Operation.STATE_SUCCEEDED
    await assert_packed_once(probe, anna, box, PORTIONS)
    ended = [event for _, _, event in await probe.events(anna.tenant) if isinstance(event, pb.OperationEnded)]
    assert len(ended) == 1
    while await dies.fire():  # the timer of a batch that was saved before its runner died
        pass
    await probe.owner.execute("DELETE FROM kernel.timer WHERE due > now() + interval '1 day'")
    await emptied(probe, anna.tenant, "timer")
    assert await letters(probe, anna.tenant) == []


async def test_the_points_above_are_all_that_there_are(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await probe.caller()
    await begun(anna, PORTIONS, SIZE)
    timers = runners(probe, relay_pool)
    with killed(probe.kernel, 1000, after=False, monkeypatch=monkeypatch) as made:
        while await timers.fire():
            pass
    batches = [["GetOperation", *["FillBox"] * n, "AdvanceOperation"] for n in (2, 2, 1)]
    assert made == [call for batch in batches for call in batch]
    assert len(made) < CALLS


async def test_runners_that_are_cancelled_at_any_moment_leave_everything_done_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    jobs = [await begun(anna, portions=12, size=3) for _ in range(2)]
    for each in range(12):
        async with running(runners(probe, relay_pool, batch=2)):
            await asyncio.sleep(0.004 * each)
    async with running(runners(probe, relay_pool, batch=2)):
        for _, name in jobs:
            assert (await done(anna, name)).state == pb.Operation.STATE_SUCCEEDED
    for box, _ in jobs:
        events = sorted(event.quantity for subject, _, event in await probe.events(anna.tenant) if subject == box)  # type: ignore[attr-defined]
        assert events == list(range(1, 13))
    entries = "SELECT count(*), count(DISTINCT digest) FROM kernel.audit WHERE tenant_id=$1 AND method LIKE '%.FillBox'"
    assert tuple(await probe.owner.fetchrow(entries, anna.tenant)) == (24, 24)


async def test_one_batch_that_two_runners_have_at_once_happens_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    """The first has lost its connection, with it the lock on the timer, and does not know yet."""
    anna = await probe.caller()
    box, name = await begun(anna, PORTIONS, SIZE)
    errand, due = probe.kernel.errands[ADVANCE], pb.AdvanceOperationRequest(operation=name, batch=1)
    first, second = await asyncio.gather(*(errand(probe.kernel, anna.tenant, due, 1) for _ in range(2)))
    first.start_time.CopyFrom(second.start_time)  # type: ignore[attr-defined]
    assert first == second
    operation = await fire_until_done(anna, runners(probe, relay_pool), name)
    assert operation.state == pb.Operation.STATE_SUCCEEDED
    await assert_packed_once(probe, anna, box, PORTIONS)


async def test_a_timer_that_was_left_behind_runs_nothing(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await probe.caller()
    _, name = await begun(anna, PORTIONS, SIZE)
    assert await runners(probe, relay_pool).fire()
    due = pb.AdvanceOperationRequest(operation=name, batch=1)
    with killed(probe.kernel, 1000, after=False, monkeypatch=monkeypatch) as made:
        assert await probe.kernel.errands[ADVANCE](probe.kernel, anna.tenant, due, 1) == due
    assert made == ["GetOperation"]
