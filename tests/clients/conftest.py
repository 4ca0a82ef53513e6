"""A member process, people with tokens of tenants of it, and one driver for each kind of client."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from revops_client import Revops

from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import Running
from tests.runtime.conftest import environ, issuer, serving
from tests.world import ENTERPRISE, World

__all__ = ["environ", "issuer", "serving"]

NewToken = Callable[..., Awaitable[str]]
NewClient = Callable[..., Awaitable[Revops]]


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
