"""The member's database with the login whose runners run operations."""

from collections.abc import AsyncIterator

import pytest

from revops_mesh.kernel.pools import Pool, open_pool


@pytest.fixture(scope="session")
async def relay_pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, "revops_relay", 12)
    yield pool
    await pool.close()
