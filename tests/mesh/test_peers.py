"""A peer that is away, hangs or is overloaded: what the call is told, how often it is asked, and when it gives up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
import pytest

from revops_mesh.kernel.errors import Failure
from revops_mesh.local.ports import free_port
from revops_mesh.runtime import peers as wire
from tests.mesh.authorities import Authority, spiffe
from tests.mesh.network import OWN_PATH, channel, door, own_credentials, sent
from tests.mesh.split import Parts
from tests.probe import boxes, rooms
from tests.probe.contract import pb
from tests.world import Caller

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
GET = "/revops.probe.v1.BoxService/GetBox"
INSPECT = pb.InspectBoxRequest(box="boxes/b")


@asynccontextmanager
async def asking(parts: Parts, address: str, folder: Path) -> AsyncIterator[Caller]:
    """Somebody who calls rooms, which ask boxes at an address."""
    (folder / "token").write_text(parts.service_token())
    peers = wire.Peers({"probe": address}, token=folder / "token")
    try:
        yield await parts.world(parts.kernel(rooms.module()[1], peers=peers)).caller()
    finally:
        await peers.close()


@asynccontextmanager
async def acting(answer: Callable[[Any], Any]) -> AsyncIterator[tuple[str, list[float]]]:
    """A peer that acts as it is told, and when it was asked."""
    asked: list[float] = []

    async def handler(request: bytes, context: Any) -> bytes:
        asked.append(monotonic())
        return bytes(await answer(context))

    server = grpc.aio.server()
    rpc = grpc.unary_unary_rpc_method_handler(handler)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("revops.probe.v1.BoxService", {"GetBox": rpc}),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    try:
        yield f"localhost:{port}", asked
    finally:
        await server.stop(0)


async def refusal(caller: Caller, seconds: float | None = None) -> Failure:
    """What a question's call is told; `seconds` is its deadline."""
    arrival = caller.arrival()
    arrival.deadline = None if seconds is None else monotonic() + seconds
    with pytest.raises(Failure) as refused:
        await caller.world.kernel.answer("/revops.probe.v1.RoomService/InspectBox", INSPECT, arrival)
    return refused.value


async def test_a_peer_that_is_away_is_told_at_once_and_with_when_to_repeat(parts: Parts, tmp_path: Path) -> None:
    async with asking(parts, f"localhost:{free_port()}", tmp_path) as anna:
        begun = monotonic()
        failure = await refusal(anna)
        assert monotonic() - begun < wire.ANSWER_SECONDS
    assert (failure.reason, failure.metadata, failure.retry_after) == ("PEER_UNAVAILABLE", {"capability": "probe"}, 1.0)
    assert failure.code == UNAVAILABLE.value[0]


async def test_a_peer_that_comes_back_is_asked_again(parts: Parts, tmp_path: Path) -> None:
    port = free_port()
    async with asking(parts, f"localhost:{port}", tmp_path) as anna:
        assert (await refusal(anna)).reason == "PEER_UNAVAILABLE"
        kernel = parts.kernel(boxes.module()[1])
        async with door(kernel, port=port):
            box = await Caller(parts.world(kernel), anna.tenant, anna.token)(pb.CreateBoxRequest(box=pb.Box()))
            async with asyncio.timeout(10):
                while True:
                    try:
                        assert (await anna(pb.InspectBoxRequest(box=box.name))).name == box.name
                        break
                    except Failure as failure:
                        assert failure.reason == "PEER_UNAVAILABLE"
                        await asyncio.sleep(0.1)


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A port that takes connections and never says anything."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in taken:
            writer.close()


async def hangs(context: Any) -> bytes:
    await asyncio.sleep(60)
    return b""


async def test_a_hanging_peer_holds_a_call_to_its_deadline_and_not_beyond(parts: Parts, tmp_path: Path) -> None:
    async with silent() as connected, acting(hangs) as (accepted, _):
        for address in (connected, accepted):
            async with asking(parts, address, tmp_path) as anna:
                begun = monotonic()
                assert (await refusal(anna, 0.5)).reason == "DEADLINE_PASSED"
                assert 0.4 < monotonic() - begun < 3


async def test_a_hanging_peer_does_not_hold_the_store_as_long_as_a_patient_caller_would(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.3)
    async with silent() as connected, acting(hangs) as (accepted, _):
        for address in (connected, accepted):
            async with asking(parts, address, tmp_path) as anna:
                begun = monotonic()
                assert (await refusal(anna, 20)).reason == "PEER_UNAVAILABLE"
                assert monotonic() - begun < 5


