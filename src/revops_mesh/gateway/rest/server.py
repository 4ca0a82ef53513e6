"""HTTP on a socket: uvicorn with httptools around a bridge, its TLS, its bounds on what clients may send slowly, and its drain.

Times are seconds, sizes bytes. uvicorn bounds neither the head of a request nor how long it takes to come.
"""

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any, Protocol, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .bridge import Bridge

MOST_HEAD = 64 << 10
SENT_SECONDS = 30.0
IDLE_SECONDS = 75
"""Longer than balancers keep an idle connection, so that they close it first."""


class Listening(Protocol):
    """Settings of a port."""

    @property
    def tls_cert(self) -> Path | None: ...
    @property
    def tls_key(self) -> Path | None: ...
    @property
    def tls_client_ca(self) -> Path | None: ...


class Parting:
    """A transport that drops what is written after its client has left, as asyncio's own do; those of uvloop raise."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Sends, if there is still somebody."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the size of a head, on the time in which it comes, and on pauses in a body.

    When the client leaves, every request on the connection hears of it: uvicorn tells the last one alone.
    """

    _head = -1
    """Bytes of the head that is coming, without the packet in which it began; -1 if none is."""
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(cast("asyncio.Transport", Parting(transport)))
        self._under_way: list[Any] = []

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head = 0
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Refuses a head that is too large, and ends its connection."""
        before, request = self._head, self._late
        super().data_received(data)
        if request is None or self._late is not request:
            return
        if self._head < 0:
            self._wait()
        elif self._head == before:
            self._head += len(data)
            if self._head > MOST_HEAD:
                self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """The head is there; the bridge bounds the body."""
        self._head = -1
        super().on_headers_complete()
        self._under_way = [*(each for each in self._under_way if not each.response_complete), self.cycle]

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._let_go()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._let_go()
        for each in self._under_way:
            each.disconnected = True
            each.message_event.set()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._let_go()
        self._late = self.loop.call_later(SENT_SECONDS, self.transport.close)

    def _let_go(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class RestServer:
    """A bridge on a port."""

    def __init__(self, bridge: Bridge, address: str, tls: ssl.SSLContext | None = None, *, shared: bool = False) -> None:
        """`shared` lets several processes listen on the port. Raises `OSError` naming the address when it cannot be bound."""
        self._bridge, self._socket = bridge, _bound(address, shared)
        config = uvicorn.Config(
            bridge,
            http=BoundedHttp,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
            ssl_context_factory=(lambda _config, _default: tls) if tls is not None else None,
        )
        self._server = uvicorn.Server(config)
        self._ticking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        found: int = self._socket.getsockname()[1]
        return found

    async def start(self) -> None:
        """Listens; signals stay with the process, which is why `uvicorn.Server.serve` is not used."""
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup([self._socket])
        self._ticking = asyncio.create_task(self._server.main_loop(), name="http")

    async def stop(self, grace: float) -> None:
        """Ends streams, closes the port, and lets calls under way finish for so many seconds."""
        self._bridge.end_streams()
        self._server.config.timeout_graceful_shutdown = max(1, round(grace))
        self._server.should_exit = True
        if self._ticking is not None:
            await self._ticking
            await self._server.shutdown([self._socket])


async def opened(bridge: Bridge, settings: Listening, address: str, *, shared: bool = False) -> RestServer:
    """A bridge that is served at an address, by TLS if the settings have a certificate. Raises `OSError`."""
    cert, key = settings.tls_cert, settings.tls_key
    tls = _tls(cert, key, settings.tls_client_ca) if cert is not None and key is not None else None
    server = RestServer(bridge, address, tls, shared=shared)
    await server.start()
    return server


def _tls(cert: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """TLS by files that are read again when they change, as when a certificate is renewed. With `client_ca`, mutual TLS.

    Raises `OSError` and `ssl.SSLError`.
    """
    files = [path for path in (cert, key, client_ca) if path is not None]
    known: list[Any] = []

    def current() -> ssl.SSLContext:
        times = [path.stat().st_mtime_ns for path in files]
        if not known or known[0] != times:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(cert, key)
            if client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            known[:] = [times, context]
        found: ssl.SSLContext = known[1]
        return found

    def handshake(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        with contextlib.suppress(OSError):  # between the two files of a renewal; what there was holds on
            connection.context = current()

    first = current()
    first.sni_callback = handshake
    return first


def _bound(address: str, shared: bool) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, int(port)))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot serve HTTP on {address}: {error.strerror}") from None
    return bound
