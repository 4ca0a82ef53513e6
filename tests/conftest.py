"""One PostgreSQL and one migrated database a test process, shared by all its tests."""

import gc
from collections.abc import AsyncIterator, Iterator

import asyncpg
import hypothesis
import pytest

from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.tree import migrate
from tests.world import World

# Examples may take as long as they do: no test depends on the machine being fast.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server without durability, for speed."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """The name of a migrated database that nobody connects to, so that others are copies of it."""
    bootstrap(postgres.dsn(), "template_revops")
    migrate(postgres.dsn("template_revops"))
    return "template_revops"


@pytest.fixture(scope="session")
async def database(postgres: Postgres, template: str) -> str:
    """The DSN of a migrated database."""
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE revops TEMPLATE {template} OWNER revops_owner")
    await admin.close()
    return postgres.dsn("revops")


@pytest.fixture(scope="session")
async def world(database: str) -> AsyncIterator[World]:
    """The composed member over the database."""
    async with World.open(database) as opened:
        yield opened


LONG = (
    "tests/journeys/",
    "tests/mesh/test_rotation",
    "tests/contract/test_contributing",
    "tests/cli/test_bulk",
    "tests/cli/test_up",
)
"""Tests that take many seconds, much of it waiting: they begin first, so that no process is left alone with one in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first, the others in their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish() -> None:
    """What is loaded by now, ten thousand tests among it, stays until the end: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()
