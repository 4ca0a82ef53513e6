"""One PostgreSQL for the room, with the rows of `deal_rows`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from revops_mesh.local.postgres import Postgres
from tests.aip.deal_rows import ROWS, SCHEMA


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    running = Postgres(Path(tmp_path_factory.mktemp("aip")) / "pg", durable=False)
    running.start()
    yield running
    running.stop()


@pytest_asyncio.fixture(scope="session")
async def deals(server: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server, with the rows of ROWS in `deals`."""
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(SCHEMA)
    await connection.copy_records_to_table("deals", records=[tuple(row.values()) for row in ROWS], columns=list(ROWS[0]))
    yield connection
    await connection.close()
