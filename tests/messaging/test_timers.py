"""Timers on a real table: when they are due, once with several runners, and what becomes of those that fail."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import derived, new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import emptied, eventually, letters, movements, running, waiting
from tests.messaging.test_reactions import run_again
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld, open_probe
from tests.world import Caller

SOON = (0.01,)
EMPTY_BOX = "revops.probe.v1.BoxService.EmptyBox"
NOTE_WEIGHT = "revops.probe.v1.BoxService.NoteWeight"


@pytest.fixture(autouse=True)
async def _afresh(probe: ProbeWorld) -> None:
    """Other tests leave events, but no timers; nothing refuses."""
    await probe.owner.execute("DELETE FROM kernel.timer")
    probe.service.jammed.clear()
    probe.service.attempts.clear()


async def timed(anna: Caller, seconds: float = 0, holds: int = 1) -> str:
    """A box that holds something and is emptied so many seconds from now."""
    due = clock.timestamp(clock.now() + timedelta(seconds=seconds))
    box = await anna(pb.CreateBoxRequest(box=pb.Box(empty_time=due)))
    await anna(pb.FillBoxRequest(name=box.name, portions=[holds]))
    name: str = box.name
    return name


async def test_many_timers_fire_once_with_several_runners_in_several_processes(probe: ProbeWorld, relay_pool: Pool) -> None:
    callers, counts = [await probe.caller() for _ in range(4)], Counts()
    names = await asyncio.gather(*(timed(anna, holds=5) for anna in callers for _ in range(50)))
    async with open_probe(probe.dsn) as other:
        async with running(Timers(probe.kernel, relay_pool, counts), Timers(other.kernel, relay_pool, counts, runners=3)):
            for anna in callers:
                await emptied(probe, anna.tenant, "timer")
        assert sorted(probe.service.attempts + other.service.attempts) == sorted(names)
    found: Counter[Any] = sum([await movements(probe, anna.tenant) for anna in callers], Counter())
    assert found == Counter((name, -5, "") for name in names)
    assert counts.fired == 200


async def test_a_timer_fires_neither_early_nor_never(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    name = await timed(anna, seconds=1)
    async with running(Timers(probe.kernel, relay_pool, counts)):
        await asyncio.sleep(0.5)
        assert await movements(probe, anna.tenant) == {}
        await eventually(lambda: counts.fired, seconds=3)
    assert await movements(probe, anna.tenant) == {(name, -1, ""): 1}


async def test_due_follows_the_shifted_clock(probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, timers = await probe.caller(), Timers(probe.kernel, relay_pool, Counts())
    name = await timed(anna, seconds=3600)
    assert await timers.fire() is False
    monkeypatch.setattr(clock, "_OFFSET", timedelta(hours=2))
    assert await timers.fire() is True
    assert await movements(probe, anna.tenant) == {(name, -1, ""): 1}


async def test_a_timer_that_fails_eight_times_is_a_dead_letter_and_the_others_fire(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    poison, good = await timed(anna), await timed(anna)
    probe.service.jammed.add(poison)
    row = await probe.owner.fetchrow(
        "SELECT id FROM kernel.timer WHERE request=$1", pb.EmptyBoxRequest(box=poison).SerializeToString()
    )
    async with running(Timers(probe.kernel, relay_pool, counts, delays=SOON)):
        await emptied(probe, anna.tenant, "timer")
        assert await movements(probe, anna.tenant) == {(good, -1, ""): 1}
        (letter,) = await letters(probe, anna.tenant)
        assert (letter["id"], letter["event"]) == (derived("timer", row["id"], EMPTY_BOX), "{}")
        assert (letter["method"], letter["request_type"]) == (EMPTY_BOX, "revops.probe.v1.EmptyBoxRequest")
        assert (letter["attempts"], letter["problem"]) == (8, f"BOX_JAMMED: {poison} is jammed.")
        assert (probe.service.attempts.count(poison), counts.retried, counts.fired, counts.dead) == (8, 7, 1, 1)
        probe.service.jammed.clear()
        await run_again(probe, anna.tenant, letter["id"])
        await emptied(probe, anna.tenant, "dead_letter")
    assert await movements(probe, anna.tenant) == {(good, -1, ""): 1, (poison, -1, ""): 1}


async def test_a_failed_timer_is_put_off(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, before = await probe.caller(), clock.now()
    probe.service.jammed.add(await timed(anna))
    timers = Timers(probe.kernel, relay_pool, Counts())
    assert await timers.fire() is True
    assert await timers.fire() is False
    row = await probe.owner.fetchrow("SELECT due, attempts FROM kernel.timer WHERE tenant_id=$1", anna.tenant)
    assert row["attempts"] == 1
    assert before + timedelta(seconds=1) <= row["due"] <= clock.now() + timedelta(seconds=1)


async def test_a_request_that_cannot_be_read_is_a_dead_letter_with_its_bytes(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    await _insert(probe, anna, "revops.probe.v1.EmptyBoxRequest", b"\xff\xff")
    async with running(Timers(probe.kernel, relay_pool, Counts(), delays=SOON)):
        await emptied(probe, anna.tenant, "timer")
    (letter,) = await letters(probe, anna.tenant)
    assert (letter["request"], letter["problem"]) == (b"\xff\xff", "DecodeError")


async def test_a_timer_for_a_method_that_is_served_elsewhere_waits(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    await _insert(probe, anna, "revops.billing.v1.DunRequest", b"")
    await _insert(probe, anna, EMPTY_BOX, b"")  # a letter that is gone
    assert await Timers(probe.kernel, relay_pool, Counts()).fire() is False
    assert await waiting(probe, anna.tenant, "timer") == 2


async def test_runners_cancelled_at_any_moment_leave_every_timer_fired_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    names = await asyncio.gather(*(timed(anna) for _ in range(60)))
    for each in range(20):
        async with running(Timers(probe.kernel, relay_pool, counts)):
            await asyncio.sleep(0.003 * each)
    async with running(Timers(probe.kernel, relay_pool, counts)):
        await emptied(probe, anna.tenant, "timer")
    assert await movements(probe, anna.tenant) == Counter((name, -1, "") for name in names)


async def _insert(probe: ProbeWorld, anna: Caller, request_type: str, request: bytes) -> None:
    await probe.owner.execute(
        "INSERT INTO kernel.timer(tenant_id,id,due,request_type,request,attempts,trace) VALUES($1,$2,$3,$4,$5,0,'')",
        anna.tenant, new_uuid(), clock.now(), request_type, request,
    )  # fmt: skip


async def test_what_an_errand_found_outside_is_noted_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    name = (await anna(pb.CreateBoxRequest(box=pb.Box()))).name
    await anna(pb.WeighBoxRequest(name=name))
    assert await Timers(probe.kernel, relay_pool, counts).fire() is False, "errands have runners of their own"
    async with running(Timers(probe.kernel, relay_pool, counts, errand=NOTE_WEIGHT)):
        await emptied(probe, anna.tenant, "timer")
    assert (await anna(pb.GetBoxRequest(name=name))).weight == 7
    assert (probe.service.attempts, counts.fired) == ([name], 1)


async def test_an_errand_that_fails_goes_again_and_its_first_finding_counts(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt notes something, but its timer is not removed, as when the worker is killed; the third finds more."""
    anna, counts, weights = await probe.caller(), Counts(), [OSError("no scale"), 5, 6]

    async def scale(request: Any, attempt: int) -> Any:
        weight = weights[attempt - 1]
        if isinstance(weight, OSError):
            raise weight
        return pb.NoteWeightRequest(box=request.box, weight=weight)

    monkeypatch.setattr(probe.service, "scale", scale)
    name = (await anna(pb.CreateBoxRequest(box=pb.Box()))).name
    await anna(pb.WeighBoxRequest(name=name))
    timers = Timers(probe.kernel, relay_pool, counts, errand=NOTE_WEIGHT, delays=(0.0,))
    assert await timers.fire() is True
    row = await probe.owner.fetchrow("SELECT * FROM kernel.timer WHERE tenant_id=$1", anna.tenant)
    assert row["attempts"] == 1
    assert await timers.fire() is True
    await probe.owner.execute(
        "INSERT INTO kernel.timer(tenant_id,id,due,request_type,request,attempts,trace) VALUES($1,$2,$3,$4,$5,2,'')",
        row["tenant_id"], row["id"], row["due"], row["request_type"], row["request"],
    )  # fmt: skip
    assert await timers.fire() is True
    assert (await anna(pb.GetBoxRequest(name=name))).weight == 5
    assert await letters(probe, anna.tenant) == []
    await emptied(probe, anna.tenant, "timer")
