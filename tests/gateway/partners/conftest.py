"""A gateway over either door to one member, and a partner's program with an API key."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import grpc
import pytest
from revops.platform.v1 import access_pb2 as access

from revops_mesh.gateway.rest.doors import Door
from revops_mesh.gateway.rest.in_process import KernelDoor
from revops_mesh.gateway.rest.over_channel import OPTIONS, ChannelDoor
from tests.gateway.partners import members, processes
from tests.gateway.partners.members import Gateway
from tests.gateway.partners.processes import Installation
from tests.gateway.rest.conftest import grpc_address, never
from tests.runtime.conftest import environ, issuer
from tests.world import ENTERPRISE, Caller, World

__all__ = ["environ", "grpc_address", "issuer"]


@pytest.fixture(scope="session")
async def doors(world: World, grpc_address: str) -> AsyncIterator[dict[str, Door]]:
    """Into the kernel, and over a channel to its gRPC server."""
    async with grpc.aio.insecure_channel(grpc_address, options=OPTIONS) as channel:
        yield {"in process": KernelDoor(world.kernel, never), "channel": ChannelDoor(channel)}


@pytest.fixture(params=["in process", "channel"])
async def gateway(request: pytest.FixtureRequest, doors: dict[str, Door]) -> AsyncIterator[Gateway]:
    """With limits of its own, so that tests do not feel each other's."""
    async with members.gateway(doors[request.param], "127.0.0.1/32") as opened:
        yield opened


@pytest.fixture(scope="session", params=["gateway", "member"])
def installation(
    request: pytest.FixtureRequest, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Processes: a gateway before a member, or a member that serves HTTP itself."""
    keys = tmp_path_factory.mktemp("tokens") / "keys.json"
    with processes.installation(environ, keys, gateway=request.param == "gateway") as running:
        yield running


@dataclass
class Program:
    """A program with an API key."""

    anna: Caller
    """Who made it."""
    account: str
    key: str

    @property
    def client(self) -> str:
        return self.key.rpartition("_")[0]

    @property
    def secret(self) -> str:
        return self.key.rpartition("_")[2]


async def program(anna: Caller, *roles: str, partner: str = "") -> Program:
    """A program of a new account."""
    offer = access.ServiceAccount(display_name="CRM", roles=roles or ("catalog-manager",), partner=partner)
    account = await anna(access.CreateServiceAccountRequest(service_account=offer))
    key = await anna(access.CreateApiKeyRequest(parent=account.name, api_key=access.ApiKey()))
    return Program(anna, account.name, key.secret)


@pytest.fixture
async def crm(world: World) -> Program:
    """A program of a new tenant."""
    return await program(await world.caller("admin", edition=ENTERPRISE))
