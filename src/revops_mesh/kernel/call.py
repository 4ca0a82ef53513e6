"""One request under way: by whom, under which policy, inside which unit of work.

Handlers do all input and output through their `Call`; nothing else reaches the store or another module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from . import statements, walk
from .aggregate import Aggregate
from .contract import Method
from .errors import Broken, not_found, refuse, stale
from .kinds import kind_of
from .principal import Principal
from .unit import Unit

if TYPE_CHECKING:
    from .pipeline import Kernel

A = TypeVar("A", bound=Aggregate[Any])
R = TypeVar("R", bound=Message)


@dataclass(frozen=True, slots=True)
class Event:
    """Where an event came from; copies of its facts are kept only where they are older than `sequence`."""

    id: UUID
    subject: str
    """The aggregate's resource name."""
    sequence: tuple[int, int]
    """Revision of the aggregate and position in it."""
    time: datetime


@dataclass(slots=True)
class Arrival:
    """What a door knows of a request: metadata in lower case, and for events and timers their own principal."""

    metadata: Mapping[str, str]
    peer: str = ""
    program: str = ""
    """SPIFFE ID that the certificate of the connection proves, "" if none."""
    principal: Principal | None = None
    request_id: UUID | None = None
    event: Event | None = None
    granted: bool = False
    """Admitted on the grant of another module's contract rather than on a permission."""
    deadline: float | None = None
    """Monotonic seconds at which the door itself cancels the call; else the kernel does after 30 s."""


@dataclass(slots=True)
class Call:
    """A request under way. The pipeline fills it in from stage to stage."""

    kernel: "Kernel"
    method: Method
    arrival: Arrival
    now: datetime
    trace: str = ""
    """W3C traceparent, "" if none."""
    _principal: Principal | None = None
    _unit: Unit | None = None
    request_id: UUID | None = None
    reserved: Sequence[Message] = ()
    """Answers of the reservations that the method's preparation asked for, in order."""
    granted: bool = False
    """Asked by another module on its own grant: answers are not masked."""
    deadline: float = 0.0
    """Monotonic seconds at which it is cancelled, by the door or by the kernel."""
    answered: Message | None = None
    """In a stream of requests: what the one before was answered, None in the first."""
    again: float = 0.0
    """A reading handler that waits for something sets it: the seconds after which it is asked once more, in a new unit."""

    @property
    def principal(self) -> Principal:
        """Who calls; `Broken` before the identity is known."""
        if self._principal is None:
            raise Broken(f"{self.method.full_name} has no principal")
        return self._principal

    @property
    def unit(self) -> Unit:
        """The transaction; `Broken` outside it."""
        if self._unit is None:
            raise Broken(f"{self.method.full_name} has no unit of work")
        return self._unit

    @property
    def tenant(self) -> UUID:
        """The caller's tenant."""
        return self.principal.tenant

    @property
    def event(self) -> Event:
        """The event that a reaction reacts to."""
        if self.arrival.event is None:
            raise Broken(f"{self.method.full_name} was not called by an event")
        return self.arrival.event

    def can(self, permission: str) -> bool:
        """Whether the caller has a permission."""
        return self.granted or permission in self.principal.permissions

    def hidden(self, kind: type[Aggregate[Any]]) -> frozenset[str]:
        """Fields of a resource that the caller may neither read nor write."""
        return frozenset() if self.granted else walk.hidden(kind.state_type, self.principal.permissions)

    def repo(self, kind: type[A]) -> "Repository[A]":
        """The aggregates of one kind."""
        return Repository(self, kind)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Any]:
        """Rows of a named statement from `queries.py`; its `$1` is the tenant and its arguments start at `$2`."""
        return await self.unit.fetch(sql, *arguments)

    async def next_number(self, series: str) -> int:
        """The next of the tenant's series without gaps, from 1."""
        return await self.unit.next_number(series)

    def append(self, row: Message) -> None:
        """Adds a ledger row."""
        self.unit.append(kind_of(type(row)), row)

    def schedule(self, due: datetime, request: Message, lane: str = "") -> None:
        """Has an internal rpc called at an instant; the request's type says which. Of the errands of one lane few run at once."""
        if not self.kernel.by_request(request).internal:
            raise Broken(f"{request.DESCRIPTOR.full_name} is not the request of an internal rpc")
        self.unit.timers.append((due, request, lane))

    def unchanged(self, aggregate: Aggregate[Any]) -> None:
        """Refuses the commit with ETAG_MISMATCH if an aggregate that was only read has changed meanwhile."""
        kind = kind_of(type(aggregate.state))
        self.unit.watched[kind.full_name, aggregate.name] = (kind, aggregate.name, aggregate.revision)

    async def ask(self, request: Message, response: type[R]) -> R:
        """What another module answers to a reading request; the request's type says which method.

        The caller's contract must declare it; the answer is not masked and must not be changed.
        """
        if self.unit.flushed:
            raise Broken(f"{self.method.full_name} asks after it wrote")
        answer = await self.kernel.ask(self, request)
        if not isinstance(answer, response):
            raise Broken(f"{request.DESCRIPTOR.full_name} is answered with {answer.DESCRIPTOR.full_name}")
        return answer


