"""Who acts in the platform's tests, and how what was looked up is forgotten."""

from collections.abc import AsyncIterator, Callable

import pytest

from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.pools import Pool, open_pool
from tests.world import Caller, World


@pytest.fixture
async def root(world: World) -> Caller:
    """An administrator of the installation."""
    return await world.caller("platform-admin", tenant=PLATFORM_TENANT)


@pytest.fixture
async def anna(world: World) -> Caller:
    """An administrator of a new tenant."""
    return await world.caller("admin")


@pytest.fixture
def forget(world: World) -> Callable[[], None]:
    """Has the member look credentials and tenants up again, as it does after 30 s."""

    def forgotten() -> None:
        world.kernel.authenticator.forget()
        world.kernel.authenticator._directory.forget()  # type: ignore[attr-defined]

    return forgotten


@pytest.fixture(scope="session")
async def relay_pool(database: str) -> AsyncIterator[Pool]:
    """Connections of the login that runs timers."""
    pool = await open_pool(database, "revops_relay", 12)
    yield pool
    await pool.close()
