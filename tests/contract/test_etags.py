"""A write that was based on an older revision is refused and leaves nothing: no row, no event, no audit entry, no claim."""

from typing import Any

from google.protobuf.message import Message

from revops_mesh.kernel.names import new_uuid
from tests.contract.methods import KINDS, Method, each, owner_of, refusal, send, snapshot, writes
from tests.contract.stories import STORIES
from tests.world import World

WRONG = ("0", "999999", "01", "-1", "x", "1; DROP TABLE", "\N{ARABIC-INDIC DIGIT ONE}")


def holder_of(request: Any) -> Any:
    """The message whose `etag` a request checks: the resource of an update, else the request itself; None if there is none."""
    fields = request.DESCRIPTOR.fields_by_name
    if "update_mask" in fields:
        return getattr(request, request.DESCRIPTOR.fields[0].name)
    return request if "etag" in fields else None


def checks_an_etag(method: Method) -> bool:
    return writes(method) and holder_of(method.request()) is not None


async def revision_of(world: World, tenant: Any, name: str) -> int:
    """The stored revision of a resource."""
    kind = next(kind for kind in KINDS if kind.pattern.matches(name))
    found = await world.owner.fetchval(f"SELECT revision FROM {kind.sql} WHERE tenant_id=$1 AND name=$2", tenant, name)
    assert found is not None, f"{name} is not stored"
    return int(found)


@each(checks_an_etag)
async def test_a_stale_etag_aborts_and_leaves_nothing(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    holder = holder_of(request)
    current = str(await revision_of(world, owner.tenant, holder.name))
    before = await snapshot(world, owner.tenant)
    for etag in {*WRONG, str(int(current) - 1), str(int(current) + 1), current + " ", f"0{current}"} - {current, ""}:
        holder.etag = etag
        if method.has_request_id:
            request.request_id = str(new_uuid())
        refused = await refusal(owner, method, request)
        assert (refused.reason, refused.metadata) == ("ETAG_MISMATCH", {"name": holder.name}), etag
        assert await snapshot(world, owner.tenant) == before
    holder.etag = current
    await send(owner, method, request)


@each(checks_an_etag)
async def test_the_answer_carries_the_next_etag(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Message = await STORIES[method.full_name](world, owner)
    holder = holder_of(request)
    seen = await revision_of(world, owner.tenant, holder.name)
    answer: Any = (await send(owner, method, request))[0]
    stored = await revision_of(world, owner.tenant, holder.name)
    assert stored > seen
    if "etag" in answer.DESCRIPTOR.fields_by_name:
        assert answer.name == holder.name
        assert answer.etag == str(stored)
