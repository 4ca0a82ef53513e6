"""The relay against a real outbox and a real stream: order, crashes, refusals, outages."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.js import api

from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.pools import Pool, open_pool
from revops_mesh.local.nats import Nats
from revops_mesh.messaging import dead_letters, envelope
from revops_mesh.messaging.relay import Relay, Unpublished
from revops_mesh.messaging.stream import NAME, Stream
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import (
    differences,
    emptied,
    eventually,
    fill,
    letters,
    published,
    running,
    sequences,
    stored,
    waiting,
)
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@asynccontextmanager
async def configured(stream: Stream, **limits: Any) -> AsyncIterator[None]:
    """The stream as an operator limited it, for a block."""
    context = await stream.context()
    before = (await context.stream_info(NAME)).config
    await context.update_stream(before.evolve(**limits))
    try:
        yield
    finally:
        await context.update_stream(before)


async def test_an_event_is_a_cloud_event_with_the_payload_as_its_body(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna = await probe.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    await anna(pb.FillBoxRequest(name=box.name, portions=[7]), traceparent=TRACE)
    row = await probe.owner.fetchrow("SELECT * FROM kernel.outbox WHERE tenant_id=$1", anna.tenant)
    await Relay(relay_pool, stream, Counts()).hold()
    (message,) = await stored(stream, anna.tenant)
    assert message.subject == f"revops.{anna.tenant.hex}.probe.v1.BoxFilled"
    assert pb.BoxFilled.FromString(message.data) == pb.BoxFilled(box=box.name, quantity=7)
    assert message.headers == {
        "Nats-Msg-Id": row["id"].hex,
        "ce-specversion": "1.0",
        "ce-id": row["id"].hex,
        "ce-source": f"/revops/{anna.tenant.hex}",
        "ce-type": "revops.probe.v1.BoxFilled",
        "ce-subject": box.name,
        "ce-time": row["time"].isoformat(),
        "ce-sequence": "2.0",
        "content-type": "application/protobuf",
        "traceparent": TRACE,
    }


async def test_two_relays_keep_the_order_of_every_aggregate(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool, nats: Nats
) -> None:
    anna = await probe.caller()
    second, counts = Stream(nats.url), Counts()
    pool = await open_pool(probe.dsn, "revops_relay", 4)
    try:
        async with running(Relay(relay_pool, stream, counts), Relay(pool, second, counts)):
            await fill(anna, boxes=40, rounds=10, portions=10)
            await emptied(probe, anna.tenant)
    finally:
        await second.close()
        await pool.close()
    found = await sequences(stream, anna.tenant)
    assert sum(map(len, found.values())) == 4000
    assert [each for each in found.values() if each != sorted(set(each))] == []
    assert await waiting(probe, anna.tenant) == 0


async def test_relays_cancelled_at_any_moment_lose_nothing_and_store_nothing_twice(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, chance = await probe.caller(), random.Random(7)
    await fill(anna, boxes=30, rounds=10, portions=10)
    for _ in range(60):
        async with running(Relay(relay_pool, stream, Counts(), workers=1)):
            await asyncio.sleep(chance.uniform(0, 0.02))
    left, counts = await waiting(probe, anna.tenant), Counts()
    async with running(Relay(relay_pool, stream, counts)):
        await emptied(probe, anna.tenant)
    assert counts.published == left, "a connection came back from a cancelled relay and undid what the next one did"
    found = await sequences(stream, anna.tenant)
    assert sum(map(len, found.values())) == 3000
    assert [each for each in found.values() if each != sorted(set(each))] == []


async def test_a_relay_that_dies_between_publishing_and_deleting_is_repeated_without_duplicates(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna = await probe.caller()
    await fill(anna, boxes=5, rounds=2, portions=3)
    holder = await asyncpg.connect(probe.dsn, user="revops_owner")
    keeping = holder.transaction()
    await keeping.start()
    await holder.execute("SELECT 1 FROM kernel.outbox WHERE tenant_id=$1 FOR UPDATE", anna.tenant)  # so that a delete waits
    async with running(Relay(relay_pool, stream, Counts())):

        async def all_published() -> bool:
            return len(await stored(stream, anna.tenant)) == 30

        await eventually(all_published)
    await keeping.rollback()
    await holder.close()
    assert await waiting(probe, anna.tenant) == 30
    async with running(Relay(relay_pool, stream, Counts())):
        await emptied(probe, anna.tenant)
    assert len(await stored(stream, anna.tenant)) == 30


async def test_after_a_failed_acknowledgement_later_events_of_the_aggregate_stay(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna, ben, relay = await probe.caller(), await probe.caller(), Relay(relay_pool, stream, Counts())
    box, other = await anna(pb.CreateBoxRequest(box=pb.Box())), await ben(pb.CreateBoxRequest(box=pb.Box()))
    await anna(pb.FillBoxRequest(name=box.name, portions=[1]))
    await relay.hold()
    async with configured(stream, discard=api.DiscardPolicy.NEW, max_msgs_per_subject=1, discard_new_per_subject=True):
        await anna(pb.FillBoxRequest(name=box.name, portions=[2]))  # refused, for the subject BoxFilled is full
        await _empty(probe, anna.tenant, box.name)  # accepted, under another subject
        await _empty(probe, ben.tenant, other.name)
        with pytest.raises(Unpublished, match="1 of 3 events"):
            await relay.hold()
        left = await probe.owner.fetch("SELECT revision FROM kernel.outbox WHERE tenant_id=$1 ORDER BY revision", anna.tenant)
        assert [row["revision"] for row in left] == [3, 4]
        assert await waiting(probe, ben.tenant) == 0
    async with running(relay):
        await emptied(probe, anna.tenant)
    assert sorted((await sequences(stream, anna.tenant))[box.name]) == [(2, 0), (3, 0), (4, 0)]
    assert await letters(probe, anna.tenant) == []


@pytest.mark.parametrize("limit", ["server", "stream"])
async def test_an_event_that_is_too_large_becomes_a_dead_letter_and_its_aggregate_goes_on(
    probe: ProbeWorld, relay_pool: Pool, tmp_path: Path, limit: str
) -> None:
    settings = {"max_payload": "64KB"} if limit == "server" else {}
    with Nats(tmp_path / "nats", durable=False, settings=settings) as small:
        stream, counts, anna = Stream(small.url), Counts(), await probe.caller()
        box = await anna(pb.CreateBoxRequest(box=pb.Box()))
        for padding in (b"", b"x" * 65_300, b""):  # below 64 KB, but not with its headers
            await anna(pb.FillBoxRequest(name=box.name, portions=[1], padding=padding))
        largest = 1_000 if limit == "stream" else -1
        async with configured(stream, max_msg_size=largest), running(Relay(relay_pool, stream, counts)):
            await emptied(probe, anna.tenant)
        assert await sequences(stream, anna.tenant) == {box.name: [(2, 0), (4, 0)]}
        (letter,) = await letters(probe, anna.tenant)
        assert (letter["method"], letter["request_type"], letter["attempts"]) == ("", "revops.probe.v1.BoxFilled", 1)
        assert pb.BoxFilled.FromString(letter["request"]).box == box.name
        assert envelope.remembered(letter["event"]).sequence == (3, 0)  # type: ignore[union-attr]
        assert counts.dead == 1
        await stream.close()


async def test_a_dead_letter_without_a_method_is_published_again_under_its_id(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna = await probe.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    await anna(pb.FillBoxRequest(name=box.name, portions=[1], padding=b"x" * 2000), traceparent=TRACE)
    row = await probe.owner.fetchrow("SELECT * FROM kernel.outbox WHERE tenant_id=$1", anna.tenant)
    relay = Relay(relay_pool, stream, Counts())
    async with configured(stream, max_msg_size=1_000):
        await relay.hold()
    (letter,) = await letters(probe, anna.tenant)
    async with probe.pools.app.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id='{anna.tenant}'")
        await connection.execute(dead_letters.PUBLISH_AGAIN, anna.tenant, letter["id"], 5)
    again = await probe.owner.fetchrow("SELECT * FROM kernel.outbox WHERE tenant_id=$1", anna.tenant)
    assert dict(again) == {**dict(row), "bucket": 5}
    await relay.hold()
    assert await letters(probe, anna.tenant) == []
    assert await sequences(stream, anna.tenant) == {box.name: [(2, 0)]}


async def test_a_relay_outlives_the_broker_and_loses_nothing(probe: ProbeWorld, relay_pool: Pool, tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats")
    stream, counts, anna = Stream(server.url), Counts(), await probe.caller()
    async with running(Relay(relay_pool, stream, counts)):
        await fill(anna, boxes=2, rounds=2, portions=2)  # before there is a broker
        with server:
            await emptied(probe, anna.tenant)
            for _ in range(3):
                server.kill()
                await fill(anna, boxes=2, rounds=2, portions=2)
                server.start()
                await emptied(probe, anna.tenant)
            found = await sequences(stream, anna.tenant)
    await stream.close()
    assert sum(map(len, found.values())) == 32
    assert [each for each in found.values() if each != sorted(set(each))] == []
    assert await letters(probe, anna.tenant) == []


async def test_a_stream_that_was_deleted_is_made_again_and_no_event_is_given_up(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool
) -> None:
    anna = await probe.caller()
    await (await stream.context()).delete_stream(NAME)
    await fill(anna, boxes=2, rounds=1, portions=2)
    async with running(Relay(relay_pool, stream, Counts())):
        await emptied(probe, anna.tenant)
    assert len(await stored(stream, anna.tenant)) == 4
    assert await letters(probe, anna.tenant) == []


async def test_what_an_operator_tuned_on_the_stream_stays_and_what_we_rely_on_returns(stream: Stream, nats: Nats) -> None:
    async with configured(stream, max_bytes=10**9, max_age=60, duplicate_window=30):
        other = Stream(nats.url)
        config = (await (await other.context()).stream_info(NAME)).config
        await other.close()
    assert (config.max_bytes, config.max_age, config.duplicate_window) == (10**9, 30 * 86_400, 120)
    assert (config.subjects, config.storage, config.num_replicas) == (["revops.>"], "file", 1)


async def test_a_commit_in_this_process_wakes_the_relay_at_once(
    probe: ProbeWorld, stream: Stream, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revops_mesh.messaging.relay.BUSY_POLL", 30)
    monkeypatch.setattr("revops_mesh.messaging.relay.POLL_SECONDS", 30)
    anna, counts = await probe.caller(), Counts()
    relay = Relay(relay_pool, stream, counts)
    async with running(relay):
        await asyncio.sleep(0.2)
        await fill(anna, boxes=1, rounds=1, portions=1)
        await asyncio.sleep(0.1)
        assert counts.published == 0
        relay.wake()
        await eventually(lambda: counts.published, seconds=2)


@pytest.mark.parametrize("sabotaged", [False, True])
async def test_the_reconciler_notices_a_relay_that_deletes_before_it_publishes(
    probe: ProbeWorld, relay_pool: Pool, tmp_path: Path, sabotaged: bool
) -> None:
    server, anna = Nats(tmp_path / "nats"), await probe.caller()
    stream = Stream(server.url)
    with server:
        await stream.context()
        told = await fill(anna, boxes=3, rounds=2, portions=2)
        server.kill()
        with pytest.raises(Unpublished):
            await Relay(relay_pool, stream, Counts(), delete_before_ack=sabotaged).hold()
        server.start()
        async with running(Relay(relay_pool, stream, Counts(), delete_before_ack=sabotaged)):
            await emptied(probe, anna.tenant)
            found = differences(told, await published(stream, anna.tenant))
    await stream.close()
    assert bool(found) is sabotaged


async def _empty(probe: ProbeWorld, tenant: UUID, box: str) -> None:
    """Calls the timer's rpc, which leaves an event of another type."""
    request = pb.EmptyBoxRequest(box=box)
    await probe.kernel.react(probe.kernel.by_request(request), request, tenant, Arrival({}))