async def test_a_call_that_is_cancelled_cancels_its_question(parts: Parts, tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def watched(context: Any) -> bytes:
        begun.set()
        try:
            return await hangs(context)
        finally:
            ended.set()

    async with acting(watched) as (address, _), asking(parts, address, tmp_path) as anna:
        call = asyncio.create_task(anna(INSPECT))
        await begun.wait()
        call.cancel()
        await asyncio.wait_for(ended.wait(), 5)
        await asyncio.wait((call,))
        assert parts.pools.app.idle == parts.pools.app.open, "its connection came back"


async def test_the_remaining_time_travels_along(parts: Parts, tmp_path: Path) -> None:
    left: list[float] = []

    async def tells(context: Any) -> bytes:
        left.append(context.time_remaining())
        return b""

    async with acting(tells) as (address, _), asking(parts, address, tmp_path) as anna:
        for seconds in (2.0, 60.0):
            arrival = anna.arrival()
            arrival.deadline = monotonic() + seconds
            await anna.world.kernel.answer("/revops.probe.v1.RoomService/InspectBox", INSPECT, arrival)
    assert 1 < left[0] < 2.1
    assert 3 < left[1] < wire.ANSWER_SECONDS + 0.1


def refusing(pushback: str | None = None) -> Callable[[Any], Any]:
    """Refuses as somebody who is out of reach does."""

    async def answer(context: Any) -> bytes:
        trailer = (("grpc-retry-pushback-ms", pushback),) if pushback is not None else ()
        await context.abort(UNAVAILABLE, "away", trailer)
        return b""

    return answer


async def test_a_peer_that_fails_is_asked_once_more_and_heeds_its_pushback(parts: Parts, tmp_path: Path) -> None:
    for pushback, times in ((None, 2), ("300", 2), ("-1", 1)):
        async with acting(refusing(pushback)) as (address, asked), asking(parts, address, tmp_path) as anna:
            assert (await refusal(anna)).reason == "PEER_UNAVAILABLE"
            assert len(asked) == times
            if pushback == "300":
                assert asked[1] - asked[0] >= 0.29


async def test_a_repetition_that_comes_too_late_is_not_made(parts: Parts, tmp_path: Path) -> None:
    async with acting(refusing("2000")) as (address, asked), asking(parts, address, tmp_path) as anna:
        begun = monotonic()
        assert (await refusal(anna, 0.5)).reason in ("DEADLINE_PASSED", "PEER_UNAVAILABLE")
        assert monotonic() - begun < 1.9
        assert len(asked) == 1


async def test_repetitions_have_a_budget_so_that_an_outage_is_not_met_with_twice_the_load(parts: Parts, tmp_path: Path) -> None:
    async with acting(refusing()) as (address, asked), asking(parts, address, tmp_path) as anna:
        for _ in range(40):
            assert (await refusal(anna)).reason == "PEER_UNAVAILABLE"
    assert 40 < len(asked) <= 40 + 10


async def test_a_chain_of_questions_is_repeated_at_its_last_link_only(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(parts.service_token())
    async with acting(refusing()) as (address, asked):
        peers = wire.Peers({"probe": address}, token=tmp_path / "token")
        kernel = parts.kernel(rooms.module()[1], peers=peers)
        anna = await parts.world(kernel).caller()
        async with door(kernel) as middle, grpc.aio.insecure_channel(middle, options=wire.OPTIONS) as first:
            told = {"authorization": f"Bearer {anna.token}", "x-revops-service": parts.service_token()}
            told["x-revops-asking"] = "revops.probe.v1.BoxService.StoreBox"
            method = kernel.methods["/revops.probe.v1.RoomService/InspectBox"]
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await sent(first, method, INSPECT, **told)
        await peers.close()
    assert dict(refused.value.trailing_metadata() or ())["grpc-retry-pushback-ms"] == "-1"
    assert len(asked) == 2
    assert sum(series.count for series in kernel.observer.series.values()) == 1


async def test_a_peer_that_does_not_admit_us_is_a_fault_of_the_installation(parts: Parts, tmp_path: Path) -> None:
    kernel = parts.kernel(boxes.module()[1])
    async with door(kernel) as address, asking(parts, address, tmp_path) as anna:
        (tmp_path / "token").write_text(parts.service_token("ns/revops/sa/stranger"))
        anna.world.kernel.peers._renew()  # type: ignore[union-attr]
        assert (await refusal(anna)).reason == "FAULT"


async def test_renewed_certificates_are_used_for_new_questions_and_those_under_way_end_well(parts: Parts, tmp_path: Path) -> None:
    kernel, old = parts.kernel(boxes.module()[1]), Authority(tmp_path, "authority")
    old.issue("server", spiffe(OWN_PATH))
    async with door(kernel, tmp_path) as address:
        peers = wire.Peers({"probe": address}, own_credentials(old))
        anna = await parts.world(parts.kernel(rooms.module()[1], peers=peers)).caller()
        box = await Caller(parts.world(kernel), anna.tenant, anna.token)(pb.CreateBoxRequest(box=pb.Box()))
        inspect = pb.InspectBoxRequest(box=box.name)
        await anna(inspect)
        under_way = [asyncio.create_task(anna(inspect)) for _ in range(6)]  # the two share a pool here
        await asyncio.sleep(0)
        new = Authority(tmp_path, "authority")  # replaced whole: the old certificates are worth nothing from now on
        new.issue("server", spiffe(OWN_PATH))
        own_credentials(new)
        peers._renew()
        assert {answer.name for answer in await asyncio.gather(*under_way)} == {box.name}
        assert (await anna(inspect)).name == box.name
        await peers.close()


@pytest.mark.parametrize("spoiled", ["own.pem", "own.key", "authority.pem"])
async def test_a_half_written_certificate_changes_nothing(parts: Parts, tmp_path: Path, spoiled: str) -> None:
    kernel, authority = parts.kernel(boxes.module()[1]), Authority(tmp_path, "authority")
    authority.issue("server", spiffe(OWN_PATH))
    async with door(kernel, tmp_path) as address:
        peers = wire.Peers({"probe": address}, own_credentials(authority))
        anna = await parts.world(parts.kernel(rooms.module()[1], peers=peers)).caller()
        (tmp_path / spoiled).write_bytes((tmp_path / spoiled).read_bytes()[:100])
        with pytest.raises(ValueError, match=r"\S"):
            peers._renew()
        assert (await refusal(anna)).reason == "RESOURCE_NOT_FOUND"
        async with channel(address, Authority(tmp_path, "others"), "client") as stranger:
            with pytest.raises(grpc.aio.AioRpcError):
                await sent(stranger, kernel.methods[GET], pb.GetBoxRequest(name="boxes/b"))
        await peers.close()
