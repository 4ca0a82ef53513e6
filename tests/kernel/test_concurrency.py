"""What happens when several callers want the same thing at once, on PostgreSQL."""

import asyncio
import random
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.catalog.products.domain import Product, RatePlan
from revops_mesh.kernel import clock
from revops_mesh.kernel.collection import Cap
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.statements import begin
from revops_mesh.kernel.unit import Unit
from tests.world import ENTERPRISE, FREE, Caller, World


def draft(**fields: Any) -> pb.CreateProductRequest:
    return pb.CreateProductRequest(product=pb.Product(**{"display_name": "Cloud", **fields}))


async def outcomes(*calls: Any) -> Counter[str]:
    """How often each outcome came: OK or a reason."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Failure):
            raise result
    return Counter(result.reason if isinstance(result, Failure) else "OK" for result in results)


async def test_duplicates_of_one_request_id_run_once_and_answer_alike(world: World) -> None:
    anna = await world.caller()
    request = draft()
    request.request_id = str(uuid4())
    answers = await asyncio.gather(*(anna(request) for _ in range(8)))
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    assert (await world.rows(anna.tenant, ["catalog.products", "kernel.audit"])) == {"catalog.products": 1, "kernel.audit": 1}


async def test_one_of_many_stale_writers_wins_and_the_others_leave_nothing(world: World) -> None:
    anna = await world.caller()
    product = await anna(draft())
    plan = pb.RatePlan(display_name="p", charges=[pb.Charge(charge_id="c", type=1, model=2)])
    await anna(pb.CreateRatePlanRequest(parent=product.name, rate_plan=plan))
    counted = await outcomes(*(anna(pb.ActivateProductRequest(name=product.name)) for _ in range(10)))
    assert counted["OK"] == 1
    assert set(counted) <= {"OK", "ETAG_MISMATCH", "PRODUCT_STATE"}
    assert [revision for _, revision, _ in await world.events(anna.tenant)] == [3]


async def test_a_stale_etag_aborts_and_leaves_no_event(world: World) -> None:
    anna = await world.caller()
    product = await anna(draft())
    await anna(pb.UpdateProductRequest(product=pb.Product(name=product.name, family="a")))
    refusal = await anna.refusal(pb.ActivateProductRequest(name=product.name, etag="1"))
    assert (refusal.reason, refusal.metadata) == ("ETAG_MISMATCH", {"name": product.name})
    assert await world.events(anna.tenant) == []


@pytest.mark.parametrize("start", [0, 95])
async def test_a_cap_is_not_overshot_by_concurrent_creates(world: World, start: int) -> None:
    anna = await world.caller(edition=FREE)
    for _ in range(start):
        await anna(draft())
    counted: Counter[str] = Counter()
    for _ in range(3 if not start else 1):  # fewer at once than the tenant may have under way
        counted += await outcomes(*(anna(draft()) for _ in range(40)))
    assert counted["OK"] == 100 - start
    assert set(counted) == {"OK", "LIMIT_REACHED"}
    assert (await world.rows(anna.tenant, ["catalog.products"]))["catalog.products"] == 100


async def test_deleting_makes_room_under_a_cap(world: World) -> None:
    anna = await world.caller(edition=FREE)
    made = [await anna(draft()) for _ in range(100)]
    assert (await anna.refusal(draft())).metadata == {
        "resource": "products", "limit": "100", "edition": "FREE", "lifted_by": "TEAM",
    }  # fmt: skip
    await anna(pb.DeleteProductRequest(name=made[0].name))
    await anna(draft())
    assert (await anna.refusal(draft())).reason == "LIMIT_REACHED"


async def test_an_uncapped_edition_writes_no_counter_and_a_cap_counts_what_is_there(world: World) -> None:
    anna = await world.caller(edition=ENTERPRISE)
    for _ in range(3):
        await anna(draft())
    assert await world.rows(anna.tenant, ["kernel.counter"]) == {"kernel.counter": 0}
    unit_cap = Cap(FREE, epoch=7)
    unit = Unit(await world.pools.app.take(), anna.tenant, "", clock.now(), unit_cap, read_only=False)
    try:
        await unit.begin(None)
        unit.write(kind_of(pb.Product), Product.draft("products/later", pb.Product(display_name="x")))
        await unit.flush()
        await unit.commit()
    finally:
        world.pools.app.give(unit.connection)
    assert await world.owner.fetchval("SELECT n FROM kernel.counter WHERE tenant_id=$1", anna.tenant) == 4


async def crossing(world: World, anna: Caller, names: list[str]) -> str:
    """Changes several products in one unit, in a random order."""
    order = random.sample(names, len(names))
    unit = Unit(await world.pools.app.take(), anna.tenant, "", clock.now(), Cap(ENTERPRISE, 0), read_only=False)
    kind = kind_of(pb.Product)
    try:
        await unit.begin(None)
        for name in order:
            row = await unit.connection.fetchrow(
                f"SELECT body, revision FROM {kind.sql} WHERE tenant_id=$1 AND name=$2", anna.tenant, name
            )
            product = Product(pb.Product.FromString(row["body"]), row["revision"])
            product.state.description += "x"
            unit.write(kind, product)
        await asyncio.sleep(0)
        await unit.flush()
        await unit.commit()
        return "OK"
    except Failure as failure:
        await unit.rollback()
        return failure.reason
    finally:
        world.pools.app.give(unit.connection)


async def test_crossing_writes_of_several_rows_never_deadlock(world: World) -> None:
    anna = await world.caller()
    names = [(await anna(draft())).name for _ in range(5)]
    done: Counter[str] = Counter()
    for _ in range(25):
        done += Counter(await asyncio.gather(*(crossing(world, anna, names) for _ in range(6))))
    assert set(done) == {"OK", "ETAG_MISMATCH"}
    lengths = [len((await anna(pb.GetProductRequest(name=name))).description) for name in names]
    assert lengths == [done["OK"]] * len(names)


async def test_numbers_have_no_gaps_although_calls_fail(world: World) -> None:
    anna = await world.caller()

    async def draw(fail: bool) -> int | None:
        unit = Unit(await world.pools.app.take(), anna.tenant, "", clock.now(), Cap(ENTERPRISE, 0), read_only=False)
        try:
            await unit.begin(None)
            number = await unit.next_number("invoices")
            await asyncio.sleep(0.001)
            await (unit.rollback() if fail else unit.commit())
            return None if fail else number
        finally:
            world.pools.app.give(unit.connection)

    drawn = await asyncio.gather(*(draw(fail=i % 3 == 0) for i in range(60)))
    assert sorted(n for n in drawn if n is not None) == list(range(1, 41))


async def test_a_deadlock_runs_the_handler_again(world: World) -> None:
    anna = await world.caller()
    product = await anna(draft())
    handler, seen = world.kernel._handlers, []
    path = "/revops.catalog.v1.ProductService/UpdateProduct"

    from revops_mesh.kernel.transaction import transact

    async def deadlocks_twice(request: Any, call: Any) -> Any:
        import asyncpg

        seen.append(call.unit)
        if len(seen) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return await handler[path](request, call)

    method = world.kernel.methods[path]
    inner = world.kernel._compose(method, transact(method, world.kernel, deadlocks_twice, None))
    request = pb.UpdateProductRequest(product=pb.Product(name=product.name, family="f"))
    answer = await inner(request, world.kernel.call(method, request, anna.arrival()))
    assert answer.family == "f"
    assert len(seen) == 3
    assert len(set(map(id, seen))) == 3


async def test_a_held_claim_is_refused_as_contended_after_two_seconds(world: World) -> None:
    from revops_mesh.kernel.names import derived
    from revops_mesh.kernel.statements import Claim

    anna = await world.caller()
    request = draft()
    request.request_id = str(uuid4())
    async with world.pools.app.acquire() as connection:
        from uuid import UUID

        claim = Claim(derived("principal", "users/anna"), UUID(request.request_id), uuid4(), 7)
        await connection.execute(begin(anna.tenant, "", claim, read_only=False))
        refusal = await anna.refusal(request)
        await connection.execute("ROLLBACK")
    assert refusal.reason == "CONTENDED"
    assert refusal.retry_after is not None
    assert (await anna(request)).display_name == "Cloud"


async def test_a_stale_call_that_also_adds_is_told_that_it_is_stale(world: World) -> None:
    anna = await world.caller()
    product = await anna(draft())
    plan = pb.RatePlan(display_name="p", charges=[pb.Charge(charge_id="c", type=1, model=2)])
    await anna(pb.CreateRatePlanRequest(parent=product.name, rate_plan=plan, rate_plan_id="taken"))
    kind, plans = kind_of(pb.Product), kind_of(pb.RatePlan)
    unit = Unit(await world.pools.app.take(), anna.tenant, "", clock.now(), Cap(ENTERPRISE, 0), read_only=False)
    try:
        await unit.begin(None)
        stale = Product(pb.Product.FromString(product.SerializeToString()), 1)
        unit.write(kind, stale)
        unit.write(plans, RatePlan.draft(f"{product.name}/ratePlans/taken", plan))
        with pytest.raises(Failure) as refused:
            await unit.flush()
        await unit.rollback()
    finally:
        world.pools.app.give(unit.connection)
    assert refused.value.reason == "ETAG_MISMATCH"
