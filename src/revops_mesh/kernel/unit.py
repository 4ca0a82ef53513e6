"""The unit of work: one transaction of one tenant, collected in memory and flushed as one statement.

Reads go through; writes, ledger rows, events and timers are only collected. The flush writes all of them or none. Nothing
else commits. A unit uses one connection and never a second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2 as platform

from . import statements
from .aggregate import Aggregate
from .collection import Cap, Envelope, Write, collected
from .errors import Broken, Failure, refuse, stale
from .kinds import Kind
from .statements import Claim, Shape


@dataclass(slots=True)
class Unit:
    """One transaction. `begin`, then reads and collected writes, then `commit` or `rollback`."""

    connection: Any
    tenant: UUID
    partner: str
    now: datetime
    cap: Cap
    read_only: bool
    emits: frozenset[str] = frozenset()
    known: dict[tuple[str, str], Aggregate[Any]] = field(default_factory=dict)
    writes: dict[tuple[str, str], tuple[Kind, Write]] = field(default_factory=dict)
    watched: dict[tuple[str, str], tuple[Kind, str, int]] = field(default_factory=dict)
    rows: list[tuple[Kind, Message]] = field(default_factory=list)
    timers: list[tuple[datetime, Message, str]] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    flushed: bool = False

    async def begin(self, claim: Claim | None) -> bool:
        """Opens the transaction; False if the replay key was claimed before: the call is a replay."""
        tag = await self.connection.execute(statements.begin(self.tenant, self.partner, claim, read_only=self.read_only))
        return claim is None or tag == "INSERT 0 1"

    async def answered(self, claim: Claim) -> bytes:
        """The stored answer of a replayed call; refused if the key was used for another request."""
        row = await self.connection.fetchrow(statements.REPLAY, self.tenant, claim.principal, claim.request_id)
        if row is None or row["digest"] != claim.digest:
            raise refuse(
                platform.REQUEST_ID_CONFLICT,
                "request_id {request_id} was used for another request: use a new one.",
                request_id=claim.request_id,
            )
        answer: bytes | None = row["response"]
        if answer is None:
            raise Broken(f"the replay of {claim.request_id} has no answer")
        return answer

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Any]:
        """Rows of a named statement whose `$1` is the tenant; what is collected is flushed first."""
        if self.writes:
            await self.flush()
        rows: Sequence[Any] = await self.connection.fetch(sql, self.tenant, *arguments)
        return rows

    async def next_number(self, series: str) -> int:
        """The next of a series without gaps, from 1; holds the series until the end of the unit."""
        self._writable()
        number: int = await self.connection.fetchval(statements.NEXT_NUMBER, self.tenant, series)
        return number

    def write(self, kind: Kind, aggregate: Aggregate[Any], *, gone: bool = False) -> None:
        """Collects an aggregate; its invariants are checked when it is sealed."""
        self._writable()
        key = (kind.full_name, aggregate.name)
        before = self.writes.get(key)
        seen = before[1].seen if before else aggregate.revision
        self.writes[key] = (kind, Write(aggregate, seen, gone))
        self.known[key] = aggregate

    def append(self, kind: Kind, row: Message) -> None:
        """Collects a ledger row."""
        self._writable()
        if not kind.ledger:
            raise Broken(f"{kind.full_name} is no ledger")
        self.rows.append((kind, row))

    def _writable(self) -> None:
        if self.read_only:
            raise Broken("a unit that reads may not write")

    def seal(self) -> None:
        """Fixes what is stored of each write and gives each its times and its next etag, so that an answer may show them."""
        for _, write in self.writes.values():
            if write.stored is not None:
                continue
            state = write.aggregate.state
            if write.gone:
                write.stored = b""
                continue
            write.aggregate.check()
            write.aggregate.stamp(self.now, created=write.seen == 0)
            state.ClearField("etag")
            write.stored = state.SerializeToString()
            state.etag = str(write.seen + 1)

    async def flush(self, envelope: Envelope | None = None) -> None:
        """Writes what was collected, or refuses with ETAG_MISMATCH, RESOURCE_EXISTS or LIMIT_REACHED and writes nothing."""
        self.seal()
        shape, parameters = collected(self, envelope)
        if shape == Shape(single=True):
            return
        self.flushed = True
        try:
            row = await self.connection.fetchrow(statements.flush(shape), self.tenant, self.now, *parameters)
        except asyncpg.UniqueViolationError as taken:
            raise self._taken(taken) from None
        if not row["updated"]:
            raise stale(next(w.aggregate.name for _, w in self.writes.values() if w.seen))
        if not row["unchanged"]:
            raise stale(next(name for _, name, _ in self.watched.values()))
        if not row["counted"]:
            raise self._capped(shape)
        self._settle()

    def _settle(self) -> None:
        for key, (_, write) in self.writes.items():
            write.aggregate.revision = write.seen + 1
            write.aggregate.events.clear()
            self.touched.append(f"{write.aggregate.name}@{write.seen + 1}")
            if write.gone:
                del self.known[key]
        for each in (self.writes, self.watched, self.rows, self.timers):
            each.clear()

    def _taken(self, error: asyncpg.UniqueViolationError) -> Failure:
        for kind, write in self.writes.values():
            if error.table_name != kind.table:
                continue
            unique = next((c for c in kind.columns if error.constraint_name == f"{kind.table}_{c.name}_key"), None)
            value = unique.value(write.aggregate.state) if unique else write.aggregate.name
            path = unique.path if unique else "name"
            return refuse(platform.RESOURCE_EXISTS, "{field} {name} is taken.", name=value, field=path)
        raise Broken(f"unexpected duplicate in {error.table_name}") from error

    def _capped(self, shape: Shape) -> Failure:
        kind = shape.counters[0]
        above, mine = range(self.cap.edition + 1, options.EDITION_ENTERPRISE + 1), kind.limits[self.cap.edition]
        lifted = next((e for e in above if kind.limits.get(e, mine + 1) > mine), None)
        name: Callable[[Any], str] = options.Edition.Name
        return refuse(
            platform.LIMIT_REACHED,
            "The {edition} edition has at most {limit} {resource}; {lifted_by} lifts it.",
            resource=kind.table,
            limit=mine,
            edition=name(self.cap.edition).removeprefix("EDITION_"),
            lifted_by=name(lifted).removeprefix("EDITION_") if lifted else "nothing",
        )

    async def commit(self) -> None:
        """Makes what was flushed durable."""
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        """Undoes everything; safe on a transaction that has already failed."""
        await self.connection.execute("ROLLBACK")
