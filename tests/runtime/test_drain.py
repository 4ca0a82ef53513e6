"""A member that is told to stop says so, ends streams, finishes calls and writes what it still holds."""

import asyncio
import json
from time import monotonic
from uuid import UUID, uuid4

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from revops.catalog.v1 import products_pb2 as pb
from revops.platform.v1 import audit_pb2

from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import Client, member_process, served
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


async def products(world: World, tenant: UUID) -> int:
    return int(await world.owner.fetchval("SELECT count(*) FROM catalog.products WHERE tenant_id=$1", tenant))


class Load:
    """Callers that create products one after the other, and repeat a call that was not answered with the same request id."""

    def __init__(self, anna: Client) -> None:
        self.anna, self.answered, self.repeated, self.enough = anna, 0, 0, False

    async def run(self) -> None:
        """Until it is enough."""
        await asyncio.gather(*(self._call_on() for _ in range(12)))

    async def reaches(self, answered: int) -> None:
        """Waits until so many calls were answered, however slow the machine is."""
        until = monotonic() + 60
        while self.answered < answered:
            assert monotonic() < until, f"{self.answered} calls were answered in a minute"
            await asyncio.sleep(0.05)

    async def _call_on(self) -> None:
        while not self.enough:
            request = pb.CreateProductRequest(product=CREATE.product, request_id=str(uuid4()))
            for _ in range(3):
                try:
                    await self.anna(request)
                    self.answered += 1
                    break
                except grpc.aio.AioRpcError as error:
                    assert error.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
                    self.repeated += 1


async def drained_under_load(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer, drain: str, **service_config: object
) -> Load:
    """Two members under load, of which the first is told to stop; every answered call is there exactly once."""
    tenant, options = await world.tenant(), [("grpc.service_config", json.dumps(service_config))]
    with member_process(environ, REVOPS_DRAIN_SECONDS=drain) as first, member_process(environ) as second:
        async with grpc.aio.insecure_channel(f"ipv4:{first.address},{second.address}", options=options) as channel:
            load = Load(Client(channel, issuer.issue("users/anna", tenant, ["admin"])))
            running = asyncio.create_task(load.run())
            await load.reaches(100)
            assert await asyncio.to_thread(first.stop) == 0
            await load.reaches(load.answered + 100)
            load.enough = True
            await running
        served_by_first = [each.get("outcome") for each in first.records()].count("OK")
        assert served_by_first > 0
        assert load.answered - served_by_first >= 100, "the second member took over"
        assert "CANCELLED" not in {each.get("outcome") for each in first.records()}
        assert second.stop() == 0
    assert await products(world, tenant) == load.answered
    return load


async def test_a_drain_under_load_loses_no_call_of_clients_that_heed_health(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    heeding = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
    load = await drained_under_load(environ, world, issuer, "1", **heeding)
    assert load.repeated == 0


async def test_a_drain_under_load_leaves_nothing_half_done_for_clients_that_do_not(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    load = await drained_under_load(environ, world, issuer, "0")
    assert load.repeated < 36, "at most what was under way"


async def test_streams_end_at_once_and_are_told_why(environ: dict[str, str], world: World, issuer: DevelopmentIssuer) -> None:
    tenant = await world.tenant()
    with member_process(environ, REVOPS_GRACE_SECONDS="20") as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            anna = Client(channel, issuer.issue("users/anna", tenant, ["admin"]))
            await anna(CREATE)
            audit = anna.stream(audit_pb2.StreamAuditEntriesRequest(start_time={"seconds": 1}))
            assert (await audit.read()).outcome == "OK"
            watching = served(channel, "grpc.health.v1.Health", "Watch", HealthCheckRequest())
            assert (await anext(watching)).status == HealthCheckResponse.SERVING
            mirror = channel.stream_stream(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                request_serializer=ServerReflectionRequest.SerializeToString,
                response_deserializer=bytes,
            )()
            await mirror.write(ServerReflectionRequest(list_services=""))
            await mirror.read()
            begun = monotonic()
            assert await asyncio.to_thread(running.stop) == 0
            assert monotonic() - begun < 3.0
            assert [answer.status async for answer in watching] == [HealthCheckResponse.NOT_SERVING]
            for call in (audit, mirror):
                assert await call.code() == grpc.StatusCode.UNAVAILABLE
                assert "stopping" in await call.details()


async def test_calls_are_still_answered_while_it_drains(environ: dict[str, str], world: World, issuer: DevelopmentIssuer) -> None:
    tenant = await world.tenant()
    with member_process(environ, REVOPS_DRAIN_SECONDS="2") as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            anna = Client(channel, issuer.issue("users/anna", tenant, ["admin"]))
            watching = served(channel, "grpc.health.v1.Health", "Watch", HealthCheckRequest())
            assert (await anext(watching)).status == HealthCheckResponse.SERVING
            ended = asyncio.create_task(asyncio.to_thread(running.stop))
            assert (await anext(watching)).status == HealthCheckResponse.NOT_SERVING
            await asyncio.sleep(1)
            async with grpc.aio.insecure_channel(running.address) as fresh:
                assert (await Client(fresh, issuer.issue("users/bob", tenant, ["admin"]))(CREATE)).name
            assert (await anna(CREATE)).name
            assert await ended == 0


async def test_refusals_of_the_last_moment_are_audited(environ: dict[str, str], world: World, issuer: DevelopmentIssuer) -> None:
    tenant = await world.tenant()
    with member_process(environ) as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            anna = Client(channel, issuer.issue("users/anna", tenant, ["admin"]))
            await anna.refusal(anna(pb.GetProductRequest(name="products/none")))
            assert await asyncio.to_thread(running.stop) == 0
    assert await world.owner.fetchval("SELECT outcome FROM kernel.audit WHERE tenant_id=$1", tenant) == "RESOURCE_NOT_FOUND"
