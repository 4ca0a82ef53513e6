"""The probe's database, for what no module of the product uses yet."""

from collections.abc import AsyncIterator

import pytest

from revops_mesh.local.postgres import Postgres
from tests.probe.world import ProbeWorld, create_database, open_probe


@pytest.fixture(scope="session")
async def boxes(postgres: Postgres) -> AsyncIterator[ProbeWorld]:
    async with open_probe(await create_database(postgres, "probe_of_kernel")) as opened:
        yield opened
