"""Errands that wait for somebody outside: what they find is noted by internal rpcs, and found at least once.

A due row is leased rather than locked as by `Timers`, so that waiting holds no connection; after a crash it is free when its
lease ends. Of one lane, as one receiver, and of one tenant only a part of the slots is ever taken: whoever is slow keeps
nobody else waiting. Limits are of a process. Durations are seconds.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from revops_mesh.kernel import clock
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import Pool

from .delivery import DELAYS, Delivery
from .timers import POLL_SECONDS, Rows
from .worker import Counts, expected, repeat, transaction

SLOTS, OF_A_TENANT, OF_A_LANE = 64, 16, 4
"""Errands at once: in all, of one tenant, of one lane."""
LONGEST, LEASE = 50.0, 60.0
"""An errand and its rpc are ended after the former and may begin again after the latter."""
ELSEWHERE = (
    " AND NOT EXISTS (SELECT 1 FROM unnest($5::uuid[],$6::text[]) AS f(t,l)"
    " WHERE f.t=t.tenant_id AND (f.l=t.lane OR f.l IS NULL))"
)
"""Not of the tenants `$5` in the lanes `$6`; NULL is all lanes of a tenant."""
LEASED = "UPDATE kernel.timer t SET due=$3 FROM unnest($1::uuid[],$2::uuid[]) AS x(t,i) WHERE t.tenant_id=x.t AND t.id=x.i"

_log = logging.getLogger("revops.messaging")


class Errands:
    """Runs the errands of one internal rpc. It needs some connections of the pool, which is of the `relay` login."""

    def __init__(
        self, kernel: Kernel, pool: Pool, counts: Counts, errand: str, *, slots: int = SLOTS, lease: float = LEASE,
        delays: tuple[float, ...] = DELAYS,
    ) -> None:  # fmt: skip
        """`errand` is the full name of the rpc."""
        self._kernel, self._pool, self._slots, self._lease = kernel, pool, slots, timedelta(seconds=lease)
        self._rows = Rows(kernel, counts, delays, {errand})
        self._tenants: Counter[UUID] = Counter()
        self._lanes: Counter[tuple[UUID, str]] = Counter()
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Runs what is due until cancelled."""
        async with asyncio.TaskGroup() as group:
            await repeat(partial(self.fill, group), self._pause, "errands")

    async def fill(self, group: asyncio.TaskGroup) -> bool:
        """Begins what is due as far as slots are free; False if nothing was begun."""
        self._freed.clear()
        begun = await self._leased(self._slots - self._tenants.total())
        for row, delivery in begun:
            group.create_task(self._run(row, delivery))
        return bool(begun)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._freed.wait()
        except TimeoutError:
            return

    async def _leased(self, free: int) -> list[tuple[Any, Delivery]]:
        if free <= 0:
            return []
        async with transaction(self._pool) as connection:
            full = list(self._full())
            due = await self._rows.due(connection, ELSEWHERE, free, [tenant for tenant, _ in full], [lane for _, lane in full])
            begun = [(row, delivery) for row, delivery in due if self._takes(row["tenant_id"], row["lane"])]
            if begun:
                keys = zip(*((row["tenant_id"], row["id"]) for row, _ in begun), strict=True)
                await connection.execute(LEASED, *map(list, keys), clock.now() + self._lease)
        return begun

    def _full(self) -> Iterator[tuple[UUID, str | None]]:
        yield from ((tenant, None) for tenant, count in self._tenants.items() if count >= OF_A_TENANT)
        yield from (lane for lane, count in self._lanes.items() if lane[1] and count >= OF_A_LANE)

    def _takes(self, tenant: UUID, lane: str) -> bool:
        """Takes a slot, if tenant and lane have one left."""
        if self._tenants[tenant] >= OF_A_TENANT or (lane and self._lanes[tenant, lane] >= OF_A_LANE):
            return False
        self._tenants[tenant] += 1
        self._lanes[tenant, lane] += 1
        return True

    async def _run(self, row: Any, delivery: Delivery) -> None:
        """Runs an errand and its rpc, and frees the slot; raises nothing."""
        try:
            problem = await self._attempted(delivery)
            plain = not problem and row["letter"] is None  # then it is one statement
            async with self._pool.acquire() if plain else transaction(self._pool) as connection:
                await self._rows.settle(connection, [(row, delivery, problem)])
        except Exception as error:
            _log.warning("an errand of %s is run again: %r", delivery.request_id, error, exc_info=not expected(error))
        finally:
            self._tenants -= Counter([row["tenant_id"]])  # drops what has come to 0
            self._lanes -= Counter([(row["tenant_id"], row["lane"])])
            self._freed.set()

    async def _attempted(self, delivery: Delivery) -> str:
        try:
            async with asyncio.timeout(LONGEST):
                return await delivery.attempted(self._kernel)
        except TimeoutError:
            return f"it took longer than {LONGEST:.0f} s"
