"""One server of the bench, in a process of its own: `python -m tests.bench.server VARIANT PORT KEYFILE DSN [NATS]`.

Variants: `echo` (bare generic table), `pipeline3` and `pipeline300` (kernel without store), `raw` (hand-written handlers over the
store), `member` (the real one), `relay` (the relay, and publication by hand), `webhooks` (everything that delivers them).
"""

import asyncio
import cProfile
import gc
import os
import signal
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import uvloop
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value
from joserfc.jwk import ECKey, KeySet
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh import member
from revops_mesh.cli.parts import OUTSIDE
from revops_mesh.identity import Tokens
from revops_mesh.kernel import clock
from revops_mesh.kernel.names import derived, new_id, new_uuid
from revops_mesh.kernel.pools import LoginPools, Pool
from revops_mesh.messaging.envelope import headers, subject
from revops_mesh.messaging.errands import Errands
from revops_mesh.messaging.reactions import Reactions
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import Stream
from revops_mesh.messaging.worker import Counts
from revops_mesh.platform.webhooks import signing
from revops_mesh.platform.webhooks.sending import post
from revops_mesh.runtime.server import OPTIONS, Streams, Table, kernel_handlers
from tests.bench import baseline, synthetic
from tests.world import SECRETS

POOL, SENDERS = 16, 16
PROFILE = os.environ.get("BENCH_PROFILE", "")
"""Where to leave profiles of the servers, as in /tmp/profile; empty for none."""
SERVICE = "/revops.quoting.v1.QuoteService"
ANNA = derived("principal", "users/anna")


async def never(failure: object) -> bool:
    """Nothing is tried again in a bench."""
    return False


def kernel_table(kernel: Any) -> dict[str, Any]:
    """The member's own door over a kernel."""
    return dict(kernel_handlers(kernel, Streams(), never))


def unary(handler: Any, request: Any, response: Any) -> Any:
    """A bare handler."""
    return grpc.unary_unary_rpc_method_handler(handler, request.FromString, response.SerializeToString)


def echo_table() -> dict[str, Any]:
    """A handler that reads the headers, as any would, and answers the message."""

    async def echo(request: Any, context: Any) -> Any:
        context.invocation_metadata()
        return request

    return {"/bench/Echo": unary(echo, quotes.Quote, quotes.Quote)}


def tenant_of(context: Any) -> UUID:
    """The tenant that hand-written handlers are told in a header."""
    return UUID(dict(context.invocation_metadata())["tenant"])


