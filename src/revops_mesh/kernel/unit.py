"""The unit of work: one transaction of one tenant, collected in memory and flushed as one statement.

Reads go through; writes, ledger rows, events and timers are only collected. The flush writes all of them or none. Nothing
else commits. A unit uses one connection and never a second.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

import asyncpg
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2 as platform

from . import statements
from .aggregate import Aggregate
from .errors import Broken, Failure, refuse, stale
from .kinds import Column, Kind
from .names import new_uuid, parent_of
from .statements import Claim, Shape

BUCKETS = 64
LARGEST_EVENT = 512 * 1024  # bytes


@dataclass(slots=True)
class Write:
    """One aggregate to be written: added (seen 0), saved or deleted."""

    aggregate: Aggregate[Any]
    seen: int
    gone: bool = False
    stored: bytes | None = None  # its state as it will be stored, once sealed


@dataclass(slots=True)
class Envelope:
    """What a flush writes beside rows: the audit entry and the replay's answer."""

    principal: str
    method: str
    digest: UUID
    request: bytes
    trace: str
    claim: Claim | None
    response: bytes
    audit: bool


@dataclass(slots=True)
class Cap:
    """Edition and epoch by which counted kinds are capped."""

    edition: int
    epoch: int


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
    timers: list[tuple[datetime, Message]] = field(default_factory=list)
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
        shape, parameters = self._collect(envelope)
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

    def _collect(self, envelope: Envelope | None) -> tuple[Shape, list[object]]:
        inserts, updates = self._by_kind(added=True), self._by_kind(added=False)
        watched: dict[Kind, list[tuple[str, int]]] = {}
        for kind, name, seen in sorted(self.watched.values(), key=lambda each: (each[0].sql, each[1])):
            watched.setdefault(kind, []).append((name, seen))
        ledgers: dict[Kind, list[Message]] = {}
        for kind, row in self.rows:
            ledgers.setdefault(kind, []).append(row)
        counters = self._counters()
        events = self._events()
        groups = [*inserts.values(), *updates.values(), *watched.values(), *ledgers.values()]
        single = len(events) <= 1 and len(self.timers) <= 1 and all(len(group) == 1 for group in groups)  # type: ignore[arg-type]
        parameters: list[object] = []
        for kind, writes in updates.items():
            parameters += [[w.aggregate.name for w in writes], [w.seen for w in writes], [w.gone for w in writes]]
            parameters += [[w.stored for w in writes], *_projected(kind, writes)]
        for watches in watched.values():
            parameters += [[name for name, _ in watches], [seen for _, seen in watches]]
        for kind, writes in inserts.items():
            parameters.append([w.aggregate.name for w in writes])
            if kind.pattern.nested:
                parameters.append([parent_of(w.aggregate.name) for w in writes])
            parameters += [[w.stored for w in writes], *_projected(kind, writes)]
        for kind, delta in counters.items():
            parameters += [delta, kind.limits.get(self.cap.edition, 1 << 62), self.cap.epoch]
        for kind, rows in ledgers.items():
            parameters += [[new_uuid() for _ in rows], *([c.value(row) for row in rows] for c in kind.columns)]
        trace = envelope.trace if envelope else ""
        if single:
            parameters = [each[0] if type(each) is list else each for each in parameters]
        if events:
            parameters += [trace, *_columns(events, single=single)]
        if self.timers:
            timers = [(new_uuid(), due, m.DESCRIPTOR.full_name, m.SerializeToString()) for due, m in self.timers]
            parameters += [trace, *_columns(timers, single=single)]
        shape = Shape(
            inserts=tuple(inserts), updates=tuple(updates), unchanged=tuple(watched), ledgers=tuple(ledgers),
            counters=tuple(counters), events=bool(events), timers=bool(self.timers),
            audit=bool(envelope and envelope.audit), replay=bool(envelope and envelope.claim), single=single,
        )  # fmt: skip
        if envelope is not None:
            parameters += self._envelope(envelope)
        return shape, parameters

    def _envelope(self, envelope: Envelope) -> list[object]:
        parameters: list[object] = []
        if envelope.audit:
            names = [*self.touched, *(f"{w.aggregate.name}@{w.seen + 1}" for _, w in self.writes.values())]
            parameters += [
                new_uuid(),
                envelope.principal,
                envelope.method,
                names,
                envelope.digest,
                envelope.request,
                envelope.trace,
            ]
        if envelope.claim is not None:
            parameters += [envelope.claim.principal, envelope.claim.request_id, envelope.response]
        return parameters

    def _by_kind(self, *, added: bool) -> dict[Kind, list[Write]]:
        found: dict[Kind, list[Write]] = {}
        for kind, write in sorted(self.writes.values(), key=lambda each: (each[0].sql, each[1].aggregate.name)):
            if (write.seen == 0) is added and not (added and write.gone):
                found.setdefault(kind, []).append(write)
        return found

    def _counters(self) -> dict[Kind, int]:
        """Change of each capped count; an edition without caps writes none."""
        changes: dict[Kind, int] = {}
        for kind, write in self.writes.values():
            if self.cap.edition in kind.limits and (write.seen == 0) != write.gone:
                changes[kind] = changes.get(kind, 0) + (-1 if write.gone else 1)
        return {kind: delta for kind, delta in sorted(changes.items(), key=lambda each: each[0].sql) if delta}

    def _events(self) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        for _, write in self.writes.values():
            name = write.aggregate.name
            bucket = crc32(self.tenant.bytes + name.encode()) % BUCKETS
            for n, event in enumerate(write.aggregate.events):
                full_name, payload = event.DESCRIPTOR.full_name, event.SerializeToString()
                if full_name not in self.emits:
                    raise Broken(f"{full_name} is not among the events that the method declares: {sorted(self.emits)}")
                if len(payload) > LARGEST_EVENT:
                    raise Broken(f"{full_name} of {name} has {len(payload)} bytes; at most {LARGEST_EVENT} are published")
                found.append((bucket, name, write.seen + 1, n, new_uuid(), full_name, payload))
        return found

    def _settle(self) -> None:
        for key, (_, write) in self.writes.items():
            write.aggregate.revision = write.seen + 1
            write.aggregate.events.clear()
            self.touched.append(f"{write.aggregate.name}@{write.seen + 1}")
            if write.gone:
                del self.known[key]
        for collected in (self.writes, self.watched, self.rows, self.timers):
            collected.clear()

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


def _columns(rows: Sequence[tuple[object, ...]], *, single: bool) -> Iterable[object]:
    """Rows as the arrays of their columns, or the one row there is as it is."""
    return rows[0] if single else map(list, zip(*rows, strict=True))


def _projected(kind: Kind, writes: Sequence[Write]) -> list[list[object]]:
    def values(column: Column) -> list[object]:
        return [column.value(write.aggregate.state) for write in writes]

    return [values(column) for column in kind.columns]
