"""The relay, from the outbox to the stream, against nats-py's pipelined publication of the same messages."""

from functools import partial

from google.protobuf.wrappers_pb2 import Int32Value
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.local.nats import Nats
from tests.bench.measure import WALL, Line, Variant, at_least, interleave, median
from tests.bench.world import DATABASE, Bench, owner

EVENTS = 4000
"""A round."""
FILL = (
    "INSERT INTO kernel.outbox(tenant_id,bucket,aggregate,revision,n,id,type,payload,trace,time)"
    " SELECT $1,g%64,'quotes/q'||g,1,0,gen_random_uuid(),'revops.quoting.v1.QuoteCreated',$2,'',now()"
    " FROM generate_series(1,$3::int) g"
)


async def relay(bench: Bench, rounds: int) -> list[Line]:
    """Events a second. The stream syncs as NATS does by itself and not at every message, or the disk would hide both."""
    nats = bench.stack.enter_context(Nats(bench.folder / "relayed", durable=False))
    server, connection, tenant = await bench.serve("relay", DATABASE, nats.url), await owner(bench), await bench.world.tenant()
    caller = bench.headers(tenant)
    event = pb.QuoteCreated(quote="quotes/0123456789abcdefghjkmnpqrs", account="accounts/acme")
    event.net_amount.amount, event.net_amount.currency_code = "1204.50", "EUR"
    await connection.execute("TRUNCATE kernel.outbox")

    async def ask(name: str, events: int) -> None:
        answer = await server.ask(f"/bench/{name}", Int32Value(value=events), Int32Value, caller)
        if answer.value != events:
            raise RuntimeError(f"{name} found {answer.value} of {events} events")

    async def fill(events: int) -> None:
        await connection.execute(FILL, tenant, event.SerializeToString(), events)

    async def prepare(events: int) -> None:
        await fill(events)
        await ask("Prepare", events)

    relayed = Variant("relay", server.pid, partial(ask, "Relay"), server.backends, fill)
    published = Variant("publish_async", server.pid, partial(ask, "Publish"), prepare=prepare)
    await interleave([(published, EVENTS), (relayed, EVENTS)], rounds)
    speeds = (f"{1e6 / median(each, WALL):.0f} events/s by {each.name}" for each in (published, relayed))
    return [
        at_least("relay against raw publish_async, time", published, relayed, 0.50, WALL),
        Line("the same as speeds", ", ".join(speeds)),
        Line("the same as CPU of the process", f"{median(published):.0f} µs by publish_async, {median(relayed):.0f} µs by relay"),
    ]
