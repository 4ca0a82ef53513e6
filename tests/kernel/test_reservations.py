"""Reservations: made before the transaction, once a request, and never beyond what there is."""

import asyncio
from uuid import uuid4

import pytest

from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pipeline import Kernel
from tests.probe.boxes import Box, BoxService, Room
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld


async def reserved(boxes: ProbeWorld, tenant: object, room: str = "rooms/r") -> int:
    body = await boxes.owner.fetchval("SELECT body FROM probe.rooms WHERE tenant_id=$1 AND name=$2", tenant, room)
    return int(pb.Room.FromString(body).reserved) if body is not None else 0


async def test_a_method_reserves_before_it_acts_and_sees_the_answer(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    stored = await anna(pb.StoreBoxRequest(name=box.name, quantity=30, room="rooms/r"))
    assert stored.holds == 30
    assert await reserved(boxes, anna.tenant) == 30


async def test_a_refused_reservation_leaves_the_box_alone(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    refusal = await anna.refusal(pb.StoreBoxRequest(name=box.name, quantity=101, room="rooms/r"))
    assert (refusal.reason, refusal.metadata) == ("ROOM_FULL", {"room": "rooms/r", "reserved": "0"})
    assert (await anna(pb.GetBoxRequest(name=box.name))).holds == 0


async def test_a_repeated_request_reserves_once_even_after_its_own_failure(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    request = pb.StoreBoxRequest(name="boxes/later", quantity=10, room="rooms/r", request_id=str(uuid4()))
    assert (await anna.refusal(request)).reason == "RESOURCE_NOT_FOUND"
    assert await reserved(boxes, anna.tenant) == 10
    await anna(pb.CreateBoxRequest(box=pb.Box(), box_id="later"))
    answers = [await anna(request) for _ in range(3)]
    assert {answer.holds for answer in answers} == {10}
    assert await reserved(boxes, anna.tenant) == 10


async def test_concurrent_reservations_never_overbook(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    made = [await anna(pb.CreateBoxRequest(box=pb.Box())) for _ in range(20)]
    requests = [pb.StoreBoxRequest(name=box.name, quantity=10, room="rooms/r") for box in made]
    await anna(requests.pop())  # makes the room, so that there is a row to hold
    results = await asyncio.gather(*map(anna, requests), return_exceptions=True)
    refused = [result.reason for result in results if isinstance(result, Failure)]
    assert refused == ["ROOM_FULL"] * 10
    assert await reserved(boxes, anna.tenant) == 100


def test_a_declared_reservation_without_preparation_does_not_boot(boxes: ProbeWorld) -> None:
    class Unprepared(BoxService):
        PrepareStoreBox = None  # type: ignore[assignment]

    with pytest.raises(Broken, match="do not agree on Prepare"):
        Kernel([Module("revops.probe.v1.BoxService", Unprepared(), (Box, Room))], boxes.pools, boxes.kernel.authenticator)


async def test_reserving_what_is_not_declared_is_a_fault(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    handler = boxes.kernel._handlers["/revops.probe.v1.BoxService/StoreBox"]

    async def prepares_another(request: object, call: object) -> list[object]:
        return [pb.CreateBoxRequest(box=pb.Box())]

    from revops_mesh.kernel.transaction import transact

    method = boxes.kernel.methods["/revops.probe.v1.BoxService/StoreBox"]
    inner = boxes.kernel._compose(method, transact(method, boxes.kernel, handler, prepares_another))
    request = pb.StoreBoxRequest(name=box.name, quantity=1, room="rooms/r")
    with pytest.raises(Failure) as refused:
        await inner(request, boxes.kernel.call(method, request, anna.arrival()))
    assert refused.value.reason == "FAULT"
