"""Every accepted change leaves one audit entry that says who changed what; every refusal of a known caller leaves one too."""

import re
from typing import Any

from revops.catalog.v1 import products_pb2 as products
from revops.options.v1 import options_pb2 as options

from tests.contract import people
from tests.contract.methods import Method, each, guarded, of_installation, owner_of, refusal, rowless, send
from tests.contract.stories import STORIES
from tests.world import World


async def entries(world: World, tenant: Any, method: Method) -> list[Any]:
    sql = "SELECT * FROM kernel.audit WHERE tenant_id=$1 AND method=$2 ORDER BY id"
    return list(await world.owner.fetch(sql, tenant, method.full_name))


def audits(method: Method) -> bool:
    return bool(method.policy.audit == options.AUDIT_WRITE)


@each(audits)
async def test_an_accepted_change_leaves_one_entry(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    before = await entries(world, owner.tenant, method)
    answers = await send(owner, method, request)
    (entry,) = [entry for entry in await entries(world, owner.tenant, method) if entry["id"] not in {e["id"] for e in before}]
    assert entry["outcome"] == "OK"
    assert entry["principal"].startswith("services/" if method.internal else ("users/", "serviceAccounts/"))
    assert entry["resources"] or method.internal or rowless(method), "it says that something changed but not what"
    assert all(re.fullmatch(r"[A-Za-z]+/[^@]+(@[1-9][0-9]*)?", name) for name in entry["resources"]), entry["resources"]
    assert entry["digest"].int
    for answer in answers:
        if "etag" in answer.DESCRIPTOR.fields_by_name:
            named: Any = answer
            assert f"{named.name}@{named.etag}" in entry["resources"]


@each(lambda method: method.reads)
async def test_a_read_leaves_none(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    await world.kernel.refusals.flush()
    before = await entries(world, owner.tenant, method)
    await send(owner, method, request)
    await world.kernel.refusals.flush()
    assert await entries(world, owner.tenant, method) == before


@each(guarded)
async def test_a_refusal_of_a_known_caller_leaves_one_entry(method: Method, world: World) -> None:
    if of_installation(method):
        stranger = await world.caller("admin", "platform-admin")
    else:
        stranger = await people.lacking(world, await world.tenant(), method.policy.permission)
    await refusal(stranger, method, method.request())
    await world.kernel.refusals.flush()
    (entry,) = await entries(world, stranger.tenant, method)
    assert (entry["outcome"], entry["resources"], entry["request"]) == ("PERMISSION_REQUIRED", [], b"")
    assert entry["principal"].startswith("users/")


async def test_a_loop_of_refusals_of_one_caller_does_not_silence_another_tenants_caller_of_the_same_name(world: World) -> None:
    loud, quiet = [await world.caller("viewer", sub="users/anna") for _ in range(2)]
    request = products.DeleteProductRequest(name="products/x")
    await world.kernel.refusals.flush()
    for _ in range(50):
        await loud.refusal(request)
    await quiet.refusal(request)
    await world.kernel.refusals.flush()
    written = "SELECT count(*) FROM kernel.audit WHERE tenant_id=$1"
    assert 10 <= await world.owner.fetchval(written, loud.tenant) <= 20
    assert await world.owner.fetchval(written, quiet.tenant) == 1
