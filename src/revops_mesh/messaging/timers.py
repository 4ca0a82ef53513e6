"""Timers: internal rpcs that are called when they are due, at least once; the replay table makes that exactly once.

A runner holds due rows of all tenants by row locks while their calls run, so a crash frees them at once. What fails comes
again after a delay, and after eight attempts becomes a dead letter. Due times are of the kernel's clock, UTC.
"""

import asyncio
from collections.abc import Collection, Iterable
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
DUE = (
    "SELECT t.*,d.request AS letter,d.event FROM kernel.timer t"
    " LEFT JOIN kernel.dead_letter d ON d.tenant_id=t.tenant_id AND d.id=t.id AND d.method=t.request_type"
    " WHERE t.due<=$1 AND (t.request_type=ANY($2::text[]) OR d.method=ANY($3::text[]))"
)
CLAIM = " ORDER BY t.due LIMIT $4 FOR UPDATE OF t SKIP LOCKED"
DONE = "DELETE FROM kernel.timer t USING unnest($1::uuid[],$2::uuid[]) AS x(t,i) WHERE t.tenant_id=x.t AND t.id=x.i"
LATER = "UPDATE kernel.timer SET due=$3,attempts=$4 WHERE tenant_id=$1 AND id=$2"

Outcome = tuple[Any, Delivery, str]
"""A row, the attempt that was made of it, and what went wrong, "" if nothing."""


class Rows:
    """The rows of `kernel.timer` for some methods: what they say, and how they end.

    A row whose request type is the full name of a method runs the dead letter with its id again. Rows for methods that this
    process does not serve wait for one that does.
    """

    def __init__(self, kernel: Kernel, counts: Counts, delays: tuple[float, ...], methods: Collection[str]) -> None:
        """`methods` are full names; of these the internal ones count."""
        self._counts, self._delays = counts, delays
        internal = [method for method in kernel.methods.values() if method.internal and method.full_name in methods]
        self._by_name = {method.full_name: method for method in internal}
        self._by_request = {t: m for m in internal if (t := m.request.DESCRIPTOR.full_name) not in kernel.reactions}

    async def due(self, connection: Any, condition: str, most: int, *arguments: object) -> list[tuple[Any, Delivery]]:
        """Up to so many rows that are due and free, locked, with the attempts they ask for; arguments start at `$5`."""
        known = (list(self._by_request), list(self._by_name))
        rows = await connection.fetch(DUE + condition + CLAIM, clock.now(), *known, most, *arguments)
        return [(row, self._read(row)) for row in rows]

    def _read(self, row: Any) -> Delivery:
        tenant, attempt = row["tenant_id"], row["attempts"] + 1
        if row["letter"] is None:
            method = self._by_request[row["request_type"]]
            request_id = derived("timer", row["id"], method.full_name)
            return Delivery(tenant, request_id, method, row["request"], row["trace"], attempt)
        method, event = self._by_name[row["request_type"]], envelope.remembered(row["event"])
        return Delivery(tenant, row["id"], method, row["letter"], row["trace"], attempt, event)

    async def settle(self, connection: Any, outcomes: Iterable[Outcome]) -> None:
        """Removes the rows that have come to their end, and puts off the others."""
        over = []
        for row, delivery, problem in outcomes:
            if await self._over(connection, row, delivery, problem):
                over.append((row["tenant_id"], row["id"]))
        if over:
            await connection.execute(DONE, *map(list, zip(*over, strict=True)))

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


class Timers:
    """Runners that call what is due; each needs a connection of the pool, which is of the `relay` login.

    Errands, which take their time, are left to runners of their own.
    """

    def __init__(
        self, kernel: Kernel, pool: Pool, counts: Counts, *, runners: int = 2, delays: tuple[float, ...] = DELAYS,
        errand: str = "", batch: int = BATCH,
    ) -> None:  # fmt: skip
        """`errand` names the rpc whose timers to run; without it all run that are no errands."""
        self._kernel, self._pool, self._runners, self._batch = kernel, pool, runners, batch
        methods = {errand} if errand else {method.full_name for method in kernel.methods.values()} - kernel.errands.keys()
        self._rows = Rows(kernel, counts, delays, methods)

    async def run(self) -> None:
        """Calls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._runners):
                group.create_task(repeat(self.fire, lambda: asyncio.sleep(POLL_SECONDS), "timers"))

    async def fire(self) -> bool:
        """Calls a batch of what is due and free; False if nothing is."""
        async with transaction(self._pool) as connection:
            found = await self._rows.due(connection, "", self._batch)
            problems = await asyncio.gather(*(delivery.attempted(self._kernel) for _, delivery in found))
            outcomes = [(row, delivery, problem) for (row, delivery), problem in zip(found, problems, strict=True)]
            await self._rows.settle(connection, outcomes)
        return bool(found)
