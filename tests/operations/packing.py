"""Packing of boxes as the long job under test: started, run by runners, and reconciled with every trace that its calls left."""

from collections import Counter
from typing import Any
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.probe.contract import pb as probe_pb
from tests.probe.world import ProbeWorld
from tests.world import Caller, World

ADVANCE = "revops.platform.v1.OperationService.AdvanceOperation"
AT_ONCE = (0.0,)


def runners(world: World, pool: Pool, **more: Any) -> Timers:
    """Runners of operations that wait for nothing."""
    return Timers(world.kernel, pool, more.pop("counts", Counts()), errand=ADVANCE, delays=AT_ONCE, **more)


async def box_of(anna: Caller) -> str:
    name: str = (await anna(probe_pb.CreateBoxRequest(box=probe_pb.Box()))).name
    return name


async def begun(anna: Caller, portions: int = 6, size: int = 2) -> tuple[str, str]:
    """The box that is to be packed, and the operation that will."""
    box = await box_of(anna)
    operation = await anna(probe_pb.PackBoxRequest(box=box, portions=portions, size=size))
    return box, operation.name


async def done(anna: Caller, name: str) -> pb.Operation:
    """The operation once it has ended, which runners see to."""
    for _ in range(6):
        operation: pb.Operation = await anna(pb.WaitOperationRequest(name=name, timeout=Duration(seconds=10)))
        if operation.done:
            return operation
    raise AssertionError(f"{name} does not end: {operation}")


async def fire_until_done(anna: Caller, timers: Timers, name: str) -> pb.Operation:
    """The same, with this very runner."""
    while not (operation := await anna(pb.GetOperationRequest(name=name))).done:
        assert await timers.fire(), f"nothing is due and {name} has not ended"
    return operation  # type: ignore[no-any-return]


def progress(operation: pb.Operation) -> int:
    metadata: Any = probe_pb.PackBoxMetadata()
    assert operation.metadata.Unpack(metadata)
    return int(metadata.done)


async def traces(world: ProbeWorld, tenant: UUID, box: str) -> tuple[Counter[Any], Counter[Any]]:
    """What the calls of a job left: audit entries by request, and events by portion."""
    entries = await world.owner.fetch(
        "SELECT digest FROM kernel.audit WHERE tenant_id=$1 AND method LIKE '%.FillBox' AND outcome='OK'", tenant
    )
    events = [event for name, _, event in await world.events(tenant) if name == box]
    return Counter(row["digest"] for row in entries), Counter(event.quantity for event in events)  # type: ignore[attr-defined]


async def assert_packed_once(world: ProbeWorld, anna: Caller, box: str, portions: int) -> None:
    """Every portion is in the box once, by one call, with one audit entry and one event."""
    entries, events = await traces(world, anna.tenant, box)
    assert events == Counter(range(1, portions + 1))
    assert sorted(entries.values()) == [1] * portions
    assert (await anna(probe_pb.GetBoxRequest(name=box))).holds == portions * (portions + 1) // 2
