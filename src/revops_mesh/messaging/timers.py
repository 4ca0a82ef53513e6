"""Timers: internal rpcs that are called when they are due, at least once; the replay table makes that exactly once.

A runner holds due rows of all tenants by row locks while their calls run, so a crash frees them at once. What fails comes
again after a delay, and after eight attempts becomes a dead letter. Due times are of the kernel's clock, UTC.
"""

import asyncio
from datetime import timedelta
from typing import Any

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import derived
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import Pool

from . import dead_letters, envelope
from .delivery import ATTEMPTS, DELAYS, Delivery, delay
from .worker import Counts, repeat, transaction

BATCH = 16
POLL_SECONDS = 0.25
CLAIM = (
    "SELECT t.*,d.request AS letter,d.event FROM kernel.timer t"
    " LEFT JOIN kernel.dead_letter d ON d.tenant_id=t.tenant_id AND d.id=t.id AND d.method=t.request_type"
    " WHERE t.due<=$1 AND (t.request_type=ANY($2::text[]) OR d.method=ANY($3::text[]))"
    " ORDER BY t.due LIMIT $4 FOR UPDATE OF t SKIP LOCKED"
)
DONE = "DELETE FROM kernel.timer t USING unnest($1::uuid[],$2::uuid[]) AS x(t,i) WHERE t.tenant_id=x.t AND t.id=x.i"
LATER = "UPDATE kernel.timer SET due=$3,attempts=$4 WHERE tenant_id=$1 AND id=$2"


class Timers:
    """Runners that call what is due; each needs a connection of the pool, which is of the `relay` login.

    A row whose request type is the full name of a method runs the dead letter with its id again. Rows for methods that this
    process does not serve wait for one that does. Errands, which take their time, are left to runners of their own.
    """

    def __init__(
        self, kernel: Kernel, pool: Pool, counts: Counts, *, runners: int = 2, delays: tuple[float, ...] = DELAYS,
        errand: str = "", batch: int = BATCH,
    ) -> None:  # fmt: skip
        """`errand` names the rpc whose timers to run; without it all run that are no errands."""
        self._kernel, self._pool, self._counts, self._runners, self._delays = kernel, pool, counts, runners, delays
        self._batch = batch
        ours = {errand} if errand else {method.full_name for method in kernel.methods.values()} - kernel.errands.keys()
        internal = [method for method in kernel.methods.values() if method.internal and method.full_name in ours]
        self._by_name = {method.full_name: method for method in internal}
        self._by_request = {t: m for m in internal if (t := m.request.DESCRIPTOR.full_name) not in kernel.reactions}

    async def run(self) -> None:
        """Calls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._runners):
                group.create_task(repeat(self.fire, lambda: asyncio.sleep(POLL_SECONDS), "timers"))

    async def fire(self) -> bool:
        """Calls a batch of what is due and free; False if nothing is."""
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(CLAIM, clock.now(), list(self._by_request), list(self._by_name), self._batch)
            deliveries = [self._read(row) for row in rows]
            problems = await asyncio.gather(*(delivery.attempted(self._kernel) for delivery in deliveries))
            over = []
            for row, delivery, problem in zip(rows, deliveries, problems, strict=True):
                if await self._over(connection, row, delivery, problem):
                    over.append((row["tenant_id"], row["id"]))
            if over:
                await connection.execute(DONE, *map(list, zip(*over, strict=True)))
        return bool(rows)

    def _read(self, row: Any) -> Delivery:
        tenant, attempt = row["tenant_id"], row["attempts"] + 1
        if row["letter"] is None:
            method = self._by_request[row["request_type"]]
            request_id = derived("timer", row["id"], method.full_name)
            return Delivery(tenant, request_id, method, row["request"], row["trace"], attempt)
        method, event = self._by_name[row["request_type"]], envelope.remembered(row["event"])
        return Delivery(tenant, row["id"], method, row["letter"], row["trace"], attempt, event)

    async def _over(self, connection: Any, row: Any, delivery: Delivery, problem: str) -> bool:
        """Whether a timer has come to its end, and with it the letter that it ran again; else it is put off."""
        key = (row["tenant_id"], row["id"])
        if problem and delivery.attempt < ATTEMPTS:
            self._counts.retried += 1
            due = clock.now() + timedelta(seconds=delay(self._delays, delivery.attempt))
            await connection.execute(LATER, *key, due, delivery.attempt)
            return False
        if row["letter"] is not None:
            await connection.execute(dead_letters.REMOVE, *key)
        if problem:
            self._counts.dead += 1
            await delivery.bury(connection, problem)
        else:
            self._counts.fired += 1
        return True
