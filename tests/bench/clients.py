"""What a call costs its caller: the Python client against grpc.aio with Google's messages, by a ten-line quote there and back."""

import os
from collections.abc import Awaitable, Callable

from revops.quoting.v1 import quotes_pb2 as upb
from revops_client import Revops
from revops_client.quoting.v1 import Quote

from revops_mesh.kernel.names import new_uuid
from tests.bench.doors import quote
from tests.bench.measure import Line, Variant, interleave, median, ratio
from tests.bench.world import Bench

CALLS = 160
PATH = "/bench/Echo"


async def clients(bench: Bench, rounds: int) -> list[Line]:
    """CPU of the calling process alone; the server is another. One call after the other, each message built once."""
    headers = bench.headers(new_uuid())
    server, data, more = await bench.serve("echo"), next(quote()), dict(headers)
    token = more.pop("authorization").removeprefix("Bearer ")
    google = server.channel.unary_unary(PATH, upb.Quote.SerializeToString, upb.Quote.FromString)
    plain = server.channel.unary_unary(PATH, bytes, Quote.parse)
    client = (await bench.stack.enter_async_context(Revops(server.address, token))).calls.unary(PATH, Quote)
    theirs, ours, no_upb, nothing_in_it = upb.Quote.FromString(data), Quote.parse(data), upb.Quote(), Quote()
    variants = [
        variant("grpc.aio, Google's messages", lambda: google(theirs, metadata=headers)),
        variant("grpc.aio, betterproto2", lambda: plain(ours, metadata=headers)),
        variant("the client", lambda: client(ours, None, more)),
        variant("grpc.aio, nothing in it", lambda: google(no_upb, metadata=headers)),
        variant("the client, nothing in it", lambda: client(nothing_in_it, None, more)),
    ]
    await interleave([(each, CALLS) for each in variants], rounds)
    raw, messages, whole, empty, whole_empty = variants
    return [
        line("betterproto2 over grpc.aio", raw, messages),
        line("the client, ten lines", raw, whole),
        line("the client, an empty message", empty, whole_empty),
    ]


def variant(name: str, call: Callable[[], Awaitable[object]]) -> Variant:
    """So many calls of this process, one after the other."""

    async def round(calls: int) -> None:
        for _ in range(calls):
            await call()

    return Variant(name, os.getpid(), round)


def line(path: str, raw: Variant, other: Variant) -> Line:
    """How many times what grpc.aio with Google's messages costs; nothing is promised, decision 9 accepts it."""
    measured = f"{1 / ratio(raw, other):.1f}×  ({median(raw):.0f} µs against {median(other):.0f} µs)"
    return Line(f"CPU of the caller: {path}", measured)
