"""What a call records is declared by its contract: nothing else is published, and everything that is declared happens."""

import asyncio
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from revops.options.v1 import options_pb2 as options

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival, Event
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.messaging import envelope
from tests.contract.methods import METHODS, Method, attempt, contract, each, owner_of, send, snapshot
from tests.contract.stories import STORIES
from tests.world import World

UNDECLARED = Timestamp(seconds=1)
"""An event that no contract declares."""


class Recording:
    """An implementation that also records an undeclared event on whatever it writes: the fault that must not pass."""

    def __init__(self, implementation: object, fired: list[str]) -> None:
        self._implementation, self._fired = implementation, fired

    def __getattr__(self, name: str) -> Any:
        handler = getattr(self._implementation, name)

        async def recording(request: Any, call: Any, *cursor: Any) -> Any:
            answer = await handler(request, call, *cursor)
            for _, write in call.unit.writes.values():
                write.aggregate.record(UNDECLARED)
                self._fired.append(call.method.full_name)
            return answer

        return handler if name.startswith("Prepare") else recording


async def recorded(world: World, tenant: Any) -> dict[Any, str]:
    """The events of a tenant that wait to be published: type by id."""
    rows = await world.owner.fetch("SELECT id, type FROM kernel.outbox WHERE tenant_id=$1", tenant)
    return {row["id"]: row["type"] for row in rows}


@each(lambda method: not method.reads)
async def test_a_call_records_what_its_contract_declares(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    before = await recorded(world, owner.tenant)
    await send(owner, method, request)
    after = await recorded(world, owner.tenant)
    assert {type_ for event, type_ in after.items() if event not in before} == method.emits


@pytest.fixture(scope="module")
def seeded(world: World) -> tuple[Kernel, list[str]]:
    """A kernel with the fault in every implementation, and the methods in which it happened."""
    fired: list[str] = []
    modules = [Module(m.service, Recording(m.implementation, fired), m.aggregates) for m in world.kernel.modules]
    known = {"secrets": world.kernel.secrets, "permissions": world.kernel.permissions, "events": world.kernel.events}
    return Kernel(modules, world.pools, world.kernel.authenticator, **known), fired  # type: ignore[arg-type]


@each(lambda method: not method.reads)
async def test_an_undeclared_event_is_a_fault_that_leaves_nothing(
    method: Method, world: World, seeded: tuple[Kernel, list[str]]
) -> None:
    kernel, fired = seeded
    fired.clear()
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    before = await snapshot(world, owner.tenant)
    outcome = await attempt(owner, method, request, kernel)
    assert set(fired) <= {method.full_name}
    assert isinstance(outcome, Failure) == bool(fired), "the event was recorded and nobody noticed"
    if isinstance(outcome, Failure):
        assert outcome.reason == "FAULT"
        assert "Timestamp" not in str(outcome)
        assert await snapshot(world, owner.tenant) == before


@pytest.mark.parametrize("event", sorted({event for method in METHODS for event in method.emits}))
def test_an_event_names_its_resource_first(event: str) -> None:
    first = contract().messages[event].fields[0]
    assert (first.kind, first.repeated) == ("string", False)


def test_whoever_listens_takes_an_event_that_somebody_emits() -> None:
    emitted = {event for method in METHODS for event in method.emits}
    heard = {m.request.DESCRIPTOR.full_name for m in METHODS if m.internal and not m.request.__name__.endswith("Request")}
    assert heard - {envelope.EVERY} <= emitted


@each(lambda method: method.internal)
async def test_an_event_that_comes_twice_has_one_effect(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    delivery = new_uuid()
    subject = str(next(value for _, value in request.ListFields()))

    def arrival() -> Arrival:
        return Arrival({}, request_id=delivery, event=Event(delivery, subject, (1, 0), clock.now()))

    await asyncio.gather(*(world.kernel.react(method, request, owner.tenant, arrival()) for _ in range(3)))
    after = await snapshot(world, owner.tenant)
    await world.kernel.react(method, request, owner.tenant, arrival())
    assert await snapshot(world, owner.tenant) == after
    entries = "SELECT count(*) FROM kernel.audit WHERE tenant_id=$1 AND method=$2"
    audited = method.policy.audit == options.AUDIT_WRITE
    assert await world.owner.fetchval(entries, owner.tenant, method.full_name) == int(audited)
