"""Every method, kind and comment of the contracts, and how a request of any method is sent: what promises are tested over."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from google.api import field_behavior_pb2 as behavior
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh import member
from revops_mesh.contracts.model import Contract, read
from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival, Event
from revops_mesh.kernel.contract import Method, described, facts, methods_of
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.kinds import Kind, kind_of
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id, new_uuid
from tests.world import ENTERPRISE, Caller, World

Door = Callable[[Caller, Method, Message], Awaitable[list[Message]]]

ROOT = Path(__file__).parents[2]
METHODS: tuple[Method, ...] = tuple(method for module in member.MODULES for method in methods_of(module.service))
KINDS: tuple[Kind, ...] = tuple(
    sorted({kind_of(kind.state_type) for module in member.MODULES for kind in module.aggregates}, key=lambda kind: kind.sql)
)
SLOWEST = 10.0
"""Seconds after which a call counts as hanging."""
PATIENCE = 1.0
"""Seconds after which a reader leaves a stream that goes on."""


@cache
def contract() -> Contract:
    """The contracts with their comments, as generated; the classes of all their messages are loaded."""
    # Values that a pure core computes with may be in the contract before a served message holds them.
    for types in sorted((ROOT / "generated" / "revops" / "type" / "v1").glob("*_pb2.py")):
        import_module(f"revops.type.v1.{types.stem}")
    return read((ROOT / "generated" / "contract.binpb").read_bytes())


def each(wanted: Callable[[Method], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Runs a test once for every method that is wanted; its id is the method's full name."""
    chosen = [method for method in METHODS if wanted(method)]
    return pytest.mark.parametrize("method", chosen, ids=[method.full_name for method in chosen])


def public(method: Method) -> bool:
    """Callers may call it."""
    return not method.internal


def guarded(method: Method) -> bool:
    """A permission opens it."""
    return bool(method.policy.permission)


def writes(method: Method) -> bool:
    """Callers may change something with it."""
    return public(method) and not method.reads


def rowless(method: Method) -> bool:
    """It is about the credentials of whoever calls, or the same for all, and touches no row but its audit entry and replay."""
    return bool(method.policy.authenticated or method.policy.anonymous)


def of_installation(method: Method) -> bool:
    """Works on what the installation owns."""
    return bool(method.policy.scope == options.SCOPE_PLATFORM)


def inside(message: type[Message]) -> Iterator[tuple[str, FieldDescriptor]]:
    """Every field of a message type at any depth with its path, as in `quote.lines.cost`; recursion is not followed."""

    def walk(descriptor: Any, prefix: str, above: tuple[str, ...]) -> Iterator[tuple[str, FieldDescriptor]]:
        for field in descriptor.fields:
            yield prefix + field.name, field
            inner = field.message_type
            if inner is not None and inner.full_name.startswith("revops.") and inner.full_name not in above:
                yield from walk(inner, f"{prefix}{field.name}.", (*above, inner.full_name))

    yield from walk(described(message), "", (described(message).full_name,))


def settable(message: type[Message]) -> Iterator[tuple[str, FieldDescriptor]]:
    """The fields of a request that its sender decides on."""
    closed: list[str] = []
    for path, field in inside(message):
        if any(path.startswith(f"{each}.") for each in closed):
            continue
        if is_output_only(field):
            closed.append(path)
        else:
            yield path, field


def is_output_only(field: FieldDescriptor) -> bool:
    """Whether the server alone sets a field (AIP-203)."""
    return behavior.OUTPUT_ONLY in field.GetOptions().Extensions[behavior.field_behavior]


def values(message: Message, path: str) -> list[Any]:
    """What is set at a path, one value for each element on the way; absent messages have none."""
    head, _, rest = path.partition(".")
    field = described(message).fields_by_name[head]
    if field.message_type is not None and not field.is_repeated and not message.HasField(head):
        return []
    found = list(getattr(message, head)) if field.is_repeated else [getattr(message, head)]
    return [value for each in found for value in values(each, rest)] if rest else found


def set_sensitive(message: Message, wanted: Iterable[int]) -> list[str]:
    """Values of the fields of these data classes, as text."""
    found: list[str] = []
    for path, field in inside(type(message)):
        if facts(field).data_class in set(wanted):
            found += [value.hex() if isinstance(value, bytes) else str(value) for value in values(message, path) if value]
    return found


async def owner_of(world: World, method: Method, edition: int = ENTERPRISE, tenant: Any = None) -> Caller:
    """Somebody who may call a method, in a tenant of their own; for the installation's methods one of its administrators."""
    sub = f"users/{new_id()}"
    if of_installation(method):
        return await world.caller("platform-admin", tenant=PLATFORM_TENANT, sub=sub)
    return await world.caller("admin", tenant=tenant or await world.tenant(edition), sub=sub)


_doors: list[tuple[Door, Counter[str]]] = []


