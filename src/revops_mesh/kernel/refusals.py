"""Audit of refusals: a known caller's refused call is written after its rollback, in batched transactions of its own.

At most ten a second of one principal are written; the rest are only counted, so that a loop of refusals cannot fill the log.
"""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from . import statements
from .errors import Failure
from .names import new_uuid
from .pools import Pool
from .principal import Principal

PER_SECOND = 10
MOST_WAITING = 10_000
INTERVAL_SECONDS = 0.2
INSERT = (
    "INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
    " SELECT $1::uuid,x.id,x.time,x.principal,x.method,'{}',x.outcome,'00000000-0000-0000-0000-000000000000',''::bytea,x.trace"
    " FROM unnest($2::uuid[],$3::timestamptz[],$4::text[],$5::text[],$6::text[],$7::text[])"
    " AS x(id,time,principal,method,outcome,trace)"
)

_log = logging.getLogger("revops.audit")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused call."""

    tenant: UUID
    time: datetime
    principal: str
    method: str
    outcome: str
    trace: str


class Refusals:
    """Collects refusals and writes them every fifth of a second."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[Refusal] = []
        self._recent: dict[tuple[UUID, UUID], tuple[int, int]] = {}
        self.dropped = 0
        """Refusals that were only counted."""

    def note(self, principal: Principal, method: str, outcome: str, now: datetime, trace: str) -> None:
        """Takes a refusal down."""
        second = int(now.timestamp())
        whose = (principal.tenant, principal.id)
        last, seen = self._recent.get(whose, (second, 0))
        seen = seen + 1 if last == second else 1
        self._recent[whose] = (second, seen)
        if seen > PER_SECOND or len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(Refusal(principal.tenant, now, principal.name, method, outcome, trace))

    async def run(self) -> None:
        """Writes until cancelled; what is being written then is still finished, and what is left is written too."""
        writing = asyncio.ensure_future(self.flush())
        try:
            while True:
                await asyncio.sleep(INTERVAL_SECONDS)
                writing = asyncio.ensure_future(self.flush())
                await asyncio.shield(writing)
        finally:
            await asyncio.wait((writing,))
            await self.flush()

    async def flush(self) -> None:
        """Writes what waits, one transaction a tenant; what the store does not take waits on."""
        waiting, self._waiting = self._waiting, []
        self._recent.clear()
        tenants: defaultdict[UUID, list[Refusal]] = defaultdict(list)
        for refusal in waiting:
            tenants[refusal.tenant].append(refusal)
        for tenant, refusals in tenants.items():
            try:
                await self._write(tenant, refusals)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, Failure) as error:
                _log.warning("refusals wait for the store: %s", type(error).__name__)
                self._waiting += refusals

    async def _write(self, tenant: UUID, refusals: list[Refusal]) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(statements.begin(tenant, "", None, read_only=False))
            try:
                rows = [(new_uuid(), r.time, r.principal, r.method, r.outcome, r.trace) for r in refusals]
                await connection.execute(INSERT, tenant, *map(list, zip(*rows, strict=True)))
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
