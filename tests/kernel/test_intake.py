"""Streams of requests: each is committed before the next is taken, and one that is sent again goes on where it was cut off."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld
from tests.world import Caller

PATH = "/revops.probe.v1.BoxService/PourBox"


async def box_of(caller: Caller) -> str:
    name: str = (await caller(pb.CreateBoxRequest(box=pb.Box()))).name
    return name


async def poured(world: ProbeWorld, caller: Caller, box: str, *quantities: int, request_id: str = "") -> Any:
    async def portions() -> AsyncIterator[Any]:
        for quantity in quantities:
            if quantity == CUT:
                raise ConnectionError("the caller is gone")
            yield pb.PourBoxRequest(name=box, quantity=quantity, request_id=request_id)

    return await world.kernel.intake(PATH, portions(), caller.arrival())


CUT = -1


async def test_a_stream_is_answered_once_it_ended(boxes: ProbeWorld) -> None:
    anna = await boxes.caller("admin")
    box = await poured(boxes, anna, await box_of(anna), 1, 2, 3)
    assert (box.holds, box.streams, box.etag) == (6, 1, "5")


async def test_a_stream_that_is_cut_off_keeps_what_came_and_has_not_ended(boxes: ProbeWorld) -> None:
    anna = await boxes.caller("admin")
    name = await box_of(anna)
    with pytest.raises(ConnectionError):
        await poured(boxes, anna, name, 1, 2, CUT)
    box = await anna(pb.GetBoxRequest(name=name))
    assert (box.holds, box.streams) == (3, 0)


async def test_a_stream_that_is_sent_again_takes_only_what_is_new(boxes: ProbeWorld) -> None:
    anna, again = await boxes.caller("admin"), str(new_uuid())
    name = await box_of(anna)
    with pytest.raises(ConnectionError):
        await poured(boxes, anna, name, 1, 2, CUT, request_id=again)
    for _ in range(2):
        box = await poured(boxes, anna, name, 1, 2, 3, request_id=again)
        assert (box.holds, box.streams) == (6, 1)


async def test_another_stream_under_the_same_id_is_refused(boxes: ProbeWorld) -> None:
    anna, again = await boxes.caller("admin"), str(new_uuid())
    name = await box_of(anna)
    await poured(boxes, anna, name, 1, 2, request_id=again)
    with pytest.raises(Failure) as refused:
        await poured(boxes, anna, name, 1, 3, request_id=again)
    assert refused.value.reason == "REQUEST_ID_CONFLICT"


async def test_a_bad_request_ends_the_stream_and_what_came_before_stays(boxes: ProbeWorld) -> None:
    anna = await boxes.caller("admin")
    name = await box_of(anna)
    with pytest.raises(Failure) as refused:
        await poured(boxes, anna, name, 5, 0, 7)
    assert refused.value.reason == "FIELD_INVALID"
    box = await anna(pb.GetBoxRequest(name=name))
    assert (box.holds, box.streams) == (5, 0)


async def test_an_empty_stream_is_refused(boxes: ProbeWorld) -> None:
    anna = await boxes.caller("admin")
    with pytest.raises(Failure) as refused:
        await poured(boxes, anna, await box_of(anna))
    assert refused.value.reason == "FIELD_INVALID"


async def test_a_stranger_pours_nothing(boxes: ProbeWorld) -> None:
    anna, eve = await boxes.caller("admin"), await boxes.caller("admin", tenant=await boxes.tenant())
    with pytest.raises(Failure) as refused:
        await poured(boxes, eve, await box_of(anna), 1)
    assert refused.value.reason == "RESOURCE_NOT_FOUND"
