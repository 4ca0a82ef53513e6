"""A member with a database and a broker of its own, whose webhooks may go to loopback, and a receiver there."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from revops_mesh.kernel.pools import open_pool
from revops_mesh.local.nats import Nats
from revops_mesh.local.postgres import Postgres
from tests.platform.webhooks.desk import Desk
from tests.platform.webhooks.receiver import Receiver
from tests.world import World

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture(scope="session")
async def hooks(postgres: Postgres, template: str) -> AsyncIterator[World]:
    """The member."""
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE webhooks TEMPLATE {template} OWNER revops_owner")
    await admin.close()
    async with World.open(postgres.dsn("webhooks"), networks=LOOPBACK) as opened:
        yield opened


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with Nats(tmp_path_factory.mktemp("nats") / "data", durable=False) as server:
        yield server


@pytest.fixture
async def desk(hooks: World, nats: Nats) -> AsyncIterator[Desk]:
    """The member's work in the background, at hand."""
    pool = await open_pool(hooks.dsn, "revops_relay", 12)
    opened = Desk(hooks, pool, nats.url)
    yield opened
    await opened.close()
    await pool.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver.open() as opened:
        yield opened
