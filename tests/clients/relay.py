"""A way between a client and a member that a test can cut, divert and make lose what the member says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Forwards connections to whatever `backend` is, an address or none."""

    def __init__(self, backend: str | None) -> None:
        self.backend, self.deaf, self.address = backend, False, ""
        self.tried = asyncio.Event()
        """Set once somebody has tried to connect."""
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Breaks all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection of the client."""
        self._writers.add(writer)
        self.tried.set()
        try:
            if self.backend is None:
                return
            host, _, port = self.backend.rpartition(":")
            with suppress(OSError):
                onward, back = await asyncio.open_connection(host, int(port)), writer
                self._writers.add(onward[1])
                await asyncio.gather(self._pump(reader, onward[1]), self._pump(onward[0], back, answers=True))
        finally:
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                if not (answers and self.deaf):
                    sink.write(chunk)
                    await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def relay(backend: str | None) -> AsyncIterator[Relay]:
    """Such a way, on a port of its own."""
    made = Relay(backend)
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.address = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
    try:
        yield made
    finally:
        server.close()
        made.cut()
