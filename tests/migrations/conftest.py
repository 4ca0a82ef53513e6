"""Databases of their own for tests that change a schema: copies of the migrated one."""

from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest

from revops_mesh.local.postgres import Postgres

_numbers = count(1)


@pytest.fixture
async def copy(postgres: Postgres, template: str) -> str:
    """The DSN of a migrated database that no other test sees."""
    name = f"copy_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER revops_owner")
    await admin.close()
    return postgres.dsn(name)


@pytest.fixture
async def owner(copy: str) -> AsyncIterator[asyncpg.Connection]:
    """Its owner."""
    connection = await asyncpg.connect(copy, user="revops_owner")
    yield connection
    await connection.close()