def as_stored(quote: Any, request: Any) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The replay key and the row that the baseline writes for a quote."""
    request_id, digest, net = UUID(request.request_id), new_uuid(), quote.totals.net_amount
    event = quotes.QuoteCreated(quote=quote.name, account=quote.account, net_amount=net).SerializeToString()
    money = (quote.account, Decimal(net.amount), list(quote.price_entries))
    outbox = (hash(quote.name) & 63, new_uuid(), event)
    row = (quote.name, quote.SerializeToString(), *money, *outbox, digest, request.SerializeToString(), ANNA, request_id)
    return {"principal": ANNA, "request_id": request_id, "digest": digest}, row


async def raw_table(dsn: str) -> dict[str, Any]:
    """Hand-written handlers over the baseline's statements, which take the member's requests and write its rows.

    They price nothing: what `Create` stores and answers are, in turns, the tenant's first fifty quotes under new names.
    """
    pool = await baseline.open_pool(dsn, POOL)
    priced: dict[UUID, Iterator[Message]] = {}

    async def get(request: Any, context: Any) -> Any:
        return await baseline.get(pool, tenant_of(context), request.name, quotes.Quote)

    async def page(request: Any, context: Any) -> Any:
        found: Any = await baseline.page(pool, tenant_of(context), request.page_token, quotes.Quote)
        return quotes.ListQuotesResponse(quotes=found)

    async def create(request: Any, context: Any) -> Any:
        tenant = tenant_of(context)
        if tenant not in priced:
            priced[tenant] = cycle(await baseline.page(pool, tenant, "", quotes.Quote))
        quote: Any = next(priced[tenant])
        quote.name = f"quotes/{new_id()}"
        ids, row = as_stored(quote, request)
        await baseline.create(pool, tenant, ids, row)
        return quote

    return {
        f"{SERVICE}/GetQuote": unary(get, quotes.GetQuoteRequest, quotes.Quote),
        f"{SERVICE}/ListQuotes": unary(page, quotes.ListQuotesRequest, quotes.ListQuotesResponse),
        f"{SERVICE}/CreateQuote": unary(create, quotes.CreateQuoteRequest, quotes.Quote),
    }


def relay_table(dsn: str, nats_url: str) -> dict[str, Any]:
    """A relay that runs until the outbox is empty whenever it is called, and the same events published by hand."""
    counts, pool, stream = Counts(), Pool(dsn, "revops_relay", 4), Stream(nats_url)
    prepared: list[tuple[str, bytes, dict[str, str]]] = []

    async def relay(request: Any, context: Any) -> Any:
        before, running = counts.published, asyncio.create_task(Relay(pool, stream, counts).run())
        async with pool.acquire() as connection:
            while await connection.fetchval("SELECT EXISTS (SELECT FROM kernel.outbox)"):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.wait([running])
        return Int32Value(value=counts.published - before)

    async def prepare(request: Any, context: Any) -> Any:
        async with pool.acquire() as connection:
            rows = await connection.fetch("SELECT * FROM kernel.outbox ORDER BY bucket,tenant_id,aggregate,revision,n")
            await connection.execute("DELETE FROM kernel.outbox")
        prepared[:] = [(subject(row["tenant_id"].hex, row["type"]), row["payload"], headers(row)) for row in rows]
        return Int32Value(value=len(prepared))

    async def publish(request: Any, context: Any) -> Any:
        await baseline.publish(await stream.context(), prepared)
        return request

    handlers = {"Relay": relay, "Prepare": prepare, "Publish": publish}
    return {f"/bench/{name}": unary(handler, Int32Value, Int32Value) for name, handler in handlers.items()}


async def webhook_table(dsn: str, key: ECKey, nats_url: str) -> dict[str, Any]:
    """Workers that bring events to receivers, and the sending alone, without store and broker."""
    counts, pool, stream = Counts(), Pool(dsn, "revops_relay", 8), Stream(nats_url)
    tokens, pools = Tokens(KeySet([key]), synthetic.ISSUER, synthetic.AUDIENCE), await LoginPools.open(dsn, POOL)
    kernel = member.compose(pools, tokens, SECRETS, networks=["127.0.0.0/8"])
    (errand,) = OUTSIDE
    workers = [Relay(pool, stream, counts), Reactions(kernel, pool, stream, counts), Errands(kernel, pool, counts, errand)]
    running = [asyncio.create_task(worker.run()) for worker in workers]

    async def deliver(request: Any, context: Any) -> Any:
        wanted = counts.fired + request.value
        while counts.fired < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if ended := [task for task in running if task.done()]:
            raise RuntimeError(f"{len(ended)} workers ended")
        return request

    async def send(request: Any, context: Any) -> Any:
        url, body = dict(context.invocation_metadata())["receiver"], '{"data":{}}'
        sent = signing.headers(new_uuid().hex, clock.now(), body, [signing.mint()])

        async def some(times: int) -> None:
            for _ in range(times):
                outcome = await post(url, sent, body, kernel.networks)
                if outcome.problem:
                    raise RuntimeError(outcome.problem)

        await asyncio.gather(*(some(request.value // SENDERS) for _ in range(SENDERS)))
        return request

    handlers = {"Deliver": deliver, "Send": send}
    return {f"/bench/{name}": unary(handler, Int32Value, Int32Value) for name, handler in handlers.items()}


async def table(variant: str, key: ECKey, dsn: str, extra: str) -> dict[str, Any]:
    """The handlers of a variant; `extra` is the URL of NATS for those that need it."""
    if variant == "webhooks":
        return await webhook_table(dsn, key, extra)
    if variant == "echo":
        return echo_table()
    if variant.startswith("pipeline"):
        return kernel_table(synthetic.kernel(int(variant.removeprefix("pipeline")), key))
    if variant == "raw":
        return await raw_table(dsn)
    if variant == "relay":
        return relay_table(dsn, extra)
    pools = await LoginPools.open(dsn, POOL)
    tokens = Tokens(KeySet([key]), synthetic.ISSUER, synthetic.AUDIENCE)
    return kernel_table(member.compose(pools, tokens, [b"bench" * 8]))


async def main(variant: str, port: str, key_file: str, dsn: str, extra: str = "") -> None:
    """Serves until killed."""
    os.sched_setaffinity(0, {0})
    key = ECKey.import_key(Path(key_file).read_text())
    options = [*(o for o in OPTIONS if "max_connection" not in o[0]), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((Table(await table(variant, key, dsn, extra)),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    gc.freeze()
    print("ready", flush=True)
    if PROFILE:
        await profiled(f"{PROFILE}.{variant}")
    else:
        await server.wait_for_termination()


async def profiled(path: str) -> None:
    """Serves under cProfile until SIGTERM and leaves the statistics in a file. Then no number of the bench means anything."""
    stopped, profile = asyncio.Event(), cProfile.Profile()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    profile.enable()
    await stopped.wait()
    profile.disable()
    profile.dump_stats(path)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
