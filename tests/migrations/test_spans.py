"""A migration is a trace: the command, and below it every statement."""

import asyncio
import os
import sys

import asyncpg

from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations.logins import bootstrap
from tests.runtime.calling import ROOT
from tests.runtime.collector import collecting


async def test_a_migration_is_traced_with_its_statements(postgres: Postgres) -> None:
    await asyncio.to_thread(bootstrap, postgres.dsn(), "traced")
    async with collecting() as collector:
        environ = {"REVOPS_DATABASE_URL": postgres.dsn("traced"), "REVOPS_OTLP_ENDPOINT": collector.address}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "revops_mesh.cli",
            "migrate",
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "src:generated", **environ},
        )
        assert await process.wait() == 0
    (root,) = [span for span in collector.spans if not span.parent_span_id]
    assert root.name == "revops migrate"
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
    statements = [each.value.string_value for span in collector.spans for each in span.attributes if each.key == "db.statement"]
    assert any("CREATE TABLE quoting.quotes" in statement for statement in statements)
    assert any("CREATE POLICY" in statement for statement in statements)
    connection = await asyncpg.connect(postgres.dsn("traced"))
    assert await connection.fetchval("SELECT count(*) FROM quoting.quotes") == 0
    await connection.close()
