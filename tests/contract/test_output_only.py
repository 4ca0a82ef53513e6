"""What the server alone sets, nobody else sets: a caller's values for such fields are ignored, and refused in a mask."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from revops_mesh.kernel.contract import described
from tests.contract.methods import Method, each, is_output_only, owner_of, refusal, send, snapshot, writes
from tests.contract.stories import STORIES
from tests.world import World


def resource(request: Any) -> FieldDescriptor | None:
    """The field of a request that holds the resource it creates or changes."""
    for field in described(request).fields:
        if field.message_type is not None and any(map(is_output_only, field.message_type.fields)) and not is_output_only(field):
            return field
    return None


def takes_a_resource(method: Method) -> bool:
    return writes(method) and resource(method.request) is not None


def closed(message: Message) -> list[FieldDescriptor]:
    return [field for field in described(message).fields if is_output_only(field)]


def pretend(message: Any, field: FieldDescriptor) -> Any:
    """Sets a field to something that no server would set, and gives it."""
    if field.message_type is not None:
        value = getattr(message, field.name)
        target = value.add() if field.is_repeated else value
        target.SetInParent()
        first = field.message_type.fields[0]
        if first.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_STRING) and not first.is_repeated:
            setattr(target, first.name, 1 if first.type == FieldDescriptor.TYPE_INT64 else "pretended")
        return value
    pretended: Any = {FieldDescriptor.TYPE_STRING: "pretended", FieldDescriptor.TYPE_BYTES: b"pretended"}.get(field.type)
    if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
        pretended = 4711
    elif field.type == FieldDescriptor.TYPE_BOOL:
        pretended = True
    elif field.enum_type is not None:
        pretended = field.enum_type.values[-1].number
    if field.is_repeated:
        getattr(message, field.name).append(pretended)
        return getattr(message, field.name)
    setattr(message, field.name, pretended)
    return pretended


@each(takes_a_resource)
async def test_what_only_the_server_sets_is_ignored(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    honest: Any = (await send(owner, method, await STORIES[method.full_name](world, owner)))[0]
    request: Any = await STORIES[method.full_name](world, owner)
    field = resource(request)
    assert field is not None
    holder = getattr(request, field.name)
    pretended = {closed_field.name: pretend(holder, closed_field) for closed_field in closed(holder)}
    answer: Any = (await send(owner, method, request))[0]
    for name, value in pretended.items():
        assert getattr(answer, name) != value or getattr(honest, name) == value, name


@each(lambda method: takes_a_resource(method) and "update_mask" in method.request.DESCRIPTOR.fields_by_name)
async def test_a_mask_that_names_it_is_refused(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    before = await snapshot(world, owner.tenant)
    holder = getattr(request, request.DESCRIPTOR.fields[0].name)
    for field in closed(holder):
        request.update_mask.paths[:] = [field.name]
        refused = await refusal(owner, method, request)
        assert (refused.reason, refused.metadata) == ("FIELD_INVALID", {"field": "update_mask"}), field.name
    assert await snapshot(world, owner.tenant) == before
