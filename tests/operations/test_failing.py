"""What ends an operation, what only delays it, and that whoever resumes it repeats nothing. None becomes a dead letter."""

import asyncio
from typing import Any

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from revops.platform.v1 import access_pb2, tenants_pb2
from revops.platform.v1 import operations_pb2 as pb
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel.errors import Failure, refuse
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.delivery import ATTEMPTS
from revops_mesh.messaging.worker import Counts
from revops_mesh.operations import Job, batch
from tests.contract import people
from tests.messaging.running import emptied, letters
from tests.operations.packing import assert_packed_once, begun, fire_until_done, progress, runners
from tests.probe.boxes import packed
from tests.probe.contract import pb as probe_pb
from tests.probe.world import ProbeWorld
from tests.world import Caller


def reason(operation: pb.Operation) -> tuple[str, dict[str, str]]:
    (detail, *_), info = operation.error.details, ErrorInfo()
    assert detail.Unpack(info)
    return info.reason, dict(info.metadata)


class Breaking:
    """Packing that breaks with an error before its n-th portion, as often as it has errors."""

    def __init__(self, before: int, *errors: BaseException) -> None:
        self._before, self._errors = before, list(errors)
        self.runs = 0

    async def __call__(self, request: Any, job: Job[Any]) -> None:
        self.runs += 1
        error = self._errors[0] if self._errors else None
        if error is None or int(job.cursor or b"0") + request.size <= self._before:
            return await packed(request, job)
        self._errors.pop(0)
        begin, size = int(job.cursor or b"0"), self._before - int(job.cursor or b"0")
        for number in range(begin, begin + size):
            await job.call(probe_pb.FillBoxRequest(name=request.box, portions=[number + 1]), f"portion/{number}")
            job.metadata.done, job.cursor = number + 1, str(number + 1).encode()
        raise error


def contended() -> Failure:
    return refuse(platform.CONTENDED, "Another call holds what this one needs: repeat it.")


def forbidden() -> Failure:
    return refuse(platform.PERMISSION_REQUIRED, "{permission} is required.", permission="probe.boxes.fill")


