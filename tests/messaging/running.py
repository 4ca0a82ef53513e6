"""Workers under test: started for a block, awaited by their effects, reconciled with what callers were told."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api

from revops_mesh.messaging import envelope
from revops_mesh.messaging.stream import NAME, Stream
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld
from tests.world import Caller


@asynccontextmanager
async def running(*workers: Any) -> AsyncIterator[None]:
    """Runs workers during the block; an error of one ends the test."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


async def eventually(condition: Callable[[], Awaitable[Any] | Any], seconds: float = 20) -> Any:
    """Waits until the condition gives something true, and gives it."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = condition()
                if isinstance(found, Awaitable):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s") from None


async def connected(stream: Stream) -> JetStreamContext:
    """JetStream, once the connection is back."""

    async def context() -> JetStreamContext | None:
        with suppress(NatsError):
            return await stream.context()
        return None

    found: JetStreamContext = await eventually(context)
    return found


async def stored(stream: Stream, tenant: UUID) -> list[Msg]:
    """What the stream holds of a tenant, in its order."""
    context = await connected(stream)
    config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=30)
    subscription = await context.pull_subscribe(f"revops.{tenant.hex}.>", stream=NAME, config=config)
    found: list[Msg] = []
    pending = (await subscription.consumer_info()).num_pending or 0
    while len(found) < pending:
        found += await subscription.fetch(500, timeout=5)
    await subscription.unsubscribe()
    return found


async def sequences(stream: Stream, tenant: UUID) -> dict[str, list[tuple[int, int]]]:
    """Sequences of each aggregate of a tenant, in the order of the stream."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for message in await stored(stream, tenant):
        event = envelope.received(message.headers or {})
        found[event.subject].append(event.sequence)
    return found


async def published(stream: Stream, tenant: UUID) -> Counter[tuple[str, int, str]]:
    """What the stream holds of a tenant as `fill` tells it: box, quantity and sequence, with how often."""
    messages = [(message.headers or {}, pb.BoxFilled.FromString(message.data)) for message in await stored(stream, tenant)]
    return Counter((event.box, event.quantity, headers["ce-sequence"]) for headers, event in messages)


async def emptied(probe: ProbeWorld, tenant: UUID, table: str = "outbox") -> None:
    """Waits until a tenant has no more rows in a table of the kernel."""

    async def none() -> bool:
        return await waiting(probe, tenant, table) == 0

    await eventually(none)


async def waiting(probe: ProbeWorld, tenant: UUID, table: str = "outbox") -> int:
    """Rows that a tenant has in a table of the kernel."""
    count: int = await probe.owner.fetchval(f"SELECT count(*) FROM kernel.{table} WHERE tenant_id=$1", tenant)
    return count


async def letters(probe: ProbeWorld, tenant: UUID) -> Sequence[Any]:
    """A tenant's dead letters."""
    return await probe.owner.fetch("SELECT * FROM kernel.dead_letter WHERE tenant_id=$1 ORDER BY time", tenant)


async def movements(probe: ProbeWorld, tenant: UUID) -> Counter[tuple[str, int, str]]:
    """What the ledger of a tenant holds: box, quantity and sequence, with how often."""
    rows = await probe.owner.fetch("SELECT box, quantity, sequence FROM probe.movements WHERE tenant_id=$1", tenant)
    return Counter((row["box"], row["quantity"], row["sequence"]) for row in rows)


async def fill(anna: Caller, boxes: int, rounds: int, portions: int) -> Counter[tuple[str, int, str]]:
    """Fills new boxes with distinct portions; gives the movements that must follow from the acknowledged calls, each once."""
    told: Counter[tuple[str, int, str]] = Counter()

    async def one() -> None:
        box = await anna(pb.CreateBoxRequest(box=pb.Box()))
        for each in range(rounds):
            quantities = [each * portions + n + 1 for n in range(portions)]
            box = await anna(pb.FillBoxRequest(name=box.name, portions=quantities))
            told.update((box.name, quantity, f"{box.etag}.{n}") for n, quantity in enumerate(quantities))

    await asyncio.gather(*(one() for _ in range(boxes)))
    return told


def differences(told: Counter[Any], applied: Counter[Any]) -> list[str]:
    """What is missing of that which callers were told, and what is there too often; empty when the books balance."""
    lost = [f"lost {what}" for what in (told - applied).elements()]
    return lost + [f"applied again {what}" for what in (applied - told).elements()]
