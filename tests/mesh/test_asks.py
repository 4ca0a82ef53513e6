"""A question and a reservation mean the same whether the other module is in this process or behind a wire."""

from dataclasses import replace
from uuid import uuid4

import pytest
from revops.platform.v1 import access_pb2 as access

from revops_mesh.kernel.call import Arrival, Event
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from tests.mesh.split import Split
from tests.probe.contract import pb
from tests.world import FREE, Caller


async def box_of(caller: Caller, **fields: object) -> str:
    """The name of a new box."""
    return str((await caller(pb.CreateBoxRequest(box=pb.Box(**fields)))).name)


async def inspector(modules: Split) -> Caller:
    """Somebody in rooms who may look at boxes there and nothing else; the role is made behind the contract's back."""
    tenant, state = await modules.boxes.tenant(), access.Role(name="roles/inspector", permissions=["probe.rooms.inspect"])
    await modules.boxes.owner.execute(
        "INSERT INTO platform.roles(tenant_id,name,revision,body,create_time,update_time) VALUES($1,$2,1,$3,now(),now())",
        tenant, state.name, state.SerializeToString(),
    )  # fmt: skip
    return modules.in_rooms(await modules.boxes.caller("inspector", tenant=tenant))


async def test_a_question_is_answered_unmasked_and_the_caller_sees_only_what_it_may(modules: Split) -> None:
    ina = await inspector(modules)
    anna = await modules.boxes.caller(tenant=ina.tenant)
    box = await box_of(anna, contents="gold")
    answer = await ina(pb.InspectBoxRequest(box=box))
    assert modules.room_service.inspected == ["gold"], "the module that asks sees it"
    assert answer.contents == "", "its caller may not"
    assert (await modules.in_rooms(anna)(pb.InspectBoxRequest(box=box))).contents == "gold"


async def test_a_question_needs_no_permission_of_the_caller_but_its_own_method_does(modules: Split) -> None:
    ina = await inspector(modules)
    box = await box_of(await modules.boxes.caller(tenant=ina.tenant))
    assert (await replace(ina, world=modules.boxes).refusal(pb.GetBoxRequest(name=box))).reason == "PERMISSION_REQUIRED"
    assert (await ina(pb.InspectBoxRequest(box=box))).name == box


async def test_a_partner_is_shown_its_own_only(modules: Split) -> None:
    anna = await modules.boxes.caller()
    own, other = await box_of(anna, partner="partners/nord"), await box_of(anna, partner="partners/sued")
    petra = modules.in_rooms(await modules.boxes.caller(tenant=anna.tenant, partner="partners/nord"))
    assert (await petra(pb.InspectBoxRequest(box=own))).name == own
    refusal = await petra.refusal(pb.InspectBoxRequest(box=other))
    assert (refusal.reason, refusal.metadata) == ("RESOURCE_NOT_FOUND", {"name": other})


async def test_another_tenants_box_does_not_exist(modules: Split) -> None:
    box = await box_of(await modules.boxes.caller())
    stranger = modules.in_rooms(await modules.boxes.caller())
    assert (await stranger.refusal(pb.InspectBoxRequest(box=box))).reason == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ("boxes/none", ("RESOURCE_NOT_FOUND", {"name": "boxes/none"}, [])),
        ("", ("FIELD_INVALID", {"field": "name"}, ["name"])),
        ("rooms/r", ("FIELD_INVALID", {"field": "name"}, ["name"])),
    ],
)
async def test_a_refusal_is_the_same(modules: Split, box: str, told: object) -> None:
    anna = modules.in_rooms(await modules.boxes.caller())
    refusal = await anna.refusal(pb.InspectBoxRequest(box=box))
    assert (refusal.reason, refusal.metadata, [field for field, _ in refusal.violations]) == told
    assert refusal.domain == "revops.platform.v1"


