"""Dead letters: listed newest first, and run again by the timers themselves."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import audit_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Event
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging import dead_letters, envelope
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.world import Caller, World

REACTION = "revops.catalog.v1.PriceBookService.OnProductRetired"
EVENT = products.ProductRetired(product="products/gone")


@pytest.fixture
async def relay(world: World) -> AsyncIterator[Pool]:
    pool = Pool(world.dsn, "revops_relay", 2)
    yield pool
    await pool.close()


async def buried(relay: Pool, anna: Caller, method: str = REACTION, *, request: bytes = EVENT.SerializeToString()) -> str:
    """The name of a letter as the messaging's workers leave it."""
    letter, now = new_uuid(), clock.now()
    event = envelope.facts(Event(new_uuid(), "products/gone", (3, 1), now), "")
    async with relay.acquire() as connection:
        await dead_letters.put(
            connection,
            anna.tenant,
            letter,
            method,
            EVENT.DESCRIPTOR.full_name,
            request,
            event,
            problem="CONTENDED: x",
            attempts=8,
        )
    return f"deadLetters/{letter.hex}"


async def listed(anna: Caller) -> list[pb.DeadLetter]:
    return list((await anna(pb.ListDeadLettersRequest())).dead_letters)


async def fire(world: World, relay: Pool) -> None:
    timers = Timers(world.kernel, relay, Counts(), delays=(0.0,))
    while await timers.fire():
        pass


async def test_letters_are_listed_newest_first_to_the_end(relay: Pool, anna: Caller, world: World) -> None:
    names = [await buried(relay, anna) for _ in range(5)]
    request, found = pb.ListDeadLettersRequest(page_size=2), []
    while True:
        page = await anna(request)
        found += page.dead_letters
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert [letter.name for letter in found] == names[::-1]
    first = found[0]
    assert (first.method, first.request_type) == (REACTION, "revops.catalog.v1.ProductRetired")
    assert (first.problem, first.attempts) == ("CONTENDED: x", 8)
    assert not await listed(await world.caller("admin"))


async def test_a_replayed_letter_runs_and_is_gone(relay: Pool, anna: Caller, world: World) -> None:
    name = await buried(relay, anna)
    answer = await anna(pb.ReplayDeadLetterRequest(name=name))
    assert answer == (await listed(anna))[0]
    await fire(world, relay)
    assert not await listed(anna)
    ran = await world.owner.fetchval(
        "SELECT count(*) FROM kernel.replay WHERE tenant_id=$1 AND request_id=$2", anna.tenant, UUID(hex=name[-32:])
    )
    assert ran == 1
    assert (await anna.refusal(pb.ReplayDeadLetterRequest(name=name))).reason == "RESOURCE_NOT_FOUND"


async def test_replaying_twice_before_it_runs_runs_it_once(relay: Pool, anna: Caller, world: World) -> None:
    name = await buried(relay, anna)
    request = pb.ReplayDeadLetterRequest(name=name, request_id=str(uuid4()))
    answers = [await anna(request), await anna(request), await anna(pb.ReplayDeadLetterRequest(name=name))]
    assert answers[0] == answers[1] == answers[2]
    assert await world.owner.fetchval("SELECT count(*) FROM kernel.timer WHERE tenant_id=$1", anna.tenant) == 1


async def test_what_fails_again_is_a_letter_again(relay: Pool, anna: Caller, world: World) -> None:
    name = await buried(relay, anna, request=b"\xff")
    (before,) = await listed(anna)
    await anna(pb.ReplayDeadLetterRequest(name=name))
    await fire(world, relay)
    (after,) = await listed(anna)
    assert (after.name, after.attempts, after.problem) == (name, 8, "DecodeError")
    assert after.time.ToNanoseconds() > before.time.ToNanoseconds()


async def test_an_event_that_was_not_published_goes_back_to_the_outbox_as_it_was(relay: Pool, anna: Caller, world: World) -> None:
    name = await buried(relay, anna, method="")
    (letter,) = await listed(anna)
    assert letter.method == ""
    await anna(pb.ReplayDeadLetterRequest(name=name))
    assert await world.events(anna.tenant) == [("products/gone", 3, EVENT)]
    row = await world.owner.fetchrow("SELECT id, n, time FROM kernel.outbox WHERE tenant_id=$1", anna.tenant)
    assert (row["id"].hex, row["n"]) == (name[-32:], 1)
    assert isinstance(row["time"], datetime)
    assert clock.now() - row["time"] < timedelta(minutes=1)
    assert not await listed(anna)


async def test_a_replay_is_audited_by_the_letter_s_name(relay: Pool, anna: Caller) -> None:
    name = await buried(relay, anna)
    await anna(pb.ReplayDeadLetterRequest(name=name))
    (entry,) = (await anna(pb.ListAuditEntriesRequest(resource=name))).entries
    assert (list(entry.resources), json.loads(entry.request_json)) == ([name], {"name": name})


@pytest.mark.parametrize("name", [f"deadLetters/{'0' * 32}", "deadLetters/690694f97092461d9dd033a481814724"])
async def test_a_letter_that_there_is_not_is_not_found(anna: Caller, name: str) -> None:
    assert (await anna.refusal(pb.ReplayDeadLetterRequest(name=name))).reason == "RESOURCE_NOT_FOUND"


async def test_another_tenant_s_letter_is_not_found_and_stays(relay: Pool, anna: Caller, world: World) -> None:
    name = await buried(relay, anna)
    stranger = await world.caller("admin")
    assert (await stranger.refusal(pb.ReplayDeadLetterRequest(name=name))).reason == "RESOURCE_NOT_FOUND"
    assert [letter.name for letter in await listed(anna)] == [name]


async def test_auditors_list_letters_and_replay_none(relay: Pool, anna: Caller, world: World) -> None:
    name, auditor = await buried(relay, anna), await world.caller("auditor", tenant=anna.tenant)
    assert [letter.name for letter in await listed(auditor)] == [name]
    assert (await auditor.refusal(pb.ReplayDeadLetterRequest(name=name))).reason == "PERMISSION_REQUIRED"


async def test_a_letter_with_unreadable_facts_does_not_stop_the_others(relay: Pool, anna: Caller, world: World) -> None:
    unreadable, sound = await buried(relay, anna), await buried(relay, anna)
    await world.owner.execute(
        'UPDATE kernel.dead_letter SET event=\'{"traceparent": ""}\' WHERE id=$1', UUID(unreadable.removeprefix("deadLetters/"))
    )
    for name in (unreadable, sound):
        await anna(pb.ReplayDeadLetterRequest(name=name))
    await fire(world, relay)
    assert sound not in [letter.name for letter in await listed(anna)]
