"""What the REST bridge costs: against an ASGI application that does nothing but read the same JSON and write it back."""

import asyncio
import sys
from dataclasses import dataclass

import orjson

from revops_mesh.gateway.protojson import writer
from revops_mesh.kernel.contract import described
from revops_mesh.kernel.names import new_uuid
from revops_mesh.local.ports import free_port
from tests.bench.doors import ten_lines
from tests.bench.measure import Line, Variant, interleave, median, ratio
from tests.bench.world import IN_FLIGHT, Bench, Headers

CALLS = 640
MOST = 3.5
"""Times the CPU of the echo."""


async def bridge(bench: Bench, rounds: int) -> list[Line]:
    """The bridge alone, in front of the pipeline in its process, and in front of the same pipeline at the end of a channel."""
    caller, quote = bench.headers(new_uuid()), ten_lines()
    request = _request("/v1/echo0", orjson.dumps(writer(described(quote))(quote)), caller)
    elsewhere = await bench.serve("pipeline3")
    port = elsewhere.address.rpartition(":")[2]
    servers = [await _serve(bench, *arguments) for arguments in (("json",), ("bridge",), ("pipeline",), ("channel", port))]
    echo, *bridges = [server.variant(request) for server in servers]
    await interleave([(each, CALLS) for each in (echo, *bridges)], rounds)
    alone, pipeline, channel = bridges
    return [
        _line("REST bridge, without what answers", echo, alone, MOST),
        _line("REST bridge in process, with the whole pipeline", echo, pipeline),
        _line("REST bridge over a channel, its own process", echo, channel),
    ]


def _line(path: str, echo: Variant, candidate: Variant, most: float = 0.0) -> Line:
    times = 1 / ratio(echo, candidate)
    detail = f"{times:.2f}×  ({median(echo):.0f} µs, then {median(candidate):.0f} µs)"
    return Line(path, detail, f"≤ {most:.2f}×", times <= most) if most else Line(path, detail)


def _request(path: str, body: bytes, caller: Headers) -> bytes:
    """A whole request on the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: bench", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in caller]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class _Server:
    """An HTTP server process, and connections to it that stay open."""

    name: str
    process: asyncio.subprocess.Process
    connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]

    def variant(self, request: bytes) -> Variant:
        """Sends the request, sixteen at a time, and fails on the first answer that is not 200."""

        async def worker(reader: asyncio.StreamReader, to: asyncio.StreamWriter, calls: int) -> None:
            for _ in range(calls):
                to.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError(f"{self.name}: {head.decode()}")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))

        async def round(calls: int) -> None:
            await asyncio.gather(*(worker(*each, calls // IN_FLIGHT) for each in self.connections))

        return Variant(self.name, self.process.pid, round)


async def _serve(bench: Bench, variant: str, *extra: str) -> _Server:
    port = free_port()
    arguments = [variant, str(port), str(bench.folder / "key.pem"), *extra]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.http_server", *arguments, stdout=asyncio.subprocess.PIPE
    )
    bench.stack.push_async_callback(_stop, process)
    assert process.stdout is not None
    if (await process.stdout.readline()).strip() != b"ready":
        raise RuntimeError(f"the {variant} server did not start")
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(IN_FLIGHT)]
    for _, to in connections:
        bench.stack.callback(to.close)
    return _Server(variant, process, connections)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()
