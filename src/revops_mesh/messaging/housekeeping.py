"""Housekeeping: deletes replay rows and rows of logs whose time has passed, and measures how far the relay is behind."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from revops_mesh.kernel import clock
from revops_mesh.kernel.kinds import Kind
from revops_mesh.kernel.pools import Pool

from .worker import Counts, repeat

BATCH = 1000
PAUSE_SECONDS = 10.0
# The database's clock, because with it the pipeline dates replay rows.
EXPIRE = (
    "DELETE FROM kernel.replay WHERE ctid=ANY(ARRAY(SELECT ctid FROM kernel.replay WHERE expire_time<now()"
    f" ORDER BY expire_time LIMIT {BATCH}))"
)
OLDEST = "SELECT min(time) FROM kernel.outbox"


def outlived(kind: Kind) -> str:
    """Deletes a batch of the rows of all tenants that were created before `$1`; needs to see no more than their names."""
    batch = f"SELECT tenant_id,name FROM {kind.sql} WHERE create_time<$1 ORDER BY create_time LIMIT {BATCH}"
    return f"DELETE FROM {kind.sql} t USING ({batch}) x WHERE t.tenant_id=x.tenant_id AND t.name=x.name"


class Housekeeping:
    """One worker; it needs a connection of the pool, which is of the `relay` login."""

    def __init__(self, pool: Pool, counts: Counts, kinds: Iterable[Kind] = ()) -> None:
        """Of `kinds` those are tidied whose rows the contract lets expire."""
        self._pool, self._counts = pool, counts
        self._expiring = [(outlived(kind), timedelta(days=kind.retention_days)) for kind in kinds if kind.retention_days]

    async def run(self) -> None:
        """Keeps house until cancelled."""
        await repeat(self.tidy, lambda: asyncio.sleep(PAUSE_SECONDS), "housekeeping")

    async def tidy(self) -> bool:
        """Measures the lag and deletes a batch of each; False if fewer than a batch were left of all."""
        async with self._pool.acquire() as connection:
            oldest = await connection.fetchval(OLDEST)
            self._counts.lag_seconds = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
            tags = [await connection.execute(EXPIRE)]
            tags += [await connection.execute(sql, clock.now() - age) for sql, age in self._expiring]
        deleted = [int(tag.removeprefix("DELETE ")) for tag in tags]
        self._counts.expired += sum(deleted)
        return max(deleted) == BATCH