@contextlib.contextmanager
def through(door: Door) -> Iterator[Counter[str]]:
    """Has public methods called through another door inside the block; gives how often each was, by full name."""
    _doors.append((door, Counter()))
    try:
        yield _doors[-1][1]
    finally:
        _doors.pop()


async def send(caller: Caller, method: Method, request: Message, kernel: Any = None) -> list[Message]:
    """Calls a method whatever its shape and gives its answers: one, or what a stream gave until its end.

    An internal method is called as its event or timer would, in the caller's tenant. Requests are copied: the pipeline
    clears what callers cannot set. A stream that goes on is left after a second.
    """
    kernel, copy = kernel or caller.world.kernel, type(request)()
    copy.CopyFrom(request)
    async with asyncio.timeout(SLOWEST):
        if _doors and not method.internal and kernel is caller.world.kernel:
            door, sent = _doors[-1]
            sent[method.full_name] += 1
            return await door(caller, method, copy)
        if method.internal:
            now, subject = clock.now(), str(next((value for _, value in copy.ListFields()), ""))
            event = Event(new_uuid(), subject, (1, 0), now)
            await kernel.react(method, copy, caller.tenant, Arrival({}, request_id=new_uuid(), event=event))
            return []
        if method.streams:
            return await _until_it_rests(kernel.stream(method.path, copy, caller.arrival()))
        return [await kernel.answer(method.path, copy, caller.arrival())]


async def attempt(caller: Caller, method: Method, request: Message, kernel: Any = None) -> list[Message] | Failure:
    """The answers of a call, or its refusal."""
    try:
        return await send(caller, method, request, kernel)
    except Failure as failure:
        return failure


async def refusal(caller: Caller, method: Method, request: Message) -> Failure:
    """The refusal of a call; fails if it is answered."""
    outcome = await attempt(caller, method, request)
    assert isinstance(outcome, Failure), f"{method.full_name} was answered: {outcome}"
    return outcome


async def _until_it_rests(stream: AsyncGenerator[Message, None]) -> list[Message]:
    found: list[Message] = []
    async with aclosing(stream):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                async for item in stream:
                    found.append(item)
    return found


_tables: dict[str, list[str]] = {}


async def tables(world: World) -> list[str]:
    """Every table that has rows of tenants, asked once of a database: none of these tests changes its schema."""
    if world.dsn not in _tables:
        _tables[world.dsn] = await _asked(world)
    return _tables[world.dsn]


async def _asked(world: World) -> list[str]:
    rows = await world.owner.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid=c.oid"
        " WHERE c.relkind='r' AND a.attname='tenant_id' AND NOT a.attisdropped"
        " AND c.relnamespace::regnamespace::text NOT LIKE 'pg%' ORDER BY 1"
    )
    return [row["name"] for row in rows]


Snapshot = Mapping[str, tuple[str, ...]]
"""The rows of a tenant as text, by table."""


async def snapshot(world: World, tenant: Any) -> Snapshot:
    """Everything that is stored of a tenant: equal snapshots mean that nothing was written."""
    union = " UNION ALL ".join(
        f"SELECT '{name}' AS name, array_agg(t::text ORDER BY t::text) AS rows FROM {name} t WHERE tenant_id=$1"
        for name in await tables(world)
    )
    return {row["name"]: tuple(row["rows"] or ()) for row in await world.owner.fetch(union, tenant)}


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The tables in which two snapshots differ."""
    return sorted(name for name in before if before[name] != after[name])


async def restore(world: World, tenant: Any, before: Snapshot) -> None:
    """Puts a tenant's rows back to where they were."""
    for name in changed(before, await snapshot(world, tenant)):
        await world.owner.execute(f"DELETE FROM {name} WHERE tenant_id=$1", tenant)
        await world.owner.execute(f"INSERT INTO {name} SELECT (r::{name}).* FROM unnest($1::text[]) r", list(before[name]))


METADATA = re.compile(r"Metadata: (.*?)\.(?:\s|$)")


@cache
def documented_metadata(reason: str) -> tuple[frozenset[str], frozenset[str]]:
    """The keys that every refusal for a reason has, and those that some have ("`field` when …"), by its comment."""
    reasons = (value for enum in contract().enums.values() if enum.is_reason for value in enum.values)
    comments = [value.comment for value in reasons if value.name == reason]
    assert len(comments) == 1, f"{reason} is declared {len(comments)} times"
    found = METADATA.search(comments[0])
    assert found is not None, f"{reason} documents no metadata"
    always, sometimes = set[str](), set[str]()
    for clause in re.split(r";|, and ", found[1]):
        keys = re.findall(r"`([a-z_]+)`", clause)
        (sometimes if re.search(r"\b(if|when|where|unless)\b", clause) else always).update(keys)
    return frozenset(always), frozenset(sometimes)


@cache
def documented_reasons(method: str) -> frozenset[str]:
    """The reasons that a method's comment names."""
    known = {value.name for enum in contract().enums.values() if enum.is_reason for value in enum.values}
    comment = next(m.comment for m in contract().methods if m.full_name == method)
    return frozenset(known & set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", comment)))
