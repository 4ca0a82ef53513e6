"""The path of every request, assembled once per method from its contract.

    observe → cap → identify → limit → authorize → shape → transact → handler

Each stage is a function that wraps the next; a stage that a method does not need is not there. Streams run the stages up to
`shape` once and then a read unit per batch; a stream of requests runs them all for each. Doors (gRPC, REST, reactions, tests)
call `Kernel.answer`, `Kernel.stream` or `Kernel.intake`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from types import MappingProxyType
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from . import clock, observe, walk
from .call import Arrival, Call
from .contract import Method, patterns_of
from .errors import BadField, Broken, Failure, invalid, refuse
from .limiter import Limiter
from .modules import Module, Served
from .names import derived, new_uuid
from .peers import Peers
from .pools import LoginPools
from .principal import Authenticator
from .refusals import Refusals
from .shape import checker
from .stages import STAGES, Layer, permitted
from .transaction import Opened, transact
from .unit import Unit

LONGEST_SECONDS = 30.0
POLL_SECONDS = 0.25

_log = logging.getLogger("revops.kernel")


class Kernel(Served):
    """The composed pipelines of all methods that this process serves."""

    def __init__(
        self,
        modules: Sequence[Module],
        pools: LoginPools,
        authenticator: Authenticator,
        *,
        limiter: Limiter | None = None,
        observer: observe.Observer | None = None,
        secrets: Sequence[bytes] = (),
        permissions: frozenset[str] = frozenset(),
        contract: Iterable[Method] = (),
        peers: Peers | None = None,
        events: Mapping[str, Method] = MappingProxyType({}),
        networks: Collection[IPv4Network | IPv6Network] = (),
    ) -> None:
        """`secrets` sign page tokens: the first signs, all verify. Raises `Broken` when a contract or a module is incomplete.

        `permissions`, `contract` and `events` are the whole installation's, also of what `peers` serve.
        """
        super().__init__(modules, peers is not None)
        self.pools, self.authenticator, self.peers = pools, authenticator, peers
        self.limiter = limiter or Limiter()
        self.observer = observer or observe.Observer()
        self.secrets = tuple(secrets)
        self.permissions = permissions
        """Every permission of the installation, also of what this process does not serve."""
        self.events = events
        """Every event of the installation by full name, with the permission to get the resource that it is about."""
        self.networks = networks
        """Networks that are not public and yet may be reached by what tenants name, as receivers of webhooks."""
        self.refusals = Refusals(pools.app)
        patterns = patterns_of((*self.methods.values(), *contract))
        self.guarded = frozenset[str]().union(*(walk.read_permissions(m.response) for m in self.methods.values()))
        """Every permission that some field of some answer needs to be read: who has them all sees all."""
        self._checks = {path: checker(method, patterns) for path, method in self.methods.items()}
        self._layers = {p: self._compose(m, self._terminal(m)) for p, m in self.methods.items()}
        ends = ((self.methods[path], end) for path, end in self._endings.items())
        self._ends = {m.path: self._compose(m, transact(m, self, end, None)) for m, end in ends}

    def _terminal(self, method: Method) -> Layer:
        if method.streams:
            return _admitted
        return transact(method, self, self._handlers[method.path], self._preparations.get(method.path))

    def _compose(self, method: Method, inner: Layer) -> Layer:
        for stage in reversed(STAGES):
            inner = stage(method, self, inner)
        return inner

    def call(self, method: Method, request: Message, arrival: Arrival) -> Call:
        """The call of a request that has just arrived."""
        sent: str = request.request_id if method.has_request_id else ""  # type: ignore[attr-defined]
        call = Call(self, method, arrival, clock.now(), arrival.metadata.get("traceparent", ""), arrival.principal)
        call.request_id = _uuid(sent) if sent else arrival.request_id
        call.granted = arrival.granted
        call.deadline = monotonic() + LONGEST_SECONDS if arrival.deadline is None else arrival.deadline
        return call

    async def answer(self, path: str, request: Message, arrival: Arrival) -> Message:
        """The answer of a unary method; every refusal is a `Failure`."""
        return await self._bounded(self._layers[path], request, self.call(self.methods[path], request, arrival))

    async def _bounded(self, layer: Layer, request: Message, call: Call) -> Message:
        if call.arrival.deadline is not None:
            return await layer(request, call)
        # As asyncio.timeout does, at a quarter of its cost.
        task, late = asyncio.current_task(), []
        assert task is not None
        before = task.cancelling()
        timer = asyncio.get_running_loop().call_later(LONGEST_SECONDS, lambda: late.append(task.cancel()))
        try:
            return await layer(request, call)
        except asyncio.CancelledError:
            if late and task.uncancel() <= before:
                raise self.failure(TimeoutError(), call) from None
            raise
        finally:
            timer.cancel()

    async def intake(self, path: str, requests: AsyncIterator[Message], arrival: Arrival) -> Message:
        """The answer to a stream of requests. Each is a call of its own, committed before the next is taken, and so is the end.

        The handler takes each request and finds in `call.answered` what the one before was answered; `Finish…` takes the first
        once more and gives the answer to the whole. Whoever sends the stream again with the `request_id` of its first request
        goes on where it was cut off, for what was taken is only replayed.
        """
        method, first, answered, count = self.methods[path], None, None, 0
        stream = new_uuid()
        async for request in requests:
            call = self.call(method, request, arrival)
            if first is None:
                first, stream = request, call.request_id or stream
            call.request_id, call.answered = derived(stream, count), answered
            answered, count = await self._bounded(self._layers[path], request, call), count + 1
        if first is None:
            raise invalid([("", "The stream has no request.")])
        call = self.call(method, first, arrival)
        call.request_id, call.answered = derived(stream, "end"), answered
        return await self._bounded(self._ends[path], first, call)

    async def stream(self, path: str, request: Message, arrival: Arrival) -> AsyncIterator[Message]:
        """The answers of a streaming method. It holds no transaction; token and permission are checked before each batch.

        The handler takes (request, call, cursor) and gives a batch and the next cursor, None at the end.
        """
        method, handler = self.methods[path], self._handlers[path]
        call = self.call(method, request, arrival)
        await self._layers[path](request, call)
        principal, cursor = call.principal, ""
        self.limiter.enter_tenant(principal.tenant, stream=True)
        try:
            while True:
                try:
                    call = self.call(method, request, arrival)
                    call._principal = arrival.principal or await self.authenticator.principal(arrival)
                    permitted(method, call)
                    async with Opened(call, self, read_only=True):
                        batch, cursor = await handler(request, call, cursor)
                except Exception as error:
                    raise self.failure(error, call) from None
                for item in batch:
                    walk.mask(item, call.principal.permissions)
                    yield item
                if cursor is None:
                    return
                if not batch:
                    await asyncio.sleep(POLL_SECONDS)
        finally:
            self.limiter.leave_tenant(principal.tenant, stream=True)

    async def ask(self, call: Call, request: Message) -> Message:
        """Another module's answer on the grant of the caller's contract, read on the caller's connection or by a peer."""
        method = self.by_request(request)
        if method.full_name not in call.method.asks or not method.reads:
            raise Broken(f"{call.method.full_name} does not declare that it asks {method.full_name}")
        if self.peers is not None and method.path not in self.methods:
            return await self.peers.answer(call, method, request)
        child = Call(self, method, call.arrival, call.now, call.trace, call.principal, granted=True, deadline=call.deadline)
        unit = call.unit
        child._unit = Unit(unit.connection, unit.tenant, unit.partner, unit.now, unit.cap, read_only=True)
        self._checks[method.path](request, call.principal.permissions)
        try:
            answer: Message = await self._handlers[method.path](request, child)
        except BadField as wrong:  # as a peer's refusal would be
            raise invalid([(wrong.field, wrong.description)]) from None
        return answer

    async def react(self, method: Method, request: Message, tenant: UUID, arrival: Arrival) -> None:
        """Runs an internal method for an event or a timer, once per `arrival.request_id` however often it is delivered."""
        arrival.principal = await self.authenticator.service(method.capability, tenant)
        await self.answer(method.path, request, arrival)

    @asynccontextmanager
    async def reading(self, path: str, tenant: UUID) -> AsyncIterator[Call]:
        """A unit that only reads, for what an errand or an interest has to know; as the service of an internal method."""
        method = self.methods[path]
        call = Call(self, method, Arrival({}), clock.now(), "", await self.authenticator.service(method.capability, tenant))
        async with Opened(call, self, read_only=True):
            yield call

    def failure(self, error: BaseException, call: Call) -> Failure:
        """The refusal that an error becomes; a fault of ours is logged whole and answered without its text."""
        if isinstance(error, Failure):
            return error
        if isinstance(error, BadField):
            return invalid([(error.field, error.description)])
        if isinstance(error, TimeoutError):
            return refuse(platform.DEADLINE_PASSED, "The call took longer than it may: repeat it with the same request_id.")
        if isinstance(error, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
            return refuse(platform.CONTENDED, "Another call holds what this one needs: repeat it.").retry(0.1)
        if isinstance(error, _UNAVAILABLE) or _lost(error):
            return refuse(platform.STORE_UNAVAILABLE, "The store does not answer: repeat the call.").retry(1.0)
        correlation = new_uuid().hex
        _log.error("fault %s in %s", correlation, call.method.full_name, exc_info=error)
        return refuse(platform.FAULT, "A fault of ours; quote {correlation}.", correlation=correlation)


_UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,
)
"""What the driver raises when the store dies in the middle of a statement, refuses work or is out of reach."""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None  # the shape refuses it with the name of the field


async def _admitted(request: Message, call: Call) -> Message:
    return request


def _lost(error: BaseException) -> bool:
    """Whether the driver says that its connection is closed; its errors about values are no such thing."""
    return isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError) and "clos" in str(error)
