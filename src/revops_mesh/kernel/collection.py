"""What a unit of work collected, as the shape of its flush and the parameters of that one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID
from zlib import crc32

from .aggregate import Aggregate
from .errors import Broken
from .kinds import Column, Kind
from .names import new_uuid, parent_of
from .statements import Claim, Shape

if TYPE_CHECKING:
    from .unit import Unit

T = TypeVar("T")

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


def collected(unit: "Unit", envelope: Envelope | None) -> tuple[Shape, list[object]]:
    """The shape of a unit's flush and its parameters after tenant and time, in the order that `statements.flush` states."""
    updates, inserts = _by_kind(unit, added=False), _by_kind(unit, added=True)
    watched = _grouped(sorted(((k, (name, seen)) for k, name, seen in unit.watched.values()), key=lambda each: each[0].sql))
    ledgers, counters, events = _grouped(unit.rows), _counters(unit), _events(unit)
    groups: list[list[Any]] = [*inserts.values(), *updates.values(), *watched.values(), *ledgers.values()]
    single = len(events) <= 1 and len(unit.timers) <= 1 and all(len(group) == 1 for group in groups)
    parameters: list[object] = []
    for kind, writes in updates.items():
        parameters += [[w.aggregate.name for w in writes], [w.seen for w in writes], [w.gone for w in writes]]
        parameters += [[w.stored for w in writes], *_projected(kind, writes)]
    for watches in watched.values():
        parameters += [[name for name, _ in sorted(watches)], [seen for _, seen in sorted(watches)]]
    for kind, writes in inserts.items():
        parameters.append([w.aggregate.name for w in writes])
        if kind.pattern.nested:
            parameters.append([parent_of(w.aggregate.name) for w in writes])
        parameters += [[w.stored for w in writes], *_projected(kind, writes)]
    for kind, delta in counters.items():
        parameters += [delta, kind.limits.get(unit.cap.edition, 1 << 62), unit.cap.epoch]
    for kind, rows in ledgers.items():
        parameters += [[new_uuid() for _ in rows], *([c.value(row) for row in rows] for c in kind.columns)]
    if single:
        parameters = [each[0] if type(each) is list else each for each in parameters]
    trace = envelope.trace if envelope else ""
    timers = [(new_uuid(), due, m.DESCRIPTOR.full_name, m.SerializeToString(), lane) for due, m, lane in unit.timers]
    for rows_of in (events, timers):
        if rows_of:
            parameters += [trace, *_columns(rows_of, single=single)]
    shape = Shape(
        inserts=tuple(inserts), updates=tuple(updates), unchanged=tuple(watched), ledgers=tuple(ledgers),
        counters=tuple(counters), events=bool(events), timers=bool(timers),
        audit=bool(envelope and envelope.audit), replay=bool(envelope and envelope.claim), single=single,
    )  # fmt: skip
    return shape, parameters + (_envelope(unit, envelope) if envelope else [])


def _by_kind(unit: "Unit", *, added: bool) -> dict[Kind, list[Write]]:
    writes = sorted(unit.writes.values(), key=lambda each: (each[0].sql, each[1].aggregate.name))
    return _grouped((k, write) for k, write in writes if (write.seen == 0) is added and not (added and write.gone))


def _grouped(pairs: Iterable[tuple[Kind, T]]) -> dict[Kind, list[T]]:
    found: dict[Kind, list[T]] = {}
    for kind, each in pairs:
        found.setdefault(kind, []).append(each)
    return found


def _counters(unit: "Unit") -> dict[Kind, int]:
    """Change of each capped count; an edition without caps writes none."""
    changes: dict[Kind, int] = {}
    for kind, write in unit.writes.values():
        if unit.cap.edition in kind.limits and (write.seen == 0) != write.gone:
            changes[kind] = changes.get(kind, 0) + (-1 if write.gone else 1)
    return {kind: delta for kind, delta in sorted(changes.items(), key=lambda each: each[0].sql) if delta}


def _events(unit: "Unit") -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for _, write in unit.writes.values():
        name = write.aggregate.name
        bucket = crc32(unit.tenant.bytes + name.encode()) % BUCKETS
        for n, event in enumerate(write.aggregate.events):
            full_name, payload = event.DESCRIPTOR.full_name, event.SerializeToString()
            if full_name not in unit.emits:
                raise Broken(f"{full_name} is not among the events that the method declares: {sorted(unit.emits)}")
            if len(payload) > LARGEST_EVENT:
                raise Broken(f"{full_name} of {name} has {len(payload)} bytes; at most {LARGEST_EVENT} are published")
            found.append((bucket, name, write.seen + 1, n, new_uuid(), full_name, payload))
    return found


def _columns(rows: Sequence[tuple[object, ...]], *, single: bool) -> Iterable[object]:
    """Rows as the arrays of their columns, or the one row there is as it is."""
    return rows[0] if single else map(list, zip(*rows, strict=True))


def _projected(kind: Kind, writes: Sequence[Write]) -> list[list[object]]:
    def values(column: Column) -> list[object]:
        return [column.value(write.aggregate.state) for write in writes]

    return [values(column) for column in kind.columns]


def _envelope(unit: "Unit", envelope: Envelope) -> list[object]:
    parameters: list[object] = []
    if envelope.audit:
        names = [*unit.touched, *(f"{w.aggregate.name}@{w.seen + 1}" for _, w in unit.writes.values())]
        parameters += [new_uuid(), envelope.principal, envelope.method, names]
        parameters += [envelope.digest, envelope.request, envelope.trace]
    if envelope.claim is not None:
        parameters += [envelope.claim.principal, envelope.claim.request_id, envelope.response]
    return parameters
