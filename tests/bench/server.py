"""One server of the bench, in a process of its own: `python -m tests.bench.server VARIANT PORT KEYFILE [DSN]`.

Variants: `echo` (bare generic table), `pipeline3` and `pipeline300` (kernel without store), `raw` (hand-written handlers over the
store), `member` (the real one).
"""

import gc
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import uvloop
from joserfc.jwk import ECKey, KeySet
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh import member
from revops_mesh.kernel.identity import Tokens
from revops_mesh.kernel.names import derived, new_id, new_uuid
from revops_mesh.kernel.pools import LoginPools
from revops_mesh.numbers.money import EXACT
from revops_mesh.runtime.server import OPTIONS, Streams, Table, kernel_handlers
from tests.bench import baseline, synthetic

POOL = 16


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


async def raw_table(dsn: str) -> dict[str, Any]:
    """Hand-written handlers over the baseline's statements; the tenant and the name come with the request."""
    pool = await baseline.open_pool(dsn, POOL)

    async def get(request: Any, context: Any) -> Any:
        return await baseline.get(pool, tenant_of(context), request.name, quotes.Quote)

    async def page(request: Any, context: Any) -> Any:
        return quotes.ListQuotesResponse(quotes=await baseline.page(pool, tenant_of(context), request.page_token, quotes.Quote))

    async def create(request: Any, context: Any) -> Any:
        tenant, principal = tenant_of(context), derived("principal", "users/anna")
        quote, body = request.quote, request.quote.SerializeToString()
        quote.name = f"quotes/{new_id()}"
        request_id, digest = UUID(request.request_id), new_uuid()
        ids = {"principal": principal, "request_id": request_id, "digest": digest}
        event = quotes.QuoteCreated(quote=quote.name, account=quote.account).SerializeToString()
        net = EXACT.create_decimal("1000.00")
        entries = [charge.price_entry for line in quote.lines for charge in line.charges]
        row = (
            quote.name,
            body,
            quote.account,
            net,
            entries,
            hash(quote.name) & 63,
            new_uuid(),
            event,
            digest,
            body,
            principal,
            request_id,
        )
        await baseline.create(pool, tenant, ids, row)
        return quote

    return {
        "/bench/Get": unary(get, quotes.GetQuoteRequest, quotes.Quote),
        "/bench/List": unary(page, quotes.ListQuotesRequest, quotes.ListQuotesResponse),
        "/bench/Create": unary(create, quotes.CreateQuoteRequest, quotes.Quote),
    }


async def table(variant: str, key: ECKey, dsn: str) -> dict[str, Any]:
    """The handlers of a variant."""
    if variant == "echo":
        return echo_table()
    if variant.startswith("pipeline"):
        return kernel_table(synthetic.kernel(int(variant.removeprefix("pipeline")), key))
    if variant == "raw":
        return await raw_table(dsn)
    pools = await LoginPools.open(dsn, POOL)
    tokens = Tokens(KeySet([key]), synthetic.ISSUER, synthetic.AUDIENCE)
    return kernel_table(member.compose(pools, tokens, [b"bench" * 8]))


async def main(variant: str, port: str, key_file: str, dsn: str = "") -> None:
    """Serves until killed."""
    os.sched_setaffinity(0, {0})
    key = ECKey.import_key(Path(key_file).read_text())
    options = [*(o for o in OPTIONS if "max_connection" not in o[0]), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((Table(await table(variant, key, dsn)),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    gc.freeze()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