async def test_a_passing_failure_only_delays(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    probe.service.packer = breaking = Breaking(3, contended(), contended(), RuntimeError("a fault"), OSError())
    box, name = await begun(anna, portions=6, size=2)
    operation = await fire_until_done(anna, runners(probe, relay_pool, counts=counts), name)
    assert operation.state == pb.Operation.STATE_SUCCEEDED
    assert (counts.retried, counts.dead, breaking.runs) == (4, 0, 7)
    await assert_packed_once(probe, anna, box, 6)


async def test_the_last_of_its_tries_ends_it_long_before_its_timer_would_be_a_dead_letter(
    probe: ProbeWorld, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    probe.service.packer = Breaking(3, *(contended() for _ in range(batch.TRIES)))
    box, name = await begun(anna, portions=6, size=2)
    operation = await fire_until_done(anna, runners(probe, relay_pool, counts=counts), name)
    assert (operation.state, reason(operation)[0]) == (pb.Operation.STATE_FAILED, "CONTENDED")
    assert progress(operation) == 2, "of a batch that broke off nothing is counted"
    assert (counts.retried, counts.dead, await letters(probe, anna.tenant)) == (batch.TRIES - 1, 0, [])
    assert batch.TRIES < ATTEMPTS
    await resumed(probe, relay_pool, anna, box, name)


async def test_a_refusal_that_waiting_cannot_mend_ends_it_at_once_and_keeps_what_was_done(
    probe: ProbeWorld, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    probe.service.packer = breaking = Breaking(3, forbidden())
    box, name = await begun(anna, portions=6, size=2)
    operation = await fire_until_done(anna, runners(probe, relay_pool, counts=counts), name)
    assert reason(operation) == ("PERMISSION_REQUIRED", {"permission": "probe.boxes.fill"})
    assert (progress(operation), breaking.runs, counts.retried) == (3, 2, 0)
    await resumed(probe, relay_pool, anna, box, name)


async def resumed(probe: ProbeWorld, relay_pool: Pool, anna: Caller, box: str, name: str) -> None:
    """Resumes an operation that failed and finds everything done once."""
    operation = await anna(pb.ResumeOperationRequest(name=name))
    assert (operation.state, operation.done, operation.WhichOneof("result")) == (pb.Operation.STATE_PENDING, False, None)
    operation = await fire_until_done(anna, runners(probe, relay_pool), name)
    assert operation.state == pb.Operation.STATE_SUCCEEDED
    await assert_packed_once(probe, anna, box, 6)


async def test_a_batch_that_takes_too_long_is_tried_again(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(request: Any, job: Job[Any]) -> None:
        waits.append(1)
        if len(waits) < 3:
            await asyncio.sleep(60)
        await packed(request, job)

    waits: list[int] = []
    monkeypatch.setattr(batch, "LONGEST_SECONDS", 0.2)
    anna, counts = await probe.caller(), Counts()
    probe.service.packer = slow
    _, name = await begun(anna, portions=1)
    operation = await fire_until_done(anna, runners(probe, relay_pool, counts=counts), name)
    assert (operation.state, counts.retried) == (pb.Operation.STATE_SUCCEEDED, 2)


async def test_a_permission_that_is_taken_away_under_way_ends_it(probe: ProbeWorld, relay_pool: Pool) -> None:
    house = await probe.caller()
    held = ["probe.boxes.create", "probe.boxes.get", "probe.boxes.fill", "probe.boxes.pack", "platform.operations.get"]
    held += ["platform.operations.resume"]
    anna = await people.holding(probe, house.tenant, held)
    box, name = await begun(anna, portions=6, size=2)
    timers = runners(probe, relay_pool)
    assert await timers.fire()
    body = await taken_away(probe, house, "probe.boxes.fill")
    operation = await fire_until_done(anna, timers, name)
    assert reason(operation) == ("PERMISSION_REQUIRED", {"permission": "probe.boxes.fill"})
    assert progress(operation) == 2
    await probe.owner.execute("UPDATE platform.roles SET body=$2 WHERE tenant_id=$1", house.tenant, body)
    people.forget(probe)
    await resumed(probe, relay_pool, anna, box, name)


async def taken_away(probe: ProbeWorld, house: Caller, permission: str) -> bytes:
    """Takes a permission out of the tenant's only role; gives the role as it was."""
    body: bytes = await probe.owner.fetchval("SELECT body FROM platform.roles WHERE tenant_id=$1", house.tenant)
    role = access_pb2.Role.FromString(body)
    role.permissions.remove(permission)
    await probe.owner.execute("UPDATE platform.roles SET body=$2 WHERE tenant_id=$1", house.tenant, role.SerializeToString())
    people.forget(probe)
    return body


async def test_whoever_may_not_start_it_any_more_does_not_work_on(probe: ProbeWorld, relay_pool: Pool) -> None:
    house = await probe.caller()
    held = ["probe.boxes.create", "probe.boxes.fill", "probe.boxes.pack", "platform.operations.get"]
    anna = await people.holding(probe, house.tenant, held)
    _, name = await begun(anna)
    await taken_away(probe, house, "probe.boxes.pack")
    operation = await fire_until_done(anna, runners(probe, relay_pool), name)
    assert (reason(operation)[1]["permission"], progress(operation)) == ("probe.boxes.pack", 0)


async def test_a_suspended_tenant_s_operation_ends_and_can_be_resumed_when_it_works_again(
    probe: ProbeWorld, relay_pool: Pool
) -> None:
    anna = await probe.caller()
    box, name = await begun(anna, portions=6, size=2)
    timers = runners(probe, relay_pool)
    assert await timers.fire()
    await suspend(probe, anna, tenants_pb2.Tenant.STATE_SUSPENDED)
    assert await timers.fire()
    body = await probe.owner.fetchval("SELECT body FROM platform.operations WHERE tenant_id=$1", anna.tenant)
    operation = pb.Operation.FromString(body)
    assert (operation.state, reason(operation)[0]) == (pb.Operation.STATE_FAILED, "TENANT_SUSPENDED")
    await suspend(probe, anna, tenants_pb2.Tenant.STATE_ACTIVE)
    await resumed(probe, relay_pool, anna, box, name)


async def suspend(probe: ProbeWorld, anna: Caller, state: Any) -> None:
    row = await probe.owner.fetchrow("SELECT name, body FROM platform.tenants WHERE uid=$1", anna.tenant.hex)
    tenant = tenants_pb2.Tenant.FromString(row["body"])
    tenant.state = state
    await probe.owner.execute("UPDATE platform.tenants SET body=$2 WHERE name=$1", row["name"], tenant.SerializeToString())
    people.forget(probe)


async def test_a_cancelled_operation_stops_after_its_batch_and_can_be_resumed(probe: ProbeWorld, relay_pool: Pool) -> None:
    async def cancelled_meanwhile(request: Any, job: Job[Any]) -> None:
        operation = await anna(pb.CancelOperationRequest(name=job.name))
        assert (operation.cancelling, operation.done) == (True, False)
        await packed(request, job)

    anna, timers = await probe.caller(), runners(probe, relay_pool)
    box, name = await begun(anna, portions=6, size=2)
    assert await timers.fire()
    probe.service.packer = cancelled_meanwhile
    operation = await fire_until_done(anna, timers, name)
    probe.service.packer = packed
    assert (operation.state, operation.cancelling, operation.error.code) == (pb.Operation.STATE_CANCELLED, False, 1)
    assert (reason(operation)[0], progress(operation)) == ("OPERATION_CANCELLED", 4)
    assert await timers.fire() is False
    await resumed(probe, relay_pool, anna, box, name)


async def test_one_that_was_cancelled_before_it_began_does_nothing(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    box, name = await begun(anna)
    await anna(pb.CancelOperationRequest(name=name))
    operation = await fire_until_done(anna, runners(probe, relay_pool), name)
    assert (operation.state, progress(operation)) == (pb.Operation.STATE_CANCELLED, 0)
    assert (await anna(probe_pb.GetBoxRequest(name=box))).holds == 0


async def test_the_end_is_an_event_and_the_only_one(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna = await probe.caller()
    probe.service.packer = Breaking(3, forbidden())
    box, name = await begun(anna, portions=6, size=2)
    await fire_until_done(anna, runners(probe, relay_pool), name)
    await resumed(probe, relay_pool, anna, box, name)
    events = [event for subject, _, event in await probe.events(anna.tenant) if subject == name]
    method = "revops.probe.v1.BoxService.PackBox"
    told = [pb.OperationEnded(operation=name, method=method, state=state, principal="users/anna") for state in (4, 3)]  # type: ignore[arg-type]
    assert events == told
    await probe.owner.execute("DELETE FROM kernel.timer WHERE due > now()")
    await emptied(probe, anna.tenant, "timer")
