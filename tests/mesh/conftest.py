"""The probe's database, and its modules together or with a wire between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revops_mesh.local.postgres import Postgres
from tests.mesh.split import MODES, Parts, Split, split
from tests.probe.world import create_database


@pytest.fixture(scope="session")
async def parts(postgres: Postgres) -> AsyncIterator[Parts]:
    async with Parts.open(await create_database(postgres, "probe_of_mesh")) as opened:
        yield opened


@pytest.fixture(params=MODES)
async def modules(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> AsyncIterator[Split]:
    """Rooms that ask boxes: in one kernel, or over the wire with either proof. What a test says holds in all three."""
    async with split(parts, request.param, tmp_path) as opened:
        yield opened
