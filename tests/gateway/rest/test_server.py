"""The bridge on a socket: connections that stay open, heads that are too large or too slow, TLS, and a drain."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from google.protobuf.message import Message
from revops.catalog.v1 import products_pb2

from revops_mesh.gateway.rest import server
from revops_mesh.gateway.rest.server import RestServer, opened
from tests.gateway.rest.calling import bridged
from tests.mesh.authorities import Authority

LIST = b"GET /v1/products HTTP/1.1\r\nhost: x\r\n\r\n"


class Slow:
    """A door that answers when it is let."""

    def __init__(self) -> None:
        self.let, self.asked = asyncio.Event(), asyncio.Event()
        self.let.set()

    def serves(self, path: str) -> bool:
        return True

    async def answer(self, path: str, request: Message, sender: Any) -> Message:
        self.asked.set()
        await self.let.wait()
        listed = path.endswith("ListProducts")
        return products_pb2.ListProductsResponse(next_page_token="x") if listed else products_pb2.Product(name="products/x")

    def stream(self, path: str, request: Message, sender: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
async def door() -> Slow:
    return Slow()


@pytest.fixture
async def serving(door: Slow) -> AsyncIterator[RestServer]:
    started = RestServer(bridged(door), "127.0.0.1:0")
    await started.start()
    yield started
    door.let.set()
    await started.stop(1)


class Connection:
    """A connection of a client that writes bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers.get("content-length", 0)))

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


async def connect(serving: RestServer, tls: ssl.SSLContext | None = None) -> Connection:
    name = "localhost" if tls else None
    return Connection(*await asyncio.open_connection("127.0.0.1", serving.port, ssl=tls, server_hostname=name))


async def test_a_connection_serves_many_requests_also_sent_at_once(serving: RestServer) -> None:
    connection = await connect(serving)
    connection.writer.write(LIST * 3)
    for _ in range(3):
        status, headers, body = await connection.answer()
        assert (status, body) == (200, b'{"nextPageToken":"x"}')
        assert "connection" not in headers
    connection.writer.write(LIST.replace(b"GET", b"HEAD"))
    head = (await connection.reader.readuntil(b"\r\n\r\n")).decode()
    assert f"content-length: {len(body)}" in head
    connection.writer.write(LIST)
    assert (await connection.answer())[0] == 200, "a head has no body"


