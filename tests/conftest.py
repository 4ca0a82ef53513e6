"""One PostgreSQL and one migrated database a test process, shared by all its tests."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from sqlalchemy import schema as ddl
from sqlalchemy.dialects import postgresql

from revops_mesh import member
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import walls
from tests.world import World


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server without durability, for speed."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> str:
    """The DSN of a migrated database."""
    admin = await asyncpg.connect(postgres.dsn())
    for statement in walls.roles():
        await admin.execute(statement)
    await admin.execute("CREATE DATABASE revops OWNER revops_owner")
    await admin.close()
    owner = await asyncpg.connect(postgres.dsn("revops", "revops_owner"))
    from revops.platform.v1 import access_pb2, tenants_pb2

    from revops_mesh.kernel.kinds import kind_of
    from revops_mesh.kernel.schema import metadata_of

    kinds = {kind_of(a.state_type) for m in member.MODULES for a in m.aggregates}
    kinds |= {kind_of(tenants_pb2.Tenant), kind_of(access_pb2.Role)}
    metadata, dialect = metadata_of(sorted(kinds, key=lambda k: k.sql)), postgresql.dialect()
    for schema in sorted({table.schema for table in metadata.tables.values()}):
        await owner.execute(f"CREATE SCHEMA {schema}")
    for table in metadata.sorted_tables:
        await owner.execute(str(ddl.CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            await owner.execute(str(ddl.CreateIndex(index).compile(dialect=dialect)))
    for statement in walls.build(metadata):
        await owner.execute(statement)
    await owner.close()
    return postgres.dsn("revops")


@pytest.fixture(scope="session")
async def world(database: str) -> AsyncIterator[World]:
    """The composed member over the database."""
    async with World.open(database) as opened:
        yield opened
