"""A field with a read permission does not exist for a caller without it: not in answers, requests, masks, filters or orders."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from revops_mesh.kernel.contract import facts
from revops_mesh.kernel.kinds import ColumnType, Kind
from tests.contract import people
from tests.contract.hostile import put
from tests.contract.methods import (
    KINDS,
    METHODS,
    Method,
    each,
    inside,
    owner_of,
    public,
    refusal,
    send,
    settable,
    snapshot,
    values,
)
from tests.contract.stories import STORIES
from tests.world import World

Guarded = tuple[str, str]
"""Path of a field and the permission that shows it."""


def guarded(fields: Any) -> list[Guarded]:
    return [(path, facts(field).read_permission) for path, field in fields if facts(field).read_permission]


def shown(method: Method) -> list[Guarded]:
    return guarded(inside(method.response)) if public(method) else []


def taken(method: Method) -> list[Guarded]:
    return guarded(settable(method.request)) if public(method) else []


def pairs(of: Callable[[Method], list[Guarded]], wanted: Callable[[Method], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Every method with every guarded field."""
    found = [(method, *field) for method in METHODS if wanted(method) for field in of(method)]
    ids = [f"{method.full_name}-{path}" for method, path, _ in found]
    return pytest.mark.parametrize(("method", "path", "permission"), found, ids=ids)


def steps(message: Message, permission: str) -> list[Any]:
    """The proof steps in an answer that need a permission."""
    found: list[Any] = [message] if getattr(message, "read_permission", None) == permission else []
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.full_name.startswith("revops."):
            found += [step for each in (value if field.is_repeated else [value]) for step in steps(each, permission)]
    return found


@pairs(shown, lambda method: not taken(method))
async def test_without_the_permission_a_field_is_answered_empty(method: Method, path: str, permission: str, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    if method.reads:
        everything = await send(owner, method, request)
        assert any(value for answer in everything for value in values(answer, path)), f"the story shows no {path} to anybody"
    lacking = await people.lacking(world, owner.tenant, permission)
    for answer in await send(lacking, method, request):
        assert not any(values(answer, path))
        assert not any(step.expression or step.value for step in steps(answer, permission))


@pairs(taken)
async def test_without_the_permission_a_field_cannot_be_set(method: Method, path: str, permission: str, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    assert any(values(request, path)), f"the story sets no {path}"
    lacking = await people.lacking(world, owner.tenant, permission)
    before = await snapshot(world, owner.tenant)
    if "update_mask" in request.DESCRIPTOR.fields_by_name:
        request.update_mask.paths[:] = [path.partition(".")[2]]
    refused = await refusal(lacking, method, request)
    assert refused.reason == "PERMISSION_REQUIRED", refused
    assert refused.metadata["permission"] == permission
    assert refused.metadata["field"].endswith(path.rpartition(".")[2])
    assert await snapshot(world, owner.tenant) == before
    await send(owner, method, request)


@pairs(taken, lambda method: "update_mask" not in method.request.DESCRIPTOR.fields_by_name)
async def test_whoever_leaves_the_field_alone_needs_none(method: Method, path: str, permission: str, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    field = next(field for known, field in settable(method.request) if known == path)
    put(request, path, "" if field.type == FieldDescriptor.TYPE_STRING else None, 0)
    if field.message_type is not None:
        holder = request
        for name in path.split(".")[:-1]:
            holder = getattr(holder, name)
        holder.ClearField(field.name)
    await send(await people.lacking(world, owner.tenant, permission), method, request)


@pairs(taken, lambda method: "update_mask" in method.request.DESCRIPTOR.fields_by_name)
@pytest.mark.parametrize("mask", [[], ["*"]], ids=["no mask", "*"])
async def test_an_update_that_does_not_name_it_keeps_the_stored_value(
    method: Method, path: str, permission: str, mask: list[str], world: World
) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    (set_by_owner,) = await send(owner, method, request)
    inner = path.partition(".")[2]
    put(request, path, "", 0)
    request.update_mask.paths[:] = mask
    lacking = await people.lacking(world, owner.tenant, permission)
    await send(lacking, method, request)
    kind = next(kind for kind in KINDS if kind.message is method.response)
    body = await world.owner.fetchval(
        f"SELECT body FROM {kind.sql} WHERE tenant_id=$1 AND name=$2",
        owner.tenant,
        set_by_owner.name,  # type: ignore[attr-defined]
    )
    assert values(kind.message.FromString(body), inner) == values(set_by_owner, inner)


def listed(method: Method) -> Kind | None:
    """The kind that a method lists with filters, None if it does not."""
    if not method.reads or "filter" not in method.request.DESCRIPTOR.fields_by_name:
        return None
    return next(kind for kind in KINDS if kind.message.DESCRIPTOR is method.response.DESCRIPTOR.fields[0].message_type)


def searched(method: Method) -> list[Guarded]:
    return guarded(inside(kind.message)) if public(method) and (kind := listed(method)) else []


@pairs(searched)
async def test_without_the_permission_a_field_cannot_be_searched_by(
    method: Method, path: str, permission: str, world: World
) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    columns = kind.columns if (kind := listed(method)) is not None else ()
    indexed = any(column.path == path and column.type is not ColumnType.TEXT_ARRAY for column in columns)
    lacking = await people.lacking(world, owner.tenant, permission)
    for field in ("filter", "order_by"):
        asked = type(request)()
        asked.CopyFrom(request)
        setattr(asked, field, f"{path}:*" if field == "filter" else path)
        refused = await refusal(lacking, method, asked)
        assert (refused.reason, refused.metadata) == ("FIELD_INVALID", {"field": field})
        if indexed:
            await send(owner, method, asked)


@each(lambda method: bool(method.policy.asks) and not method.internal and not method.reads)
async def test_who_asks_on_a_grant_sees_what_the_caller_may_not(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    asked = {m.policy.permission for m in METHODS if m.full_name in method.policy.asks}
    fields = {permission for m in METHODS if m.full_name in method.policy.asks for _, permission in guarded(inside(m.response))}
    mine = {permission for _, permission in taken(method)}
    await send(await people.lacking(world, owner.tenant, *(asked | fields) - mine), method, request)
