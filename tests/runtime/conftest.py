"""A member process over the shared database, its issuer, and channels to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import grpc
import pytest

from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.runtime.calling import Client, Running, member_process, secret
from tests.world import World

NewClient = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def environ(database: str, issuer: DevelopmentIssuer) -> dict[str, str]:
    """The settings of a member over the shared database."""
    return {
        "REVOPS_DATABASE_URL": database,
        "REVOPS_ISSUER": ISSUER,
        "REVOPS_JWKS": str(issuer.jwks),
        "REVOPS_PAGE_TOKEN_SECRETS": secret(),
        "REVOPS_GRACE_SECONDS": "10",
    }


@pytest.fixture(scope="session")
def serving(environ: dict[str, str]) -> Iterator[Running]:
    """A member with room for many calls of one tenant."""
    with member_process(environ, REVOPS_POOL_SIZE="80") as running:
        yield running


@pytest.fixture
async def channel(serving: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(serving.address) as opened:
        yield opened


@pytest.fixture
def client(channel: grpc.aio.Channel, world: World, issuer: DevelopmentIssuer) -> NewClient:
    """Makes an administrator of a new tenant, or of `tenant`."""

    async def make(*roles: str, **metadata: str | bytes) -> Client:
        token = issuer.issue("users/anna", await world.tenant(), roles or ("admin",))
        return Client(channel, token, **metadata)

    return make
