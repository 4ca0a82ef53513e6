"""A resource has one name for ever: a taken id is refused, and so is that of what was deleted; ids have one form."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from revops_mesh.kernel.contract import described, facts
from revops_mesh.kernel.names import new_id
from tests.contract.methods import METHODS, Method, each, is_output_only, owner_of, refusal, send, snapshot, writes
from tests.contract.stories import STORIES
from tests.world import World


def id_field(method: Method) -> str:
    """The field in which a caller chooses the id of what is created, "" if there is none."""
    resource = method.name.removeprefix("Create")
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in resource).lstrip("_")
    field = f"{snake}_id"
    return field if method.name.startswith("Create") and field in method.request.DESCRIPTOR.fields_by_name else ""


def names_by_id(method: Method) -> bool:
    return writes(method) and bool(id_field(method))


def deleting(method: Method) -> Method | None:
    wanted = method.full_name.replace(".Create", ".Delete")
    return next((other for other in METHODS if other.full_name == wanted), None)


@each(names_by_id)
async def test_a_chosen_id_becomes_the_name_and_is_taken_then(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    chosen = f"x-{new_id()}"
    setattr(request, id_field(method), chosen)
    made: Any = (await send(owner, method, request))[0]
    assert made.name.rsplit("/", 1)[1] == chosen
    before = await snapshot(world, owner.tenant)
    refused = await refusal(owner, method, request)
    assert (refused.reason, refused.metadata) == ("RESOURCE_EXISTS", {"name": made.name, "field": "name"})
    assert await snapshot(world, owner.tenant) == before


@each(lambda method: names_by_id(method) and deleting(method) is not None)
async def test_what_was_deleted_keeps_its_name(method: Method, world: World) -> None:
    owner, delete = await owner_of(world, method), deleting(method)
    assert delete is not None
    request: Any = await STORIES[method.full_name](world, owner)
    setattr(request, id_field(method), "once")
    made: Any = (await send(owner, method, request))[0]
    await send(owner, delete, delete.request(name=made.name))  # type: ignore[call-arg]
    assert (await refusal(owner, delete, delete.request(name=made.name))).reason == "RESOURCE_NOT_FOUND"  # type: ignore[call-arg]
    assert (await refusal(owner, method, request)).reason == "RESOURCE_EXISTS"


@each(names_by_id)
async def test_an_id_has_one_form(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    for wrong in ("A", "a_b", "a/b", "a" * 64, "ä", " a", "a\n", "..", "-/"):
        setattr(request, id_field(method), wrong)
        refused = await refusal(owner, method, request)
        assert (refused.reason, refused.metadata) == ("FIELD_INVALID", {"field": id_field(method)}), wrong


def unique(method: Method) -> list[FieldDescriptor]:
    """The settable unique fields of what a method creates."""
    if not method.name.startswith("Create"):
        return []
    return [field for field in described(method.response).fields if facts(field).unique and not is_output_only(field)]


@each(lambda method: writes(method) and bool(unique(method)))
async def test_a_unique_value_is_taken_until_its_holder_is_deleted(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    for field in unique(method):
        request: Any = await STORIES[method.full_name](world, owner)
        holder = next(f.name for f in described(request).fields if f.message_type is described(method.response))
        setattr(getattr(request, holder), field.name, "taken-1")
        made: Any = (await send(owner, method, request))[0]
        refused = await refusal(owner, method, request)
        assert (refused.reason, refused.metadata) == ("RESOURCE_EXISTS", {"name": "taken-1", "field": field.name})
        foreign = await owner_of(world, method)
        await send(foreign, method, request)
        if (delete := deleting(method)) is not None:
            await send(owner, delete, delete.request(name=made.name))  # type: ignore[call-arg]
            await send(owner, method, request)
