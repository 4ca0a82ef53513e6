"""The probe's world: a database with its tables and walls, a kernel over its module, callers with real tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from joserfc.jwk import ECKey, KeySet
from revops.platform.v1 import access_pb2, operations_pb2, tenants_pb2
from sqlalchemy import schema as ddl
from sqlalchemy.dialects import postgresql

from revops_mesh.identity import Authenticator, Tokens
from revops_mesh.kernel.contract import methods_of
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.pipeline import Kernel, Module
from revops_mesh.kernel.pools import OWNER, LoginPools
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import walls
from revops_mesh.migrations.schema import metadata_of
from revops_mesh.operations.operation import Operation
from revops_mesh.platform.directory import StoredDirectory
from revops_mesh.platform.operations.service import OperationService
from tests.world import AUDIENCE, ISSUER, SECRETS, World

from .boxes import BoxService, module

PLATFORM = (tenants_pb2.Tenant, access_pb2.Role, access_pb2.ServiceAccount, access_pb2.ApiKey, operations_pb2.Operation)
"""What the platform stores: what identities are looked up in, and operations."""
OPERATIONS = Module("revops.platform.v1.OperationService", OperationService(), (Operation,))


class ProbeWorld(World):
    """A world whose kernel serves boxes."""

    service: BoxService


async def create_database(postgres: Postgres, name: str = "probe") -> str:
    """A new database with the probe's tables and walls; gives its DSN."""
    admin = await asyncpg.connect(postgres.dsn())
    for statement in walls.roles():
        await admin.execute(statement)
    await admin.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    await admin.close()
    metadata, dialect = metadata_of([*module()[1].kinds, *map(kind_of, PLATFORM)]), postgresql.dialect()
    owner = await asyncpg.connect(postgres.dsn(name, OWNER))
    for schema in sorted({table.schema or "" for table in metadata.tables.values()}):
        await owner.execute(f"CREATE SCHEMA {schema}")
    for table in metadata.sorted_tables:
        await owner.execute(str(ddl.CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            await owner.execute(str(ddl.CreateIndex(index).compile(dialect=dialect)))
    for statement in walls.build(metadata):
        await owner.execute(statement)
    await owner.close()
    return postgres.dsn(name)


@asynccontextmanager
async def open_probe(dsn: str, size: int = 16) -> AsyncIterator[ProbeWorld]:
    """A kernel of its own over a probe's database; several may be open at once, as processes would be."""
    service, boxes = module()
    key = ECKey.generate_key("P-256")
    pools = await LoginPools.open(dsn, size)
    owner = await asyncpg.connect(dsn, user=OWNER)
    modules = [boxes, OPERATIONS]
    permissions = frozenset(method.policy.permission for each in modules for method in methods_of(each.service)) - {""}
    authenticator = Authenticator(Tokens(KeySet([key]), ISSUER, AUDIENCE), StoredDirectory(pools.app, permissions))
    kernel = Kernel(modules, pools, authenticator, secrets=SECRETS)
    try:
        world = ProbeWorld(kernel, pools, key, owner, dsn)
        world.service = service
        yield world
    finally:
        await owner.close()
        await pools.close()