class Repository(Generic[A]):
    """The stored aggregates of one kind, of the caller's tenant and, for a partner, of the partner."""

    __slots__ = ("_call", "_kind", "_type", "_unit")

    def __init__(self, call: Call, kind: type[A]) -> None:
        self._call, self._type, self._unit, self._kind = call, kind, call.unit, kind_of(kind.state_type)

    def name(self, resource_id: str = "", *, parent: str = "") -> str:
        """A resource name from the caller's id, or with a new id if it is empty."""
        return self._kind.pattern.name(resource_id, parent)

    async def get(self, name: str, etag: str = "", *, lock: bool = False) -> A:
        """The aggregate; refused with RESOURCE_NOT_FOUND, or ETAG_MISMATCH if `etag` is set and is not the current one.

        `lock` holds the row until the end of the unit.
        """
        found = await self.find(name, lock=lock)
        if found is None:
            raise not_found(name)
        if etag and etag != str(found.revision):
            raise stale(name)
        return found

    async def find(self, name: str, *, lock: bool = False) -> A | None:
        """The aggregate, or None."""
        known: A | None = self._unit.known.get((self._kind.full_name, name))  # type: ignore[assignment]
        if known is not None and not lock:
            return known
        sql = statements.select_one(self._kind, partner=bool(self._partner), lock=lock)
        row = await self._unit.connection.fetchrow(sql, self._unit.tenant, name, *self._partner)
        return self._loaded(row) if row is not None else None

    async def get_many(self, names: Sequence[str]) -> dict[str, A]:
        """The aggregates that exist, by name."""
        sql = statements.select_many(self._kind, partner=bool(self._partner))
        rows = await self._unit.fetch(sql, list(names), *self._partner)
        return {found.name: found for found in map(self._loaded, rows)}

    async def select(self, where: str, parameters: Sequence[object], order: str = "name", limit: int = 1000) -> list[A]:
        """Up to `limit` live aggregates; `where` and `order` are SQL over columns, its parameters start at `$2`."""
        arguments = [*parameters, *self._partner]
        sql = statements.select_where(self._kind, where, order, limit, len(arguments) + 1 if self._partner else None)
        return [self._loaded(row) for row in await self._unit.fetch(sql, *arguments)]

    async def add(self, aggregate: A) -> A:
        """Collects a new aggregate; a partner's gets its partner. Refused at the flush with RESOURCE_EXISTS, LIMIT_REACHED."""
        scope = self._kind.partner
        if scope is not None and self._call.principal.partner:
            setattr(aggregate.state, scope.name, self._call.principal.partner)
        self._unit.write(self._kind, aggregate)
        return aggregate

    async def save(self, aggregate: A) -> A:
        """Collects a changed aggregate. Refused at the flush with ETAG_MISMATCH if it changed since it was read."""
        scope, partner = self._kind.partner, self._call.principal.partner
        if scope is not None and partner and getattr(aggregate.state, scope.name) != partner:
            raise refuse(platform.FIELD_INVALID, "{field} cannot be changed by a partner.", field=scope.name)
        self._unit.write(self._kind, aggregate)
        return aggregate

    async def delete(self, aggregate: A) -> None:
        """Collects a deletion; a tombstone keeps the name from being used again."""
        self._unit.write(self._kind, aggregate, gone=True)

    @property
    def _partner(self) -> tuple[str, ...]:
        partner = self._call.principal.partner
        return (partner,) if partner and self._kind.partner is not None else ()

    def _loaded(self, row: Any) -> A:
        state: Any = self._kind.message.FromString(row["body"])
        known: A | None = self._unit.known.get((self._kind.full_name, state.name))  # type: ignore[assignment]
        if known is not None and known.revision == row["revision"]:
            return known
        state.etag = str(row["revision"])
        loaded = self._type(state, row["revision"])
        self._unit.known[self._kind.full_name, state.name] = loaded
        return loaded
