"""Members with one or both of the walls between tenants, and between partners, taken down, to prove that each holds alone.

The first wall is the predicate that the kernel writes into every statement, `tenant_id=$1` (and `partner=$n` for partners);
it is taken out of the SQL on its way to the driver. The second is row-level security; it is switched off in a database of
its own.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from joserfc.jwk import KeySet
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from revops_mesh import member
from revops_mesh.identity import Tokens
from revops_mesh.kernel.pools import LoginPools, Pool
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import walls
from revops_mesh.migrations.schema import metadata_of
from tests.world import AUDIENCE, ISSUER, World

TENANT = re.compile(r"\b(?:\w+\.)?tenant_id ?= ?\$1\b")
PARTNER = re.compile(r"\b(?:\w+\.)?partner ?= ?(\$\d+)(?!:)\b")


def unfenced(sql: str) -> str:
    """A statement without its predicates; the parameters stay, so that their numbers still fit."""
    return PARTNER.sub(r"\1::text IS NOT NULL", TENANT.sub("$1::uuid IS NOT NULL", sql))


class Unfenced:
    """A connection that takes the predicates out of what is sent over it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.execute(unfenced(sql), *arguments)

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.fetch(unfenced(sql), *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.fetchrow(unfenced(sql), *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.fetchval(unfenced(sql), *arguments)


class UnfencedPool(Pool):
    """A pool of such connections."""

    async def _connect(self) -> Any:
        return Unfenced(await super()._connect())


def _composed(world: World, owner: asyncpg.Connection, dsn: str, kind: type[Pool]) -> World:
    pools = LoginPools(kind(dsn, "revops_app", 4), kind(dsn, "revops_platform", 2))
    tokens = Tokens(KeySet([world.key]), ISSUER, AUDIENCE)
    return World(member.compose(pools, tokens, world.kernel.secrets), pools, world.key, owner, dsn)


async def _without_row_security(postgres: Postgres, name: str) -> str:
    """The DSN of a database with the member's schema and grants, in which no row-level security is left."""
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE {name} OWNER revops_owner")
    await admin.close()
    metadata, dialect = metadata_of(member.kinds()), postgresql.dialect()
    owner = await asyncpg.connect(postgres.dsn(name, "revops_owner"))
    for schema in sorted({str(table.schema) for table in metadata.tables.values()}):
        await owner.execute(f"CREATE SCHEMA {schema}")
    for table in metadata.sorted_tables:
        await owner.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            await owner.execute(str(CreateIndex(index).compile(dialect=dialect)))
    for statement in walls.build(metadata):
        await owner.execute(statement)
    for table in metadata.sorted_tables:
        await owner.execute(f"ALTER TABLE {table.fullname} DISABLE ROW LEVEL SECURITY")
    await owner.close()
    return postgres.dsn(name)


@asynccontextmanager
async def worlds(world: World, postgres: Postgres) -> AsyncIterator[dict[str, World]]:
    """The four worlds by the walls that stand: "both", "row security", "predicate", "none"."""
    open_dsn = await _without_row_security(postgres, "revops_open")
    open_owner = await asyncpg.connect(open_dsn, user="revops_owner")
    found = {
        "both": world,
        "row security": _composed(world, world.owner, world.dsn, UnfencedPool),
        "predicate": _composed(world, open_owner, open_dsn, Pool),
        "none": _composed(world, open_owner, open_dsn, UnfencedPool),
    }
    try:
        yield found
    finally:
        for each in found.values():
            if each is not world:
                await each.pools.close()
        await open_owner.close()
