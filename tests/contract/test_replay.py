"""A call that is repeated under its request id is answered as before and happens once; a preview does not happen at all."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from revops_mesh.kernel.contract import described, facts
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id
from revops_mesh.kernel.walk import without_secrets
from tests.contract.methods import Method, attempt, each, owner_of, refusal, rowless, send, snapshot, writes
from tests.contract.stories import STORIES
from tests.world import Caller, World

AT_ONCE = 4


def once(method: Method) -> bool:
    return writes(method) and method.has_request_id


def public_part(answer: Message) -> bytes:
    """An answer as replays give it: a secret is shown once."""
    copy = type(answer)()
    copy.CopyFrom(answer)
    if (strip := without_secrets(type(answer))) is not None:
        strip(copy)
    return copy.SerializeToString(deterministic=True)


def addresses(request: type[Message]) -> bool:
    """It says by name what it is about."""
    return bool({"name", "parent", "update_mask"} & set(request.DESCRIPTOR.fields_by_name))


def elsewhere(name: str) -> str:
    """Another name of the same form and length."""
    return name[:-1] + {"0": "1", "1": "2"}.get(name[-1], "0")


def altered(request: Message) -> Message:
    """Another request: of another resource, or for another id."""
    other: Any = type(request)()
    other.CopyFrom(request)
    fields = request.DESCRIPTOR.fields_by_name
    if addresses(type(request)):
        holder = getattr(other, request.DESCRIPTOR.fields[0].name) if "update_mask" in fields else other
        field = "parent" if "parent" in fields else "name"
        setattr(holder, field, elsewhere(getattr(holder, field)))
    elif "scopes" in fields:
        other.scopes.append("*")
    else:
        given = [field for field in fields if field.endswith("_id") and field != "request_id"]
        assert len(given) == 1, f"{request.DESCRIPTOR.full_name}: which field makes another request of it?"
        setattr(other, given[0], f"other-{new_id()}")
        for field, value in other.ListFields():  # what is unique is another one's, too
            for inner in described(type(value)).fields if field.message_type is not None and not field.is_repeated else ():
                if facts(inner).unique and getattr(value, inner.name):
                    setattr(value, inner.name, f"other-{new_id()}")
    return other  # type: ignore[no-any-return]


async def told(method: Method, world: World, **fields: Any) -> tuple[Caller, Any]:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    for field, value in fields.items():
        setattr(request, field, value)
    return owner, request


@each(writes)
def test_whatever_writes_can_be_repeated(method: Method) -> None:
    assert method.has_request_id


@each(once)
async def test_a_replay_answers_alike_and_writes_nothing(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()))
    first = (await send(owner, method, request))[0]
    after = await snapshot(world, owner.tenant)
    for _ in range(2):
        again = (await send(owner, method, request))[0]
        assert again.SerializeToString(deterministic=True) == public_part(first)
    assert await snapshot(world, owner.tenant) == after


@each(once)
async def test_a_request_id_is_good_for_one_request(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()))
    await send(owner, method, request)
    after = await snapshot(world, owner.tenant)
    for other in (altered(request), altered(altered(request))):
        refused = await refusal(owner, method, other)
        assert (refused.reason, refused.metadata) == ("REQUEST_ID_CONFLICT", {"request_id": request.request_id})
    assert await snapshot(world, owner.tenant) == after


@each(once)
async def test_concurrent_duplicates_happen_once(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()))
    before = await audited(world, owner, method)
    answers = await asyncio.gather(*(send(owner, method, request) for _ in range(AT_ONCE)))
    assert len({public_part(answer) for (answer,) in answers}) == 1
    assert await audited(world, owner, method) == before + 1
    claims = "SELECT count(*) FROM kernel.replay WHERE tenant_id=$1 AND request_id=$2::text::uuid"
    assert await world.owner.fetchval(claims, owner.tenant, request.request_id) == 1


async def audited(world: World, owner: Caller, method: Method) -> int:
    sql = "SELECT count(*) FROM kernel.audit WHERE tenant_id=$1 AND method=$2 AND outcome='OK'"
    return int(await world.owner.fetchval(sql, owner.tenant, method.full_name))


@each(lambda method: once(method) and addresses(method.request))
async def test_a_refused_call_leaves_its_request_id_free(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()))
    before = await snapshot(world, owner.tenant)
    assert (await refusal(owner, method, altered(request))).reason == "RESOURCE_NOT_FOUND"
    assert await snapshot(world, owner.tenant) == before
    await send(owner, method, request)


@each(lambda method: writes(method) and method.has_validate_only)
async def test_a_preview_writes_nothing_and_answers_like_the_call(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()), validate_only=True)
    before = await snapshot(world, owner.tenant)
    preview = (await send(owner, method, request))[0]
    assert await snapshot(world, owner.tenant) == before
    request.validate_only = False
    answer = (await send(owner, method, request))[0]
    assert set(names(preview)) == set(names(answer))
    assert await snapshot(world, owner.tenant) != before


def names(message: Message) -> Counter[str]:
    """The fields that are set."""
    return Counter(field.name for field, _ in message.ListFields())


@each(lambda method: once(method) and not rowless(method))
async def test_somebody_else_has_request_ids_of_their_own(method: Method, world: World) -> None:
    owner, request = await told(method, world, request_id=str(uuid4()))
    await send(owner, method, request)
    roles = ("platform-admin",) if owner.tenant.int == 1 else ("admin",)
    colleague = await world.caller(*roles, tenant=owner.tenant, sub=f"users/{new_id()}")
    outcome = await attempt(colleague, method, altered(request))
    assert not isinstance(outcome, Failure) or outcome.reason == "RESOURCE_NOT_FOUND", outcome
