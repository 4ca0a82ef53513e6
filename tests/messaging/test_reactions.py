"""Reactions on a real stream and a real replay table: once under redelivery and duplicates, dead letters, outages."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import derived, new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.local.nats import Nats
from revops_mesh.messaging import dead_letters, envelope
from revops_mesh.messaging.reactions import Reactions, consumer
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import NAME, Stream
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import (
    connected,
    differences,
    emptied,
    eventually,
    fill,
    letters,
    movements,
    running,
    stored,
)
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld, open_probe

SOON = (0.01,)
ON_BOX_FILLED = "revops.probe.v1.BoxService.OnBoxFilled"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture(autouse=True)
async def _afresh(probe: ProbeWorld, stream: Stream) -> AsyncIterator[None]:
    """Each test begins with an empty outbox and stream and without consumers, so that its counts are its own."""
    await probe.owner.execute("DELETE FROM kernel.outbox")
    await (await connected(stream)).delete_stream(NAME)
    stream.missed()
    yield
    probe.service.jammed.clear()
    probe.service.faulty.clear()


async def balanced(probe: ProbeWorld, tenant: UUID, told: Counter[Any]) -> None:
    """Waits until the ledger holds what callers were told, and nothing twice."""

    async def same() -> bool:
        return await movements(probe, tenant) == told

    await eventually(same)


async def redelivered(probe: ProbeWorld, stream: Stream) -> None:
    """Has every event delivered again, by making the consumer anew."""
    (method,) = probe.kernel.reactions["revops.probe.v1.BoxFilled"]
    await (await connected(stream)).delete_consumer(NAME, consumer(method))


async def duplicated(stream: Stream, tenant: UUID) -> None:
    """Publishes every event of a tenant again under another message id, as beyond the stream's window."""
    context = await stream.context()
    for message in await stored(stream, tenant):
        headers = {**(message.headers or {}), "Nats-Msg-Id": new_uuid().hex}
        await context.publish(message.subject, message.data, headers=headers)


@pytest.mark.parametrize("no_inbox", [False, True])
async def test_an_event_is_applied_once_however_often_it_comes_and_the_reconciler_notices_if_not(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool, no_inbox: bool
) -> None:
    anna, counts = await probe.caller(), Counts()
    reactions = Reactions(probe.kernel, relay_pool, stream, counts, no_inbox=no_inbox)
    async with running(Relay(relay_pool, stream, counts)):
        told = await fill(anna, boxes=5, rounds=2, portions=2)
        await emptied(probe, anna.tenant)
    await duplicated(stream, anna.tenant)
    async with running(reactions):
        await eventually(lambda: counts.reacted == 40)
    await redelivered(probe, stream)
    async with running(reactions):
        await eventually(lambda: counts.reacted == 80)
    assert bool(differences(told, await movements(probe, anna.tenant))) is no_inbox


async def test_two_processes_share_the_events_and_apply_each_once(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool, nats: Nats
) -> None:
    anna, counts, others = await probe.caller(), Counts(), Counts()
    second = Stream(nats.url)
    async with open_probe(probe.dsn) as other:
        async with running(
            Relay(relay_pool, stream, counts),
            Reactions(probe.kernel, relay_pool, stream, counts),
            Reactions(other.kernel, relay_pool, second, others),
        ):
            told = await fill(anna, boxes=20, rounds=5, portions=4)
            await eventually(lambda: counts.reacted + others.reacted == 400)
    await second.close()
    assert counts.reacted > 0 < others.reacted
    assert differences(told, await movements(probe, anna.tenant)) == []


