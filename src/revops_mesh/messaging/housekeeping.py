"""Housekeeping: deletes replay rows whose time has passed, and measures how far the relay is behind."""

import asyncio

from revops_mesh.kernel import clock
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


class Housekeeping:
    """One worker; it needs a connection of the pool, which is of the `relay` login."""

    def __init__(self, pool: Pool, counts: Counts) -> None:
        self._pool, self._counts = pool, counts

    async def run(self) -> None:
        """Keeps house until cancelled."""
        await repeat(self.tidy, lambda: asyncio.sleep(PAUSE_SECONDS), "housekeeping")

    async def tidy(self) -> bool:
        """Measures the lag and deletes a batch; False if fewer than a batch were left."""
        async with self._pool.acquire() as connection:
            oldest = await connection.fetchval(OLDEST)
            self._counts.lag_seconds = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
            tag: str = await connection.execute(EXPIRE)
        deleted = int(tag.removeprefix("DELETE "))
        self._counts.expired += deleted
        return deleted == BATCH