async def test_a_body_that_comes_in_pieces_is_awaited_and_asked_for(serving: RestServer) -> None:
    connection = await connect(serving)
    connection.writer.write(b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.writer.write(b"{")
    await asyncio.sleep(0.05)
    connection.writer.write(b"}")
    assert (await connection.answer())[0] == 200


async def test_a_body_that_is_too_large_is_refused_before_it_is_sent(serving: RestServer) -> None:
    connection = await connect(serving)
    connection.writer.write(b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n{")
    status, headers, _ = await connection.answer()
    assert (status, headers["connection"]) == (413, "close")
    assert await connection.ended()


@pytest.mark.parametrize(
    "head", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\na\0b: c\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"]
)
async def test_what_is_no_http_is_refused(serving: RestServer, head: bytes) -> None:
    connection = await connect(serving)
    connection.writer.write(head + b"\r\n\r\n")
    assert (await connection.answer())[0] == 400
    assert await connection.ended()


async def test_a_head_that_is_too_large_is_refused(serving: RestServer) -> None:
    connection = await connect(serving)
    connection.writer.write(b"GET /v1/products HTTP/1.1\r\nx: ")
    for _ in range(4):
        await asyncio.sleep(0.05)
        connection.writer.write(b"x" * (server.MOST_HEAD // 3))
    status, _, body = await connection.answer()
    assert (status, body) == (400, b"The head of the request is too large.")
    assert await connection.ended()


async def test_large_bodies_do_not_count_as_heads(serving: RestServer) -> None:
    connection = await connect(serving)
    body = b'{"description": "' + b"x" * (2 * server.MOST_HEAD) + b'"}'
    for _ in range(2):
        connection.writer.write(b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert (await connection.answer())[0] == 200


@pytest.mark.parametrize(
    "begun", [b"GET /v1/products HTTP/1.1\r\nx: ", b"POST /v1/products HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"]
)
async def test_a_request_that_never_ends_is_not_awaited(
    serving: RestServer, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SENT_SECONDS", 0.2)
    connection = await connect(serving)
    connection.writer.write(begun)
    assert await connection.ended()


async def test_an_idle_connection_and_a_slow_answer_are_no_slow_requests(
    serving: RestServer, door: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SENT_SECONDS", 0.2)
    connection = await connect(serving)
    for slow in (False, True):
        door.let.clear() if slow else door.let.set()
        connection.writer.write(LIST)
        await asyncio.sleep(0.4)
        door.let.set()
        assert (await connection.answer())[0] == 200


async def test_a_taken_port_is_named(serving: RestServer) -> None:
    with pytest.raises(OSError, match=rf"cannot serve HTTP on 127\.0\.0\.1:{serving.port}: Address already in use"):
        RestServer(bridged(Slow()), f"127.0.0.1:{serving.port}")


async def test_a_stop_lets_calls_finish_and_takes_no_new_ones(serving: RestServer, door: Slow) -> None:
    door.let.clear()
    idle, busy = await connect(serving), await connect(serving)
    busy.writer.write(LIST)
    async with asyncio.timeout(10):
        await door.asked.wait()
    stopped = asyncio.create_task(serving.stop(10))
    assert await idle.ended()
    with pytest.raises(OSError):  # noqa: PT011
        await connect(serving)
    assert not stopped.done()
    door.let.set()
    status, headers, _ = await busy.answer()
    assert (status, headers["connection"]) == (200, "close")
    async with asyncio.timeout(10):
        await stopped


class Files:
    """Settings of a port with TLS."""

    def __init__(self, directory: Path, client_ca: Path | None = None) -> None:
        self.tls_cert, self.tls_key, self.tls_client_ca = directory / "member.pem", directory / "member.key", client_ca


def trusting(authority: Authority, name: str = "") -> ssl.SSLContext:
    """A client of servers of an authority, with a certificate of its own if it has a name."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if name:
        authority.issue(name)
        context.load_cert_chain(authority.directory / f"{name}.pem", authority.directory / f"{name}.key")
    return context


async def test_tls_follows_a_renewed_certificate(tmp_path: Path, door: Slow) -> None:
    authority = Authority(tmp_path, "authority")
    first = authority.issue("member")[0]
    serving = await opened(bridged(door), Files(tmp_path), "127.0.0.1:0")
    try:
        for renewed in (False, True):
            if renewed:
                assert authority.issue("member")[0] != first
            connection = await connect(serving, trusting(authority))
            shown = connection.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert (ssl.DER_cert_to_PEM_cert(shown).encode().strip() == first.strip()) != renewed
            connection.writer.write(LIST)
            assert (await connection.answer())[0] == 200
            connection.writer.close()
    finally:
        await serving.stop(1)


async def test_mutual_tls_lets_only_certificates_of_its_authority_in(tmp_path: Path, door: Slow) -> None:
    authority = Authority(tmp_path, "authority")
    authority.issue("member")
    serving = await opened(bridged(door), Files(tmp_path, tmp_path / "authority.pem"), "127.0.0.1:0")
    try:
        known = await connect(serving, trusting(authority, "client"))
        known.writer.write(LIST)
        assert (await known.answer())[0] == 200
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await _asked_by_a_stranger(serving, authority)
    finally:
        await serving.stop(1)


async def _asked_by_a_stranger(serving: RestServer, authority: Authority) -> None:
    stranger = await connect(serving, trusting(authority))
    stranger.writer.write(LIST)
    await stranger.answer()


def test_a_client_that_leaves_before_its_answer_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On uvloop, whose transports raise when they are written to after their end; the answer comes at that moment."""

    async def leave() -> None:
        door = Slow()
        door.let.clear()
        monkeypatch.setattr(server.BoundedHttp, "eof_received", lambda _: door.let.set())
        started = RestServer(bridged(door), "127.0.0.1:0")
        await started.start()
        connection = await connect(started)
        connection.writer.write(LIST)
        async with asyncio.timeout(10):
            await door.asked.wait()
        connection.writer.write_eof()
        assert await connection.ended()
        await started.stop(1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(leave())
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_every_request_of_a_connection_hears_that_its_client_has_left(
    serving: RestServer, door: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = asyncio.Event()

    async def stream(path: str, request: Message, sender: Any) -> Any:
        try:
            door.asked.set()
            await asyncio.Event().wait()
            yield
        finally:
            left.set()

    monkeypatch.setattr(door, "stream", stream)
    connection = await connect(serving)
    connection.writer.write(b"GET /v1/auditEntries:stream HTTP/1.1\r\nhost: x\r\n\r\n" + LIST)
    async with asyncio.timeout(10):
        await door.asked.wait()
        connection.writer.close()
        await left.wait()
