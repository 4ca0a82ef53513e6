"""Operations on a real table: started by a call, run in batches by runners, seen by who may."""

import asyncio
import sys
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.pipeline import Kernel, Module
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from revops_mesh.operations import Job
from tests.contract import people
from tests.messaging.running import emptied, letters, running
from tests.operations.packing import assert_packed_once, begun, box_of, done, fire_until_done, progress, runners
from tests.probe.boxes import Box, Room, packed
from tests.probe.contract import pb as probe_pb
from tests.probe.world import OPERATIONS, ProbeWorld, open_probe


async def test_a_job_runs_batch_after_batch_and_tells_its_progress(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, timers = await probe.caller(), runners(probe, relay_pool)
    box, name = await begun(anna, portions=5, size=2)
    seen = []
    for _ in range(3):
        assert await timers.fire()
        operation = await anna(pb.GetOperationRequest(name=name))
        seen.append((progress(operation), pb.Operation.State.Name(operation.state)))
    assert seen == [(2, "STATE_RUNNING"), (4, "STATE_RUNNING"), (5, "STATE_SUCCEEDED")]
    answer: Any = probe_pb.PackBoxResponse()
    assert operation.response.Unpack(answer)
    assert answer.portions == 5
    await assert_packed_once(probe, anna, box, 5)


async def test_what_starts_a_job_answers_the_standard_operation_and_repeats_it(probe: ProbeWorld) -> None:
    anna = await probe.caller()
    request = probe_pb.PackBoxRequest(box=await box_of(anna), portions=1, size=1, request_id=str(new_uuid()))
    first, again = await anna(request), await anna(request)
    assert first == again
    assert first.DESCRIPTOR.full_name == "google.longrunning.Operation"
    assert first.name.startswith("operations/")
    assert not first.done
    assert await probe.rows(anna.tenant, ["platform.operations", "kernel.timer"]) == {
        "platform.operations": 1,
        "kernel.timer": 1,
    }


async def test_several_runners_in_two_processes_do_everything_once(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    jobs = [await begun(anna, portions=9, size=2) for _ in range(6)]
    async with open_probe(probe.dsn) as other:
        workers = (runners(probe, relay_pool, counts=counts, batch=2), runners(other, relay_pool, counts=counts, batch=2))
        async with running(*workers):
            for _, name in jobs:
                assert (await done(anna, name)).state == pb.Operation.STATE_SUCCEEDED
    for box, _ in jobs:
        events = [event.quantity for subject, _, event in await probe.events(anna.tenant) if subject == box]  # type: ignore[attr-defined]
        assert sorted(events) == list(range(1, 10))
    assert counts.retried == counts.dead == 0


async def test_waiting_ends_with_the_operation_and_holds_no_connection(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    _, name = await begun(anna)
    waiting = [asyncio.create_task(anna(pb.WaitOperationRequest(name=name, timeout=Duration(seconds=20)))) for _ in range(30)]
    await asyncio.sleep(0.5)
    assert not any(task.done() for task in waiting)
    assert probe.pools.app.size == 16, "more wait than there are connections"
    await fire_until_done(anna, runners(probe, relay_pool), name)
    assert all(operation.done for operation in await asyncio.gather(*waiting))


async def test_waiting_ends_at_its_timeout_with_the_operation_as_it_is(probe: ProbeWorld) -> None:
    anna = await probe.caller()
    _, name = await begun(anna)
    operation = await anna(pb.WaitOperationRequest(name=name, timeout=Duration(nanos=300_000_000)))
    assert operation.state == pb.Operation.STATE_PENDING
    refused = await anna.refusal(pb.WaitOperationRequest(name=name, timeout=Duration(seconds=21)))
    assert (refused.reason, refused.metadata) == ("FIELD_INVALID", {"field": "timeout"})


async def test_somebody_elses_operation_looks_like_none_without_the_permission_to_list(probe: ProbeWorld) -> None:
    anna = await probe.caller()
    _, name = await begun(anna)
    only = [f"platform.operations.{verb}" for verb in ("get", "wait", "cancel", "resume", "delete")]
    ben = await people.holding(probe, anna.tenant, only, sub="users/ben")
    mine = await begun_by(probe, anna, ben)
    assert (await ben(pb.GetOperationRequest(name=mine))).principal == "users/ben"
    await ben(pb.CancelOperationRequest(name=mine))
    told = []
    for asked in (name, "operations/nowhere"):
        for request in (pb.GetOperationRequest, pb.WaitOperationRequest, pb.CancelOperationRequest, pb.ResumeOperationRequest):
            refused = await ben.refusal(request(name=asked))
            told.append((refused.reason, refused.metadata["permission"], str(refused)))
    assert len(set(told)) == 1
    assert told[0][:2] == ("PERMISSION_REQUIRED", "platform.operations.list")
    assert (await anna(pb.GetOperationRequest(name=mine))).principal == "users/ben"


async def begun_by(probe: ProbeWorld, anna: Any, ben: Any) -> str:
    """An operation of Ben, who is an administrator while he starts it."""
    powerful = await probe.caller(tenant=anna.tenant, sub="users/ben")
    return (await begun(powerful))[1]


async def test_what_its_work_goes_by_is_shown_to_nobody(probe: ProbeWorld) -> None:
    anna = await probe.caller()
    _, name = await begun(anna)
    shown = [
        await anna(pb.GetOperationRequest(name=name)),
        (await anna(pb.ListOperationsRequest())).operations[0],
        await anna(pb.CancelOperationRequest(name=name, request_id=(again := str(new_uuid())))),
        await anna(pb.CancelOperationRequest(name=name, request_id=again)),
    ]
    assert not any(operation.HasField("job") for operation in shown)
    assert [operation.etag for operation in shown] == ["1", "1", "2", "2"]
    kept = await probe.owner.fetch("SELECT response FROM kernel.replay WHERE tenant_id=$1 AND response IS NOT NULL", anna.tenant)
    assert not any(pb.Operation.FromString(row["response"]).HasField("job") for row in kept)


async def test_an_operation_is_forgotten_when_its_time_is_over_and_it_was_not_resumed(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, counts = await probe.caller(), Counts()
    _, name = await begun(anna, portions=1)
    await fire_until_done(anna, runners(probe, relay_pool), name)
    ordinary = Timers(probe.kernel, relay_pool, counts)
    assert await ordinary.fire() is False
    monkeypatch.setattr(clock, "_OFFSET", timedelta(days=6, seconds=5))
    assert await ordinary.fire() is True
    late = await probe.caller(tenant=anna.tenant)
    assert (await late.refusal(pb.GetOperationRequest(name=name))).reason == "RESOURCE_NOT_FOUND"
    await emptied(probe, anna.tenant, "timer")


async def test_a_tenant_has_so_many_unfinished_operations_and_no_more(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["revops_mesh.operations.start"], "MOST_UNFINISHED", 2)
    anna = await probe.caller()
    names = [(await begun(anna, portions=1))[1] for _ in range(2)]
    refused = await anna.refusal(probe_pb.PackBoxRequest(box="boxes/x", portions=1, size=1))
    assert (refused.reason, refused.metadata) == ("OPERATIONS_UNFINISHED", {"limit": "2"})
    await fire_until_done(anna, runners(probe, relay_pool), names[0])
    await begun(anna)


async def test_a_change_without_a_key_is_a_fault_and_no_silent_repetition(probe: ProbeWorld, relay_pool: Pool) -> None:
    async def careless(request: Any, job: Job[Any]) -> None:
        await job.call(probe_pb.FillBoxRequest(name=request.box, portions=[1]))

    anna = await probe.caller()
    probe.service.packer = careless
    box, name = await begun(anna)
    operation = await fire_until_done(anna, runners(probe, relay_pool), name)
    assert reason(operation) == "FAULT"
    assert (await anna(probe_pb.GetBoxRequest(name=box))).holds == 0
    probe.service.packer = packed
    assert await letters(probe, anna.tenant) == []


def reason(operation: pb.Operation) -> str:
    info = ErrorInfo()
    assert operation.error.details[0].Unpack(info)
    return info.reason


async def test_a_reading_call_needs_no_key(probe: ProbeWorld, relay_pool: Pool) -> None:
    async def curious(request: Any, job: Job[Any]) -> None:
        box = await job.call(probe_pb.GetBoxRequest(name=request.box))
        with pytest.raises(Failure) as refused:
            await job.call(probe_pb.GetBoxRequest(name="boxes/nowhere"))
        assert refused.value.reason == "RESOURCE_NOT_FOUND"
        job.finish(probe_pb.PackBoxResponse(portions=box.holds))

    anna = await probe.caller()
    probe.service.packer = curious
    _, name = await begun(anna)
    assert (await fire_until_done(anna, runners(probe, relay_pool), name)).state == pb.Operation.STATE_SUCCEEDED


async def test_a_method_that_starts_a_job_has_to_say_what_its_batches_do(probe: ProbeWorld) -> None:
    class Unfinished:
        def __getattr__(self, name: str) -> Any:
            if name == "RunPackBox":
                raise AttributeError(name)
            return getattr(probe.service, name)

    boxes = Module("revops.probe.v1.BoxService", Unfinished(), (Box, Room), (probe_pb.Movement,))
    with pytest.raises(Broken, match="do not agree on RunPackBox"):
        Kernel([boxes, OPERATIONS], probe.pools, probe.kernel.authenticator)
