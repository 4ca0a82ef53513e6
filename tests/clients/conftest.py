"""A member process, people with tokens of tenants of it, and one driver for each kind of client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from revops_client import Revops

from revops_mesh.runtime.keys import DevelopmentIssuer, add_token_key
from tests.runtime.calling import Running, member_process
from tests.runtime.conftest import environ, issuer
from tests.world import ENTERPRISE, OWN_ISSUER, World

__all__ = ["environ", "issuer"]

NewToken = Callable[..., Awaitable[str]]
NewClient = Callable[..., Awaitable[Revops]]


@pytest.fixture(scope="session")
def serving(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A member that issues tokens of its own."""
    keys = tmp_path_factory.mktemp("tokens") / "keys.json"
    add_token_key(keys)
    own = {"REVOPS_TOKEN_ISSUER": OWN_ISSUER, "REVOPS_TOKEN_KEYS": str(keys)}
    with member_process(environ, REVOPS_POOL_SIZE="80", **own) as running:
        yield running


@pytest.fixture
def token(world: World, issuer: DevelopmentIssuer) -> NewToken:
    """Makes a token of an administrator of a new tenant, or of somebody with other roles."""

    async def make(*roles: str, edition: int = ENTERPRISE, seconds: float = 3600) -> str:
        return issuer.issue("users/anna", await world.tenant(edition), roles or ("admin",), seconds=seconds)

    return make


@pytest.fixture
async def revops(serving: Running, token: NewToken) -> AsyncIterator[Revops]:
    """The Python client of an administrator of a new tenant."""
    async with Revops(serving.address, await token()) as client:
        yield client
