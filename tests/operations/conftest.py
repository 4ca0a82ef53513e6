"""The probe's database, with the login whose runners run operations."""

from collections.abc import AsyncIterator

import pytest

from revops_mesh.kernel.pools import Pool, open_pool
from revops_mesh.local.postgres import Postgres
from tests.probe.boxes import packed
from tests.probe.world import ProbeWorld, create_database, open_probe


@pytest.fixture(scope="session")
async def probe_dsn(postgres: Postgres) -> str:
    return await create_database(postgres, "probe_of_operations")


@pytest.fixture(scope="session")
async def opened_probe(probe_dsn: str) -> AsyncIterator[ProbeWorld]:
    async with open_probe(probe_dsn) as opened:
        yield opened


@pytest.fixture
async def probe(opened_probe: ProbeWorld) -> ProbeWorld:
    """Without timers of other tests, and packing as it should."""
    await opened_probe.owner.execute("DELETE FROM kernel.timer")
    opened_probe.service.packer = packed
    return opened_probe


@pytest.fixture(scope="session")
async def relay_pool(probe_dsn: str) -> AsyncIterator[Pool]:
    pool = await open_pool(probe_dsn, "revops_relay", 12)
    yield pool
    await pool.close()
