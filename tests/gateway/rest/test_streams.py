"""Streams over HTTP: lines or events, refusals before and after the first answer, clients that leave, drains and deadlines."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.gateway.rest import streams
from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.gateway.rest.refusals import refused
from revops_mesh.kernel.errors import refuse
from tests.contract import making
from tests.gateway.rest.calling import Rest, answered, bridged
from tests.gateway.rest.conftest import rest_of
from tests.world import World

STREAM = "/v1/priceBooks/list/entries:stream"
AUDIT = "/v1/auditEntries:stream?startTime=2020-01-01T00:00:00Z"


class Streaming:
    """A door whose streams are what a test says."""

    def __init__(self, answers: Callable[[], AsyncGenerator[Message, None]]) -> None:
        self._answers = answers
        self.closed = asyncio.Event()

    def serves(self, path: str) -> bool:
        return True

    async def answer(self, path: str, request: Message, sender: Any) -> Message:
        raise NotImplementedError

    async def stream(self, path: str, request: Message, sender: Any) -> AsyncGenerator[Message, None]:
        try:
            async for answer in self._answers():
                yield answer
        finally:
            self.closed.set()


async def two() -> AsyncGenerator[Message, None]:
    yield books.PriceEntry(name="a")
    yield books.PriceEntry(name="b")


async def broken() -> AsyncGenerator[Message, None]:
    yield books.PriceEntry(name="a")
    raise refused(refuse(platform.CREDENTIALS_EXPIRED, "The token has expired: get a new one."))


async def faulty() -> AsyncGenerator[Message, None]:
    yield books.PriceEntry(name="a")
    raise RuntimeError("the secret of the house")


async def endless() -> AsyncGenerator[Message, None]:
    yield books.PriceEntry(name="a")
    await asyncio.Event().wait()


async def test_answers_are_lines_of_json(world: World, bridge: Bridge) -> None:
    caller = await world.caller()
    entry = await making.price_entry(world, caller)
    answer = await rest_of(bridge, caller)("GET", f"/v1/{entry.name.split('/entries/')[0]}/entries:stream")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert [each["name"] for each in answer.lines] == [entry.name]


async def test_answers_are_events_for_who_asks_for_them(world: World, bridge: Bridge) -> None:
    caller = await world.caller()
    await making.product(world, caller)
    answer = await rest_of(bridge, caller)("GET", f"{AUDIT}&stopAtEnd=true", accept="text/event-stream")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("text/event-stream", "no-cache")
    (kind, entry), *_, end = answer.events
    assert (kind, entry["outcome"], end) == ("message", "OK", ("end", {}))


async def test_a_stream_that_is_refused_at_once_has_a_status(world: World, bridge: Bridge) -> None:
    anna = rest_of(bridge, await world.caller())
    missing = await anna("GET", "/v1/priceBooks/none/entries:stream")
    assert (missing.status, missing.reason, missing.headers["content-type"]) == (404, "RESOURCE_NOT_FOUND", "application/json")
    assert (await Rest(bridge)("GET", AUDIT)).status == 401
    assert (await anna("HEAD", AUDIT)).status == 405


async def test_a_refusal_after_the_first_answer_is_the_last_line() -> None:
    first, last = (await Rest(bridged(Streaming(broken)))("GET", STREAM)).lines
    assert first == {"name": "a"}
    assert (last["error"]["code"], last["error"]["details"][0]["reason"]) == (401, "CREDENTIALS_EXPIRED")
    message, error = (await Rest(bridged(Streaming(broken)))("GET", STREAM, accept="text/event-stream")).events
    assert (message, error[0], error[1]["error"]["status"]) == (("message", {"name": "a"}), "error", "UNAUTHENTICATED")


async def test_a_fault_in_the_middle_is_told_without_its_text() -> None:
    answer = await Rest(bridged(Streaming(faulty)))("GET", STREAM)
    assert answer.lines[-1]["error"]["details"][0]["reason"] == "FAULT"
    assert b"secret" not in answer.raw


@pytest.mark.parametrize("accept", ["", "text/event-stream"])
async def test_a_stream_is_compressed_answer_by_answer(accept: str) -> None:
    answer = await Rest(bridged(Streaming(two)))("GET", STREAM, accept=accept, accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    found = [each for _, each in answer.events[:-1]] if accept else answer.lines
    assert found == [{"name": "a"}, {"name": "b"}]


class Client:
    """A client of an endless stream, who can leave."""

    def __init__(self, bridge: Bridge, **headers: str) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.seen: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        scope = {
            "type": "http", "method": "GET", "raw_path": STREAM.encode(), "query_string": b"", "client": None,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        self.task = asyncio.create_task(bridge(scope, self._receive, self.events.put))

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            self.seen.append(await self.events.get())
        return self.seen[-1]


async def test_a_client_that_leaves_ends_the_call() -> None:
    door = Streaming(endless)
    client = Client(bridged(door))
    assert (await client.next())["status"] == 200
    assert json.loads((await client.next())["body"]) == {"name": "a"}
    client.left.set()
    async with asyncio.timeout(10):
        await client.task
        await door.closed.wait()


async def test_a_client_that_leaves_gives_its_place_back(world: World, bridge: Bridge) -> None:
    """Of the streams that a tenant may have, whoever leaves holds none."""
    caller = await world.caller()
    await making.product(world, caller)
    for _ in range(60):
        client = Client(bridge, authorization=f"Bearer {caller.token}")
        client.task.cancel()
        await asyncio.gather(client.task, return_exceptions=True)
    answer = await rest_of(bridge, caller)("GET", f"{AUDIT}&stopAtEnd=true")
    assert (answer.status, len(answer.lines)) == (200, 1)


async def test_a_drain_ends_streams_and_says_so() -> None:
    bridge = bridged(Streaming(endless))
    client = Client(bridge)
    await client.next()
    await client.next()
    bridge.end_streams()
    error = json.loads((await client.next())["body"])["error"]
    assert (error["code"], error["details"][0]["reason"]) == (503, "MEMBER_UNAVAILABLE")
    await client.task
    late = answered([event async for event in _whole(Client(bridge))])
    assert late.lines[-1]["error"]["code"] == 503


async def _whole(client: Client) -> AsyncGenerator[dict[str, Any], None]:
    await client.task
    while not client.events.empty():
        yield client.events.get_nowait()


async def test_a_deadline_ends_a_stream() -> None:
    answer = await Rest(bridged(Streaming(endless)))("GET", STREAM, x_request_timeout="0.2")
    assert [each.get("name") or each["error"]["details"][0]["reason"] for each in answer.lines] == ["a", "DEADLINE_PASSED"]


async def test_a_quiet_stream_of_events_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "QUIET_SECONDS", 0.05)
    client = Client(bridged(Streaming(endless)), accept="text/event-stream")
    assert (await client.next())["status"] == 200
    assert (await client.next())["body"].startswith(b"data: ")
    assert (await client.next())["body"] == b": quiet\n\n"
    client.left.set()
    await client.task


async def test_a_silent_stream_begins_before_its_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent() -> AsyncGenerator[Message, None]:
        await asyncio.Event().wait()
        yield books.PriceEntry()

    monkeypatch.setattr(streams, "FIRST_SECONDS", 0.05)
    client = Client(bridged(Streaming(silent)))
    assert (await client.next())["status"] == 200
    client.left.set()
    await client.task
