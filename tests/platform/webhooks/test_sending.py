"""One POST, whatever the receiver does: where it goes, how long it lasts, how much of the answer is read."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from revops_mesh.platform.webhooks.addresses import networks
from revops_mesh.platform.webhooks.sending import MOST_READ, Outcome, post
from tests.platform.webhooks.receiver import Receiver

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])
NOT_THERE = "no connection: the host has no address that webhooks may be sent to"


async def sent(url: str, allowed: Any = LOOPBACK, **options: Any) -> Outcome:
    return await post(url, {"webhook-id": "1", "content-type": "application/json"}, '{"x": "ä"}', allowed, **options)


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that were looked up; those under `.test` lead to loopback."""
    names: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *arguments: Any) -> Any:
        names.append(host)
        return real("127.0.0.1" if host.endswith(".test") else host, *arguments)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return names


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def secure(authority: trustme.CA) -> AsyncIterator[tuple[Receiver, list[str | None]]]:
    """A receiver with a certificate for `erp.test`, and the server names that clients asked it for."""
    context, names = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[str | None]()
    authority.issue_cert("erp.test").configure_cert(context)
    context.sni_callback = lambda _, name, __: names.append(name)  # type: ignore[assignment]
    async with Receiver.open(context) as receiver:
        receiver.answer = lambda received: web.Response(status=200)
        yield receiver, names


async def test_a_body_arrives_as_it_is_and_its_answer_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda received: web.Response(status=201, text="thank you")
    outcome = await sent(receiver.url)
    assert (outcome.status, outcome.problem, outcome.beginning, outcome.retry_after) == (201, "", b"thank you", 0)
    (received,) = receiver.received
    assert (received.body, received.headers["content-type"]) == ('{"x": "ä"}', "application/json")
    assert "cookie" not in received.headers


async def test_loopback_is_refused_unless_it_is_allowed(receiver: Receiver, lookups: list[str]) -> None:
    port = receiver.url.split(":")[2]
    for host in ("127.0.0.1", "localhost", "erp.test"):
        for scheme in ("https", "http"):
            outcome = await sent(f"{scheme}://{host}:{port}", ())
            assert (outcome.status, outcome.problem) == (0, NOT_THERE), host
    assert (await sent(f"http://[::ffff:127.0.0.1]:{port}", ())).problem == NOT_THERE
    assert (await sent(f"http://2130706433:{port}", LOOPBACK)).status == 0
    assert receiver.received == []


async def test_a_name_is_looked_up_once_and_its_address_connected_to(
    secure: tuple[Receiver, list[str | None]], trusting: ssl.SSLContext, lookups: list[str]
) -> None:
    """A name whose second answer would be another address (rebinding) has no second answer."""
    receiver, names = secure
    port = receiver.url.split(":")[2].split("/")[0]
    outcome = await sent(f"https://erp.test:{port}/hooks", tls=trusting)
    assert (outcome.status, outcome.problem) == (200, "")
    assert (lookups, names) == (["erp.test"], ["erp.test"])
    assert receiver.received[0].headers["host"] == f"erp.test:{port}"


async def test_a_certificate_has_to_be_the_host_s_and_trusted(
    secure: tuple[Receiver, list[str | None]], trusting: ssl.SSLContext, lookups: list[str]
) -> None:
    receiver, _ = secure
    port = receiver.url.split(":")[2]
    stranger = await sent(f"https://erp.test:{port}")
    other = await sent(f"https://crm.test:{port}", tls=trusting)
    for outcome in (stranger, other):
        assert outcome.status == 0
        assert outcome.problem.startswith("no valid certificate: ")
    assert receiver.received == []


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda received: web.Response(status=307, headers={"location": "/elsewhere"})
    outcome = await sent(receiver.url)
    assert (outcome.status, outcome.problem) == (307, "the receiver answered 307")
    assert len(receiver.received) == 1


async def test_proxies_of_the_environment_do_not_count(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with Receiver.open() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / "netrc").write_text("default login anna password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        receiver.answer = lambda received: web.Response()
        assert (await sent(receiver.url)).status == 200
        assert proxy.received == []
    assert "authorization" not in receiver.received[0].headers


async def test_of_a_long_answer_little_is_read(receiver: Receiver) -> None:
    parts = 0

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal parts
        stream = web.StreamResponse()
        await stream.prepare(request)
        while parts < 10_000:
            await stream.write(b"x" * 65_536)
            parts += 1
        return stream

    async with listening(answer) as url:
        outcome = await sent(url)
    assert (outcome.status, outcome.problem, outcome.beginning) == (200, "", b"x" * MOST_READ)
    assert parts < 1_000


class listening:
    """A server that answers every request with one function."""

    def __init__(self, answer: Any) -> None:
        self._runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


async def test_a_compressed_answer_is_not_expanded(receiver: Receiver) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    receiver.answer = lambda received: web.Response(body=bomb, headers={"content-encoding": "gzip"})
    outcome = await sent(receiver.url)
    assert (outcome.status, outcome.beginning) == (200, bomb[:MOST_READ])


@pytest.mark.parametrize("after", ["nothing", "headers", "trickle"])
async def test_time_is_limited_in_all(after: str) -> None:
    """Also for who answers a byte at a time."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if after == "nothing":
            await asyncio.sleep(5)
        stream = web.StreamResponse()
        await stream.prepare(request)
        while after == "trickle":
            await stream.write(b"x")
            await asyncio.sleep(0.05)
        await asyncio.sleep(5)
        return stream

    async with listening(answer) as url:
        outcome = await sent(url, longest=0.4)
    assert outcome.problem == "no complete answer within 0.4 s"
    assert 350 <= outcome.duration_ms < 3000


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "no answer: ServerDisconnectedError"),
        (b"nonsense\r\n\r\n", "no answer: "),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx", "no answer: ClientPayloadError"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\n\r\n", "no answer: "),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "the receiver answered 101"),
    ],
    ids=["silence", "nonsense", "half a body", "a huge header", "another protocol"],
)
async def test_an_answer_that_is_none_is_an_outcome(said: bytes, problem: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        outcome = await sent(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert outcome.problem.startswith(problem), outcome


async def test_nobody_there_is_an_outcome() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await sent(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert (outcome.status, outcome.problem[:15]) == (0, "no connection: ")
    assert (await sent("https://no-such-host.invalid/")).problem.startswith("no connection: ")