async def test_a_fault_of_the_asked_module_is_a_fault_without_its_text(modules: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(request: object, call: object) -> None:
        raise RuntimeError("internals")

    path = "/revops.probe.v1.BoxService/GetBox"
    anna = await modules.boxes.caller()
    monkeypatch.setattr(modules.box_service, "GetBox", broken)
    monkeypatch.setitem(modules.boxes.kernel._handlers, path, broken)
    method = modules.boxes.kernel.methods[path]
    monkeypatch.setitem(
        modules.boxes.kernel._layers, path, modules.boxes.kernel._compose(method, modules.boxes.kernel._terminal(method))
    )
    refusal = await modules.in_rooms(anna).refusal(pb.InspectBoxRequest(box="boxes/b"))
    assert refusal.reason == "FAULT"
    assert "internals" not in str(refusal)
    assert refusal.metadata["correlation"] in str(refusal)


async def test_only_the_call_that_asked_is_refused_in_the_audit(modules: Split) -> None:
    anna = await modules.boxes.caller()
    await modules.in_rooms(anna).refusal(pb.InspectBoxRequest(box="boxes/none"))
    for kernel in (modules.rooms.kernel, modules.boxes.kernel):
        await kernel.refusals.flush()
    rows = await modules.boxes.owner.fetch("SELECT method, outcome FROM kernel.audit WHERE tenant_id=$1", anna.tenant)
    assert [tuple(row) for row in rows] == [("revops.probe.v1.RoomService.InspectBox", "RESOURCE_NOT_FOUND")]


async def test_a_reservation_is_made_once_and_refused_alike(modules: Split) -> None:
    anna = await modules.boxes.caller("admin", edition=FREE)
    request = pb.FurnishRoomRequest(room="rooms/r", quantity=60, request_id=str(uuid4()))
    in_rooms = modules.in_rooms(anna)
    assert [(await in_rooms(request)).reserved for _ in range(3)] == [60] * 3
    refusal = await in_rooms.refusal(pb.FurnishRoomRequest(room="rooms/r", quantity=41))
    assert (refusal.reason, refusal.metadata) == ("ROOM_FULL", {"room": "rooms/r", "reserved": "60"})
    assert refusal.domain == "revops.probe.v1"
    body = await modules.boxes.owner.fetchval("SELECT body FROM probe.rooms WHERE tenant_id=$1", anna.tenant)
    assert pb.Room.FromString(body).reserved == 60
    entry = await modules.boxes.owner.fetchrow(
        "SELECT principal FROM kernel.audit WHERE tenant_id=$1 AND method LIKE '%ReserveSpace' AND outcome='OK'", anna.tenant
    )
    assert entry["principal"] == "users/anna"


async def test_a_reaction_asks_as_its_capability_also_in_a_suspended_tenant(modules: Split) -> None:
    anna = await modules.boxes.caller()
    box = await box_of(anna, contents="tea")
    kernel = modules.rooms.kernel
    method = kernel.methods["/revops.probe.v1.RoomService/InspectFilledBox"]
    await modules.boxes.owner.execute(
        "UPDATE platform.tenants SET body=body||'\\x4002'::bytea WHERE uid=$1", anna.tenant.hex
    )  # suspended; of a field that comes twice the last counts
    for world in (modules.rooms, modules.boxes):
        world.kernel.authenticator.forget()
        world.kernel.authenticator._directory.forget()  # type: ignore[attr-defined]
    assert (await anna.refusal(pb.GetBoxRequest(name=box))).reason == "TENANT_SUSPENDED"
    event = Event(new_uuid(), box, (1, 0), kernel.call(method, pb.BoxFilled(), Arrival({})).now)
    await kernel.react(method, pb.BoxFilled(box=box), anna.tenant, Arrival({}, request_id=new_uuid(), event=event))
    assert modules.room_service.inspected == ["tea"]


async def test_what_is_not_declared_is_not_asked(modules: Split) -> None:
    async def lists(request: object, call: object) -> None:
        await call.ask(pb.ListBoxesRequest(), pb.ListBoxesResponse)  # type: ignore[attr-defined]

    anna, kernel = await modules.boxes.caller(), modules.rooms.kernel
    method = kernel.methods["/revops.probe.v1.RoomService/InspectBox"]
    kernel._handlers[method.path] = lists
    layer = kernel._compose(method, kernel._terminal(method))
    with pytest.raises(Failure) as refused:
        await layer(pb.InspectBoxRequest(), kernel.call(method, pb.InspectBoxRequest(), anna.arrival()))
    assert refused.value.reason == "FAULT"