async def test_a_reaction_knows_its_event_and_carries_its_trace(probe: ProbeWorld, stream: Stream, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    async with running(Relay(relay_pool, stream, counts), Reactions(probe.kernel, relay_pool, stream, counts)):
        box = await anna(pb.CreateBoxRequest(box=pb.Box()))
        await anna(pb.FillBoxRequest(name=box.name, portions=[3, 4]), traceparent=TRACE)
        await balanced(probe, anna.tenant, Counter({(box.name, 3, "2.0"): 1, (box.name, 4, "2.1"): 1}))
    entries = await probe.owner.fetch(
        "SELECT principal, trace, outcome FROM kernel.audit WHERE tenant_id=$1 AND method=$2", anna.tenant, ON_BOX_FILLED
    )
    assert [tuple(entry) for entry in entries] == [("services/probe", TRACE, "OK")] * 2


async def test_after_eight_failures_an_event_is_a_dead_letter_and_later_events_have_proceeded(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    probe.service.jammed.add(box.name)
    reactions = Reactions(probe.kernel, relay_pool, stream, counts, delays=SOON)
    async with running(Relay(relay_pool, stream, counts), reactions):
        await anna(pb.FillBoxRequest(name=box.name, portions=[9]))
        told = await fill(anna, boxes=3, rounds=2, portions=2)
        await eventually(lambda: counts.dead)
        await balanced(probe, anna.tenant, told)
        assert probe.service.attempts.count(box.name) == 8
    (letter,) = await letters(probe, anna.tenant)
    event = envelope.remembered(letter["event"])
    assert event is not None
    assert letter["id"] == derived("event", event.id, ON_BOX_FILLED)
    assert (event.subject, event.sequence) == (box.name, (2, 0))
    assert (letter["method"], letter["request_type"], letter["attempts"]) == (ON_BOX_FILLED, "revops.probe.v1.BoxFilled", 8)
    assert letter["problem"] == f"BOX_JAMMED: {box.name} is jammed."
    assert pb.BoxFilled.FromString(letter["request"]) == pb.BoxFilled(box=box.name, quantity=9)
    assert (counts.retried, counts.dead, counts.reacted) == (7, 1, 12)


async def test_a_fault_keeps_its_text_out_of_the_dead_letter(probe: ProbeWorld, stream: Stream, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    probe.service.faulty.add(box.name)
    async with running(Relay(relay_pool, stream, counts), Reactions(probe.kernel, relay_pool, stream, counts, delays=SOON)):
        await anna(pb.FillBoxRequest(name=box.name, portions=[9]))
        await eventually(lambda: counts.dead)
    (letter,) = await letters(probe, anna.tenant)
    assert letter["problem"].startswith("FAULT: A fault of ours; quote ")
    assert "internals" not in letter["problem"]


async def test_a_dead_letter_that_is_run_again_is_applied_once_and_goes(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    probe.service.jammed.add(box.name)
    timers = Timers(probe.kernel, relay_pool, counts, delays=SOON)
    async with running(
        Relay(relay_pool, stream, counts), Reactions(probe.kernel, relay_pool, stream, counts, delays=SOON), timers
    ):
        await anna(pb.FillBoxRequest(name=box.name, portions=[9]))
        await eventually(lambda: counts.dead == 1)
        (letter,) = await letters(probe, anna.tenant)
        await run_again(probe, anna.tenant, letter["id"])  # too soon: it is still jammed
        await eventually(lambda: counts.dead == 2)
        await emptied(probe, anna.tenant, "timer")
        assert [each["id"] for each in await letters(probe, anna.tenant)] == [letter["id"]]
        probe.service.jammed.clear()
        await asyncio.gather(*(run_again(probe, anna.tenant, letter["id"]) for _ in range(3)))
        await emptied(probe, anna.tenant, "dead_letter")
        await redelivered(probe, stream)
        await eventually(lambda: counts.reacted == 1)
    assert await movements(probe, anna.tenant) == {(box.name, 9, "2.0"): 1}


async def run_again(probe: ProbeWorld, tenant: UUID, letter: UUID) -> None:
    """What ReplayDeadLetter does, with its login."""
    async with probe.pools.app.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id='{tenant}'")
        await connection.execute(dead_letters.RUN_AGAIN, tenant, letter, clock.now())


async def test_a_message_that_is_no_event_of_ours_is_given_up_and_others_proceed(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    context = await connected(stream)
    async with running(Relay(relay_pool, stream, counts), Reactions(probe.kernel, relay_pool, stream, counts)):
        await context.publish(f"revops.{anna.tenant.hex}.probe.v1.BoxFilled", b"\xff")
        await context.publish("revops.acme.probe.v1.BoxFilled", b"", headers={"ce-sequence": "x"})
        told = await fill(anna, boxes=1, rounds=1, portions=1)
        await balanced(probe, anna.tenant, told)
        await eventually(lambda: counts.dead == 2)


async def test_a_reaction_cancelled_in_the_middle_is_delivered_again_and_applied_once(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, counts = await probe.caller(), Counts()
    async with running(Relay(relay_pool, stream, counts)):
        told = await fill(anna, boxes=10, rounds=2, portions=3)
        await emptied(probe, anna.tenant)
    for each in range(15):
        async with running(Reactions(probe.kernel, relay_pool, stream, counts, ack_wait=0.5)):
            await asyncio.sleep(0.005 * each)
    async with running(Reactions(probe.kernel, relay_pool, stream, counts, ack_wait=0.5)):
        await balanced(probe, anna.tenant, told)


async def test_reactions_outlive_the_broker_and_the_loss_of_their_consumer(
    probe: ProbeWorld, relay_pool: Pool, tmp_path: Any
) -> None:
    anna, counts = await probe.caller(), Counts()
    with Nats(tmp_path / "nats") as server:
        stream = Stream(server.url)
        async with running(Relay(relay_pool, stream, counts), Reactions(probe.kernel, relay_pool, stream, counts)):
            told = await fill(anna, boxes=2, rounds=2, portions=2)
            await balanced(probe, anna.tenant, told)
            server.kill()
            told += await fill(anna, boxes=2, rounds=2, portions=2)
            server.start()
            await balanced(probe, anna.tenant, told)
            await redelivered(probe, stream)
            told += await fill(anna, boxes=2, rounds=2, portions=2)
            await balanced(probe, anna.tenant, told)
        await stream.close()
