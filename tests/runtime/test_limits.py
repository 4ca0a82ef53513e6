"""Deadlines, cancellation and load: nothing is left half done, and one tenant's load is not another's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.rpc import error_details_pb2 as details
from grpc_health.v1.health_pb2 import HealthCheckRequest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import Client, served
from tests.runtime.conftest import NewClient
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


@asynccontextmanager
async def locked(world: World, name: str) -> AsyncIterator[None]:
    """Holds the row of a product, so that whoever changes it waits."""
    holder = await asyncpg.connect(world.dsn, user="revops_owner")
    try:
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM catalog.products WHERE name=$1 FOR UPDATE", name)
            yield
    finally:
        await holder.close()


async def outcome(world: World, tenant: UUID, name: str) -> tuple[int, int, int]:
    """Revision of a product, and the numbers of audit entries and replays of its tenant, all at one moment."""
    async with world.owner.transaction(isolation="repeatable_read", readonly=True):
        product = "SELECT revision FROM catalog.products WHERE tenant_id=$1 AND name=$2"
        revision = await world.owner.fetchval(product, tenant, name)
        rows = await world.rows(tenant, ["kernel.audit", "kernel.replay"])
    return revision, rows["kernel.audit"], rows["kernel.replay"]


async def a_product(world: World, client: Client) -> tuple[UUID, str]:
    product = await client(CREATE)
    tenant = await world.owner.fetchval("SELECT tenant_id FROM catalog.products WHERE name=$1", product.name)
    return tenant, product.name


async def until(world: World, condition: str) -> None:
    """Returns when a condition holds for the locks of members."""
    locks = "pg_locks JOIN pg_stat_activity USING (pid) WHERE usename='revops_app'"
    for _ in range(1000):
        if await world.owner.fetchval(f"SELECT {condition} FROM {locks}"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"it never came to {condition}")


async def waiting(world: World) -> None:
    """Returns when a call waits for the row."""
    await until(world, "count(*) FILTER (WHERE NOT granted) > 0")


async def settled(world: World) -> None:
    """Returns when nobody works on rows any more."""
    await until(world, "count(*) = 0")


async def test_a_deadline_that_passes_leaves_all_or_nothing_and_can_be_repeated(client: NewClient, world: World) -> None:
    anna = await client()
    tenant, name = await a_product(world, anna)
    change = pb.UpdateProductRequest(product=pb.Product(name=name, display_name="Safe"), request_id=str(uuid4()))
    async with locked(world, name):
        refused = await anna.refusal(anna(change, timeout=0.3))
        assert refused.code == grpc.StatusCode.DEADLINE_EXCEEDED
    await settled(world)
    assert await outcome(world, tenant, name) in {(1, 1, 0), (2, 2, 1)}
    assert (await anna(change)).display_name == "Safe"
    assert await outcome(world, tenant, name) == (2, 2, 1)


async def test_a_cancelled_call_leaves_all_or_nothing(client: NewClient, world: World) -> None:
    anna = await client()
    tenant, name = await a_product(world, anna)
    change = pb.UpdateProductRequest(product=pb.Product(name=name, display_name="Safe"), request_id=str(uuid4()))
    async with locked(world, name):
        call = anna(change)
        await waiting(world)
        call.cancel()
    await settled(world)
    assert await outcome(world, tenant, name) in {(1, 1, 0), (2, 2, 1)}


async def test_a_call_without_a_deadline_gives_up_on_a_lock_and_says_when_to_repeat(client: NewClient, world: World) -> None:
    anna = await client()
    _, name = await a_product(world, anna)
    async with locked(world, name):
        refused = await anna.refusal(anna(pb.DeleteProductRequest(name=name), timeout=None))
    assert refused.code == grpc.StatusCode.ABORTED
    assert refused.details(details.RetryInfo)[0].retry_delay.ToMilliseconds() == 100
    assert refused.trailer["grpc-retry-pushback-ms"] == "100"


async def test_a_noisy_tenant_is_shed_while_a_quiet_one_and_health_are_answered(
    client: NewClient, world: World, issuer: DevelopmentIssuer, channel: grpc.aio.Channel
) -> None:
    noisy, quiet = await client(), await client()
    _, name = await a_product(world, noisy)
    async with locked(world, name):
        change = pb.UpdateProductRequest(product=pb.Product(name=name, display_name="Safe"))
        calls = [noisy(change) for _ in range(80)]
        await asyncio.sleep(0.5)
        assert (await quiet(CREATE)).name
        (health,) = [answer async for answer in served(channel, "grpc.health.v1.Health", "Check", HealthCheckRequest())]
        assert health.status == health.SERVING
    refused = [error for error in await asyncio.gather(*(noisy.refusal(call) for call in calls), return_exceptions=True)]
    shed = [each for each in refused if not isinstance(each, BaseException) and each.code == grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert len(shed) == 80 - 64
    for each in shed:
        assert each.details(details.ErrorInfo)[0].metadata["scope"] == "tenant"
        assert each.details(details.RetryInfo)[0].retry_delay.ToMilliseconds() == 200
        assert each.trailer["grpc-retry-pushback-ms"] == "200"
