"""What a call does to the store: its round trips, from pg_stat_statements, and the rows it leaves behind."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

TABLES = "SELECT format('%I.%I',table_schema,table_name) FROM information_schema.columns WHERE column_name='tenant_id' ORDER BY 1"
STATEMENTS = (
    "SELECT s.query, s.calls FROM pg_stat_statements s JOIN pg_database d ON d.oid=s.dbid"
    " WHERE s.userid='revops_app'::regrole AND d.datname=current_database()"
)
TRAVELS_WITH_BEGIN = ("SET LOCAL", "INSERT INTO kernel.replay")
"""How statements begin that share the round trip of BEGIN."""


@dataclass(frozen=True)
class Traffic:
    """What some calls did, per call."""

    round_trips: float
    statements: float
    rows: dict[str, float]
    """New rows by table."""
    stored: float
    """Bytes of the new rows as PostgreSQL keeps them, compressed."""

    def __str__(self) -> str:
        rows = " + ".join(f"{count:g} {table.rpartition('.')[2]}" for table, count in self.rows.items())
        trips = f"{self.round_trips:.2f} round trips ({self.statements:.2f} statements)"
        return f"{trips}, rows: {rows or 'none'}" + (f", {self.stored / 1000:.1f} kB stored" if rows else "")


class Counter:
    """Counts over a connection that sees everything, which is in the database of the calls."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    async def begin(self, tenant: UUID) -> dict[str, tuple[int, int]]:
        """Forgets statements; the tenant's rows and their bytes by table, for `end`."""
        await self._owner.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        await self._owner.execute("SELECT pg_stat_statements_reset()")
        return await self._rows(tenant)

    async def end(self, tenant: UUID, before: dict[str, tuple[int, int]], calls: int) -> Traffic:
        """What so many calls of the tenant have done since `before`."""
        statements = [(row["query"], row["calls"]) for row in await self._owner.fetch(STATEMENTS)]
        after = await self._rows(tenant)
        added = {table: (after[table][0] - before[table][0]) / calls for table in after}
        return Traffic(
            round_trips=sum(n for query, n in statements if not query.startswith(TRAVELS_WITH_BEGIN)) / calls,
            statements=sum(n for _, n in statements) / calls,
            rows={table: count for table, count in added.items() if count},
            stored=sum(after[table][1] - before[table][1] for table in after) / calls,
        )

    async def _rows(self, tenant: UUID) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for (table,) in await self._owner.fetch(TABLES):
            sql = f"SELECT count(*), coalesce(sum(pg_column_size(t.*)),0)::bigint FROM {table} t WHERE tenant_id=$1"
            found[table] = tuple(await self._owner.fetchrow(sql, tenant))
        return found
