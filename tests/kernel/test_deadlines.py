"""Calls without a deadline of their own are ended by the kernel, and a caller's cancellation stays one."""

import asyncio

import asyncpg
import pytest

from revops_mesh.kernel import pipeline
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld


async def test_a_call_that_takes_too_long_leaves_nothing(boxes: ProbeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await boxes.caller("admin")
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    other = await asyncpg.connect(boxes.dsn, user="revops_owner")
    async with other.transaction():
        await other.execute("SELECT 1 FROM probe.boxes WHERE name=$1 FOR UPDATE", box.name)
        monkeypatch.setattr(pipeline, "LONGEST_SECONDS", 0.2)
        refused = await anna.refusal(pb.FillBoxRequest(name=box.name, portions=[1]))
    monkeypatch.undo()
    await other.close()
    assert refused.reason == "DEADLINE_PASSED"
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0
    assert (await anna(pb.GetBoxRequest(name=box.name))).holds == 0


async def test_a_caller_who_cancels_is_not_told_of_a_deadline(boxes: ProbeWorld) -> None:
    anna = await boxes.caller("admin")
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    other = await asyncpg.connect(boxes.dsn, user="revops_owner")
    async with other.transaction():
        await other.execute("SELECT 1 FROM probe.boxes WHERE name=$1 FOR UPDATE", box.name)
        calling = asyncio.create_task(anna(pb.FillBoxRequest(name=box.name, portions=[1])))
        await asyncio.sleep(0.2)
        calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await other.close()
