"""Health tells whether PostgreSQL answers and is migrated, of each service that is served, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from revops_mesh.local.ports import free_port
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.standing import newest
from revops_mesh.migrations.tree import migrate
from tests.runtime.calling import Running, member_process, served

PRODUCTS = "revops.catalog.v1.ProductService"
SERVING, NOT_SERVING, UNKNOWN = (
    HealthCheckResponse.SERVING,
    HealthCheckResponse.NOT_SERVING,
    HealthCheckResponse.SERVICE_UNKNOWN,
)


async def check(channel: grpc.aio.Channel, service: str) -> int:
    (answer,) = [each async for each in served(channel, "grpc.health.v1.Health", "Check", HealthCheckRequest(service=service))]
    return int(answer.status)


def watch(channel: grpc.aio.Channel, service: str) -> AsyncIterator[Any]:
    return served(channel, "grpc.health.v1.Health", "Watch", HealthCheckRequest(service=service))


async def becomes(channel: grpc.aio.Channel, status: int, seconds: float) -> float:
    """Seconds until the service has the status."""
    begun = monotonic()
    while await check(channel, PRODUCTS) != status:
        assert monotonic() - begun < seconds, f"not {status} within {seconds} s"
        await asyncio.sleep(0.1)
    return monotonic() - begun


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    """A server that a test may kill, with the schema."""
    with Postgres(tmp_path / "own" / "data", durable=False) as server:
        await asyncio.to_thread(bootstrap, server.dsn(), "revops")
        await asyncio.to_thread(migrate, server.dsn("revops"))
        yield server


@pytest.fixture
def own_member(own_postgres: Postgres, environ: dict[str, str]) -> Iterator[Running]:
    with member_process(environ, REVOPS_DATABASE_URL=own_postgres.dsn("revops")) as running:
        yield running


async def test_the_process_and_each_service_serve(channel: grpc.aio.Channel) -> None:
    assert await check(channel, "") == SERVING
    assert await check(channel, PRODUCTS) == SERVING


async def test_a_service_that_is_not_served_is_not_found(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await check(channel, "revops.catalog.v1.NothingService")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert (await anext(watch(channel, "revops.catalog.v1.NothingService"))).status == UNKNOWN


async def test_a_capability_that_is_left_out_is_not_served(environ: dict[str, str]) -> None:
    with member_process(environ, REVOPS_ONLY="platform") as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            assert await check(channel, "revops.platform.v1.TenantService") == SERVING
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await check(channel, PRODUCTS)
            assert refused.value.code() == grpc.StatusCode.NOT_FOUND


async def test_services_follow_postgresql_down_and_up_while_the_process_serves(
    own_member: Running, own_postgres: Postgres
) -> None:
    async with grpc.aio.insecure_channel(own_member.address) as channel:
        watching = watch(channel, PRODUCTS)
        assert (await anext(watching)).status == SERVING
        own_postgres.kill()
        assert await becomes(channel, NOT_SERVING, 8.0) > 1.0, "one missed answer is not enough"
        assert (await anext(watching)).status == NOT_SERVING
        assert await check(channel, "") == SERVING
        own_postgres.start()
        await becomes(channel, SERVING, 5.0)
        assert (await anext(watching)).status == SERVING
    own_member.stop()
    assert sum("PostgreSQL does not answer" in line for line in own_member.lines) >= 3


async def test_a_service_serves_only_from_a_migrated_database(own_postgres: Postgres, environ: dict[str, str]) -> None:
    dsn = own_postgres.dsn("revops")
    owner = await asyncpg.connect(dsn, user="revops_owner")
    await owner.execute("UPDATE kernel.alembic_version SET version_num='0000'")
    with member_process(environ, REVOPS_DATABASE_URL=dsn) as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            assert await check(channel, "") == SERVING
            assert await check(channel, PRODUCTS) == NOT_SERVING
            await owner.execute("UPDATE kernel.alembic_version SET version_num=$1", newest())
            await becomes(channel, SERVING, 3.0)
    await owner.close()


async def test_a_member_waits_for_postgresql_and_for_keys_and_says_so(
    own_postgres: Postgres, environ: dict[str, str], tmp_path: Path
) -> None:
    own_postgres.stop()
    keys = tmp_path / "later.json"
    own = {**environ, "REVOPS_DATABASE_URL": own_postgres.dsn("revops").replace("postgres@", "postgres:hidden@")}
    own["REVOPS_GRPC_ADDRESS"] = f"127.0.0.1:{free_port()}"
    own["REVOPS_ADMIN_ADDRESS"] = f"127.0.0.1:{free_port()}"
    running = Running({**own, "REVOPS_JWKS": str(keys)})
    try:
        running.await_line("waiting for the keys of")
        keys.write_text(Path(environ["REVOPS_JWKS"]).read_text())
        running.await_line(f"waiting for PostgreSQL at 127.0.0.1:{own_postgres.port}/revops", times=2)
        own_postgres.start()
        running.await_line('"message":"serving')
        assert running.stop() == 0
        assert not [line for line in running.lines if "hidden" in line]
    finally:
        running.process.kill()
