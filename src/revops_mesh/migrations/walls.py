"""The walls between tenants and partners inside PostgreSQL: logins, grants and forced row-level security.

Four logins: `revops_owner` migrates, `revops_app` serves, `revops_relay` sees the outbox, timers, dead letters and replays of
all tenants and otherwise only the names of rows that expire, `revops_platform` writes what the installation owns. None may bypass
row-level security; the owner has a policy of its own, because under FORCE a data migration would otherwise touch zero rows,
silently.
"""

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import sqlalchemy as sa

from revops_mesh.kernel.pools import APP, OWNER, PLATFORM, RELAY

LOGINS = (OWNER, APP, RELAY, PLATFORM)

_TENANT = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"
_PARTNER = "coalesce(current_setting('app.partner', true), '')"
_OWN = "uid = (SELECT translate(current_setting('app.tenant_id', true), '-', ''))"

STANDING = """
SELECT n.nspname || '.' || c.relname, obj_description(p.oid, 'pg_policy')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.polname = 'owner'
"""
"""Marks of the walls that stand, by table; a table that was made anew has none."""

_RELAY_GRANTS = {
    "outbox": "SELECT, DELETE",
    "timer": "SELECT, UPDATE, DELETE",
    "dead_letter": "SELECT, INSERT, DELETE",
    "replay": "SELECT, DELETE",
}
_APP_GRANTS = {
    "outbox": "INSERT",
    "timer": "INSERT",
    "dead_letter": "SELECT, DELETE",
}


def roles() -> Iterator[str]:
    """Creates the logins that are missing; run by somebody who may create roles."""
    for login in LOGINS:
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{login}') THEN"
            f" CREATE ROLE {login} LOGIN NOSUPERUSER NOBYPASSRLS; END IF; END $$"
        )


def protect(table: sa.Table) -> Iterator[str]:
    """Grants and policies of one table, by the `info` that its schema gave it. Can be run again."""
    name = f"{table.schema}.{table.name}"
    yield f"REVOKE ALL ON {name} FROM {APP}, {RELAY}, {PLATFORM}"
    if table.info.get("relay_only"):
        yield f"GRANT SELECT, UPDATE ON {name} TO {RELAY}"
        return
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield from _policy(name, "owner", f"TO {OWNER} USING (true) WITH CHECK (true)")
    yield from _policy(name, "tenant", f"TO {APP}, {PLATFORM} USING ({_TENANT}) WITH CHECK ({_TENANT})")
    yield from _grants(table, name)
    if partner := table.info.get("partner"):
        own = f"{_PARTNER} = '' OR {partner} = {_PARTNER}"
        yield from _policy(name, "partner", f"AS RESTRICTIVE TO {APP} USING ({own}) WITH CHECK ({own})")
    if table.info.get("platform"):
        yield from _policy(name, "own", f"FOR SELECT TO {APP} USING ({_OWN})")
    if table.info.get("expires"):
        yield f"GRANT SELECT (tenant_id, name, create_time), DELETE ON {name} TO {RELAY}"
        yield from _policy(name, "relay", f"TO {RELAY} USING (true)")
    if table.info.get("relay"):
        yield from _policy(name, "relay", f"TO {RELAY} USING (true) WITH CHECK (true)")


def _grants(table: sa.Table, name: str) -> Iterator[str]:
    if table.info.get("platform"):
        yield f"GRANT SELECT ON {name} TO {APP}"
        yield f"GRANT SELECT, INSERT, UPDATE ON {name} TO {PLATFORM}"
        return
    kernel = table.schema == "kernel"
    default = "SELECT, INSERT" if table.info.get("append_only") else "SELECT, INSERT, UPDATE"
    grants = _APP_GRANTS.get(table.name, default) if kernel else default
    yield f"GRANT {grants} ON {name} TO {APP}, {PLATFORM}"
    if kernel and table.name in _RELAY_GRANTS:
        yield f"GRANT {_RELAY_GRANTS[table.name]} ON {name} TO {RELAY}"


def _policy(table: str, policy: str, text: str) -> Iterator[str]:
    yield f"DROP POLICY IF EXISTS {policy} ON {table}"
    kind, _, rest = text.partition(" TO ")
    prefix = f" {kind}" if kind and not text.startswith("TO ") else ""
    yield f"CREATE POLICY {policy} ON {table}{prefix} TO {rest if prefix else text.removeprefix('TO ')}"


def build(metadata: sa.MetaData, standing: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """The walls of a schema that do not stand: schemas are opened to the logins, tables protected, buckets filled.

    `standing` are marks by table, as `STANDING` finds them; a table with the same mark is not even locked.
    """
    for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
        yield f"GRANT USAGE ON SCHEMA {schema} TO {APP}, {RELAY}, {PLATFORM}"
    for table in metadata.sorted_tables:
        statements = list(protect(table))
        mark = f"walls {hashlib.sha256(';'.join(statements).encode()).hexdigest()[:16]}"
        if standing.get(table.fullname) == mark:
            continue
        yield from statements
        if not table.info.get("relay_only"):
            yield f"COMMENT ON POLICY owner ON {table.fullname} IS '{mark}'"
    yield "INSERT INTO kernel.outbox_bucket SELECT n, '-infinity' FROM generate_series(0, 63) n ON CONFLICT DO NOTHING"
