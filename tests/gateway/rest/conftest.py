"""A bridge over each door to one member: into its kernel, and over a channel to its gRPC server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.gateway.rest.in_process import KernelDoor
from revops_mesh.gateway.rest.over_channel import OPTIONS, ChannelDoor
from revops_mesh.runtime import server
from tests.gateway.rest.calling import Rest, bridged
from tests.world import Caller, World

NewRest = Callable[..., Awaitable[Rest]]


async def never(failure: Any) -> bool:
    """No refused call is tried again."""
    return False


@pytest.fixture(scope="session")
async def grpc_address(world: World) -> AsyncIterator[str]:
    """The member's gRPC."""
    served = grpc.aio.server(options=(*server.OPTIONS, ("grpc.so_reuseport", 0)))
    served.add_generic_rpc_handlers((server.Table(dict(server.kernel_handlers(world.kernel, server.Streams(), never))),))
    port = served.add_insecure_port("127.0.0.1:0")
    await served.start()
    yield f"127.0.0.1:{port}"
    await served.stop(0)


@pytest.fixture(scope="session")
async def bridges(world: World, grpc_address: str) -> AsyncIterator[dict[str, Bridge]]:
    async with grpc.aio.insecure_channel(grpc_address, options=OPTIONS) as channel:
        yield {"in process": bridged(KernelDoor(world.kernel, never)), "channel": bridged(ChannelDoor(channel))}


@pytest.fixture(params=["in process", "channel"])
def bridge(request: pytest.FixtureRequest, bridges: dict[str, Bridge]) -> Bridge:
    """The bridge over either door."""
    return bridges[request.param]


def rest_of(bridge: Bridge, caller: Caller) -> Rest:
    """The same caller, over HTTP."""
    return Rest(bridge, {"authorization": f"Bearer {caller.token}"})
