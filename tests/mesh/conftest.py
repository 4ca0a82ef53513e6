"""The probe's database, and its modules together or with a wire between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from revops_mesh.local.postgres import Postgres
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.mesh.split import MODES, Parts, Split, split
from tests.probe.world import create_database
from tests.runtime.calling import secret
from tests.world import World


@pytest.fixture(scope="session")
async def parts(postgres: Postgres) -> AsyncIterator[Parts]:
    async with Parts.open(await create_database(postgres, "probe_of_mesh")) as opened:
        yield opened


@pytest.fixture(params=MODES)
async def modules(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> AsyncIterator[Split]:
    """Rooms that ask boxes: in one kernel, or over the wire with either proof. What a test says holds in all three."""
    async with split(parts, request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def environ_of_members(world: World, issuer: DevelopmentIssuer) -> dict[str, str]:
    """The settings of members over the shared database, without TLS."""
    return {
        "REVOPS_DATABASE_URL": world.dsn,
        "REVOPS_ISSUER": ISSUER,
        "REVOPS_JWKS": str(issuer.jwks),
        "REVOPS_PAGE_TOKEN_SECRETS": secret(),
        "REVOPS_POOL_SIZE": "10",
        "REVOPS_ADMIN_ADDRESS": "127.0.0.1:0",
    }
