"""NATS, the probe's database and the workers that stand between them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from revops_mesh.kernel.pools import Pool, open_pool
from revops_mesh.local.nats import Nats
from revops_mesh.local.postgres import Postgres
from revops_mesh.messaging.stream import Stream
from tests.probe.world import ProbeWorld, create_database, open_probe


@pytest.fixture(scope="session")
async def probe_dsn(postgres: Postgres) -> str:
    """One database for all tests here; each founds tenants of its own and leaves outbox and timers empty."""
    return await create_database(postgres)


@pytest.fixture(scope="session")
async def probe(probe_dsn: str) -> AsyncIterator[ProbeWorld]:
    async with open_probe(probe_dsn) as opened:
        yield opened


@pytest.fixture(scope="session")
async def relay_pool(probe_dsn: str) -> AsyncIterator[Pool]:
    pool = await open_pool(probe_dsn, "revops_relay", 12)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with Nats(tmp_path_factory.mktemp("nats") / "data", durable=False) as server:
        yield server


@pytest.fixture
async def stream(nats: Nats) -> AsyncIterator[Stream]:
    opened = Stream(nats.url)
    yield opened
    await opened.close()
