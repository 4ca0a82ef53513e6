"""Every table of a migrated database stands behind its walls, whoever added it."""

import asyncio
import uuid
from collections.abc import Sequence

import asyncpg
import pytest

from revops_mesh import member
from revops_mesh.kernel.pools import APP, RELAY
from revops_mesh.migrations import walls
from revops_mesh.migrations.schema import metadata_of
from revops_mesh.migrations.tree import migrate

TABLES = """
SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
  array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  array(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(n, place) JOIN pg_attribute a ON a.attnum = k.n
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid ORDER BY k.place) AS key,
  array(SELECT p.policyname::text FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname) AS policies,
  array(SELECT p.policyname::text FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname
    AND p.permissive = 'RESTRICTIVE') AS restrictive,
  array(SELECT DISTINCT x.grantee::regrole::text FROM aclexplode(c.relacl) x) AS granted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
WITHOUT_TENANT = {"kernel.outbox_bucket", "kernel.alembic_version"}


async def faults(connection: asyncpg.Connection) -> list[str]:
    """What is wrong with the walls of a database, one line a fault."""
    found = []
    scoped = {name for name, table in metadata_of(member.kinds()).tables.items() if table.info.get("partner")}
    for table in await connection.fetch(TABLES):
        name, key, policies = table["name"], table["key"], set(table["policies"])
        if strangers := set(table["granted"]) - set(walls.LOGINS):
            found.append(f"{name} is granted to {sorted(strangers)}")
        if "tenant_id" not in table["columns"]:
            if name not in WITHOUT_TENANT:
                found.append(f"{name} has no tenant")
            continue
        if not (table["enabled"] and table["forced"]):
            found.append(f"{name} does not force row-level security")
        if not {"owner", "tenant"} <= policies:
            found.append(f"{name} has only the policies {sorted(policies)}")
        if key[: 2 if name == "kernel.outbox" else 1] != (["bucket", "tenant_id"] if name == "kernel.outbox" else ["tenant_id"]):
            found.append(f"{name} has the key {key}")
        if name in scoped and "partner" not in table["restrictive"]:
            found.append(f"{name} is open to every partner")
    return found


async def test_every_table_of_a_migrated_database_is_walled(owner: asyncpg.Connection) -> None:
    assert await faults(owner) == []
    assert len(await owner.fetch(TABLES)) == len(metadata_of(member.kinds()).tables) + 1


@pytest.mark.parametrize(
    "sabotage",
    [
        "ALTER TABLE catalog.products NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE catalog.products DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON catalog.products",
        "ALTER TABLE catalog.products DROP CONSTRAINT products_pkey, ADD PRIMARY KEY (name, tenant_id)",
        "CREATE TABLE catalog.orphans(id int)",
        "CREATE VIEW catalog.everything AS SELECT name FROM catalog.products",
        "CREATE TABLE catalog.unwalled(tenant_id uuid PRIMARY KEY)",
        "GRANT SELECT ON catalog.products TO PUBLIC",
    ],
)
async def test_the_walk_sees_a_missing_wall(owner: asyncpg.Connection, sabotage: str) -> None:
    await owner.execute(sabotage)
    assert len(await faults(owner)) >= 1


async def test_no_login_can_bypass_the_walls(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY($1)", list(walls.LOGINS))
    assert {row["rolname"]: (row["rolsuper"], row["rolbypassrls"]) for row in rows} == dict.fromkeys(walls.LOGINS, (False, False))


async def test_a_migration_walls_a_table_that_was_made_anew(copy: str, owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TABLE catalog.again (LIKE catalog.products INCLUDING ALL); DROP TABLE catalog.products")
    await owner.execute("ALTER TABLE catalog.again RENAME TO products")
    assert len(await faults(owner)) == 2
    await asyncio.to_thread(migrate, copy)
    assert [fault for fault in await faults(owner) if "key" not in fault] == []


async def _insert(connection: asyncpg.Connection, tenant: uuid.UUID) -> None:
    await connection.execute(
        "INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
        " VALUES($1,$2,now(),'users/anna','x','{}','OK',$2,'','')",
        tenant, uuid.uuid4(),
    )  # fmt: skip


async def _seen(connection: asyncpg.Connection, tenant: uuid.UUID | None) -> Sequence[object]:
    async with connection.transaction():
        if tenant is not None:
            await connection.execute(f"SET LOCAL app.tenant_id='{tenant}'")
        return [row["tenant_id"] for row in await connection.fetch("SELECT tenant_id FROM kernel.audit")]


async def test_a_serving_login_sees_and_writes_its_tenant_only(copy: str, owner: asyncpg.Connection) -> None:
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    await _insert(owner, ours)
    await _insert(owner, theirs)
    app = await asyncpg.connect(copy, user=APP)
    try:
        assert await _seen(app, ours) == [ours]
        assert await _seen(app, None) == []
        assert sorted(map(str, await _seen(owner, None))) == sorted(map(str, (ours, theirs)))
        async with app.transaction():
            await app.execute(f"SET LOCAL app.tenant_id='{ours}'")
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await _insert(app, theirs)
        for forbidden in ("DELETE FROM kernel.audit", "UPDATE kernel.audit SET method=''", "TRUNCATE kernel.audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await app.execute(forbidden)
    finally:
        await app.close()


async def test_the_relay_sees_the_outbox_of_all_and_no_state(copy: str, owner: asyncpg.Connection) -> None:
    for tenant in (uuid.uuid4(), uuid.uuid4()):
        await owner.execute(
            "INSERT INTO kernel.outbox(bucket,tenant_id,aggregate,revision,n,id,type,payload,trace,time)"
            " VALUES(1,$1,'products/a',1,0,$1,'x','','',now())",
            tenant,
        )
    relay = await asyncpg.connect(copy, user=RELAY)
    try:
        assert await relay.fetchval("SELECT count(*) FROM kernel.outbox") == 2
        for closed in ("catalog.products", "kernel.audit", "kernel.counter"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await relay.fetch(f"SELECT tenant_id FROM {closed}")
    finally:
        await relay.close()
