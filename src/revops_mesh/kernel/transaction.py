"""The innermost stage: one unit of work around the handler, replayed, retried and committed by these rules.

A repeated request id is answered from the replay table. Deadlocks and serialisation failures run the handler again, at most
twice. From the flush on a cancelled call is still finished, so that it is never half done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import asyncpg
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from . import walk
from .call import Arrival, Call
from .collection import Cap, Envelope
from .contract import Method
from .errors import Broken
from .names import derived, new_uuid
from .pools import Pool
from .statements import Claim
from .unit import Unit

if TYPE_CHECKING:
    from .pipeline import Kernel

ATTEMPTS = 3
REPLAY_DAYS, SERVICE_REPLAY_DAYS = 7, 400
LARGEST_AUDITED_REQUEST = 16 * 1024

Handler = Callable[[Message, Call], Awaitable[Message]]


class Opened:
    """A unit on a connection of its own, for a block; what the block did not commit is rolled back."""

    __slots__ = ("_call", "_pool", "_unit")

    def __init__(self, call: Call, kernel: "Kernel", *, read_only: bool) -> None:
        platform = call.method.policy.scope == options.SCOPE_PLATFORM
        self._pool: Pool = kernel.pools.platform if platform else kernel.pools.app
        self._call, principal = call, call.principal
        cap = Cap(principal.edition, principal.epoch)
        self._unit = Unit(None, principal.tenant, principal.partner, call.now, cap, read_only, call.method.emits)

    async def __aenter__(self) -> Unit:
        unit = self._unit
        unit.connection = await self._pool.take(unit.tenant)
        self._call._unit = unit
        if unit.read_only:
            try:
                await unit.begin(None)
            except BaseException:
                await asyncio.shield(_abandon(self._pool, unit))
                raise
        return unit

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        unit, self._call._unit = self._unit, None
        if kind is None and unit.read_only:
            try:
                await unit.commit()
            except BaseException:
                await asyncio.shield(_abandon(self._pool, unit))
                raise
        elif kind is not None:
            await asyncio.shield(_abandon(self._pool, unit))
            return
        self._pool.give(unit.connection)


async def _abandon(pool: Pool, unit: Unit) -> None:
    """Gives a connection back after a failure, with its transaction undone."""
    try:
        if not unit.connection.is_closed():
            await unit.rollback()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        unit.connection.terminate()
    finally:
        pool.give(unit.connection)


def transact(method: Method, kernel: "Kernel", handler: Handler, prepare: Callable[..., Any] | None) -> Handler:
    """The stage of one method. What is open to anyone has no tenant, and so no unit."""
    if method.policy.anonymous:
        return handler
    if method.reads:

        async def read(request: Message, call: Call) -> Message:
            while True:
                call.again = 0.0
                async with Opened(call, kernel, read_only=True):
                    response = await handler(request, call)
                if not call.again:
                    return _masked(response, call)
                await asyncio.sleep(call.again)

        return read

    async def write(request: Message, call: Call) -> Message:
        if prepare is not None:
            await _reserve(request, call, kernel, prepare)
        for attempt in range(ATTEMPTS):
            try:
                return _masked(await _write_once(request, call, kernel, handler), call)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    return write


async def _write_once(request: Message, call: Call, kernel: "Kernel", handler: Handler) -> Message:
    method = call.method
    preview = method.has_validate_only and request.validate_only  # type: ignore[attr-defined]
    digest = walk.digest(method.full_name, request)
    claim = None
    if call.request_id is not None and not preview:
        days = SERVICE_REPLAY_DAYS if call.principal.service else REPLAY_DAYS
        claim = Claim(call.principal.id, call.request_id, digest, days)
    async with Opened(call, kernel, read_only=False) as unit:
        if not await unit.begin(claim) and claim is not None:
            answer = method.response.FromString(await unit.answered(claim))
            await unit.rollback()
            return answer
        response = await handler(request, call)
        audit = method.policy.audit == options.AUDIT_WRITE
        envelope = Envelope(
            call.principal.name,
            method.full_name,
            digest,
            _audited(request) if audit else b"",
            call.trace,
            claim,
            b"",
            audit,
        )
        finishing = asyncio.ensure_future(_finish(unit, envelope, response, preview=preview))
        try:
            await asyncio.shield(finishing)
        except asyncio.CancelledError:
            await asyncio.wait([finishing])
            raise
        return response


async def _finish(unit: Unit, envelope: Envelope, response: Message, *, preview: bool) -> None:
    if envelope.claim is not None:
        unit.seal()
        envelope.response = _stored(response)
    await unit.flush(envelope)
    await (unit.rollback() if preview else unit.commit())


def _stored(response: Message) -> bytes:
    """The answer as it is kept for replay: unmasked, without secrets."""
    if (strip := walk.without_secrets(type(response))) is not None:
        copy = type(response)()
        copy.CopyFrom(response)
        strip(copy)
        response = copy
    return response.SerializeToString()


def _audited(request: Message) -> bytes:
    """The request as audit may keep it: without personal and secret fields, and empty above 16 KB."""
    if (strip := walk.without_sensitive(type(request))) is not None:
        copy = type(request)()
        copy.CopyFrom(request)
        strip(copy)
        request = copy
    kept = request.SerializeToString()
    return kept if len(kept) <= LARGEST_AUDITED_REQUEST else b""


def _masked(response: Message, call: Call) -> Message:
    permissions = call.principal.permissions
    if not call.granted and not call.method.internal and not call.kernel.guarded <= permissions:
        walk.mask(response, permissions)
    return response


async def _reserve(request: Message, call: Call, kernel: "Kernel", prepare: Callable[..., Any]) -> None:
    """Makes the reservations that the preparation wants, each in a transaction of its own, before the method's begins."""
    async with Opened(call, kernel, read_only=True):
        wanted = await prepare(request, call)
    seed, reserved = call.request_id or new_uuid(), []
    for position, each in enumerate(wanted):
        target = kernel.by_request(each)
        if target.full_name not in call.method.policy.reserves:
            raise Broken(f"{call.method.full_name} does not declare that it reserves with {target.full_name}")
        request_id = derived(seed, target.full_name, position)
        if kernel.peers is not None and target.path not in kernel.methods:
            reserved.append(await kernel.peers.answer(call, target, each, request_id))
            continue
        arrival = Arrival(
            call.arrival.metadata, call.arrival.peer, principal=call.principal, request_id=request_id, granted=True,
            deadline=call.deadline,
        )  # fmt: skip
        reserved.append(await kernel.answer(target.path, each, arrival))
    call.reserved = reserved
