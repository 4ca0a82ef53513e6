"""Webhooks, from the outbox to a receiver on this machine, and what a receiver that hangs costs the others."""

import asyncio
from functools import partial
from time import perf_counter
from uuid import UUID

from google.protobuf.wrappers_pb2 import Int32Value
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import new_uuid
from revops_mesh.local.nats import Nats
from revops_mesh.messaging.errands import OF_A_LANE
from revops_mesh.platform.webhooks.addresses import networks
from tests.bench.events import FILL
from tests.bench.measure import SERVER, WALL, Line, Variant, interleave, median
from tests.bench.world import DATABASE, Bench, owner
from tests.world import Caller

TENANTS, EVENTS = 8, 60
"""Tenants with one endpoint each, and their events a round."""
HUNG = 60
"""Events that wait for a receiver which never answers."""
CALM = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


class Receiver:
    """Reads requests and answers them, as cheaply as can be; `hangs` is a path that is never answered."""

    def __init__(self) -> None:
        self.taken = 0
        self.hung = 0

    async def open(self, bench: Bench) -> str:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        bench.stack.callback(server.close)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/hangs " in head:
            self.hung += 1
            await reader.read()
        else:
            self.taken += 1
            writer.write(CALM)
        writer.close()


async def subscriber(bench: Bench, url: str) -> UUID:
    """A new tenant with an enabled endpoint."""
    world, anna = bench.world, await bench.world.caller()
    world.kernel.networks = networks(["127.0.0.0/8"])
    offer = pb.WebhookEndpoint(display_name="x", url=url, event_types=["revops.quoting.v1.*"], roles=["seller"])
    endpoint = await anna(pb.CreateWebhookEndpointRequest(webhook_endpoint=offer))
    await met(anna, await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name)), url)
    return anna.tenant


async def met(anna: Caller, challenge: pb.WebhookDelivery, url: str) -> None:
    """Notes that a challenge was met; its timer then finds nothing to do."""
    attempt = pb.WebhookAttempt(time=clock.timestamp(clock.now()), status_code=200)
    noted, kernel = pb.AttemptWebhookDeliveryRequest(name=challenge.name, number=1, attempt=attempt, url=url), anna.world.kernel
    await kernel.react(kernel.by_request(noted), noted, anna.tenant, Arrival({}, request_id=new_uuid()))


async def webhooks(bench: Bench, rounds: int) -> list[Line]:
    """Deliveries a second of one member, all in one process beside its store, one endpoint a tenant, four at a time to each."""
    nats = bench.stack.enter_context(Nats(bench.folder / "hooks", durable=False))
    receiver, connection = Receiver(), await owner(bench)
    url = await receiver.open(bench)
    tenants = [await subscriber(bench, url) for _ in range(TENANTS)]
    stuck = await subscriber(bench, f"{url}/hangs")
    server = await bench.serve("webhooks", DATABASE, nats.url)
    await server.ask("/bench/Deliver", Int32Value(value=TENANTS + 1), Int32Value, ())  # the timers of the challenges
    event = quotes.QuoteExpired(quote="quotes/0123456789abcdefghjkmnpqrs", version=1).SerializeToString()
    await connection.execute("TRUNCATE kernel.outbox")

    async def happens(tenant: UUID, events: int) -> None:
        await connection.execute(FILL.replace("QuoteCreated", "QuoteExpired"), tenant, event, events)

    async def fill(events: int) -> None:
        for tenant in tenants:
            await happens(tenant, events // TENANTS)

    async def deliver(events: int) -> None:
        await fill(events)
        await server.ask("/bench/Deliver", Int32Value(value=events), Int32Value, ())

    async def send(times: int) -> None:
        await server.ask("/bench/Send", Int32Value(value=times), Int32Value, (("receiver", url),))

    delivered = Variant("delivered", server.pid, deliver, server.backends)
    sent = Variant("sent", server.pid, send)
    await interleave([(sent, TENANTS * EVENTS), (delivered, TENANTS * EVENTS)], rounds)
    alone = await latency(receiver, partial(happens, tenants[0]))
    await happens(stuck, HUNG)
    while receiver.hung < OF_A_LANE:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    beside = await latency(receiver, partial(happens, tenants[0]))
    return [
        Line("webhooks, from the outbox to a receiver", f"{1e6 / median(delivered, WALL):.0f} deliveries/s"),
        Line("CPU of the member for each", f"{median(delivered, SERVER):.0f} µs, of which {median(sent, SERVER):.0f} µs to send"),
        Line("from the commit to the receiver", f"{alone * 1000:.0f} ms"),
        beside_a_hung_one(beside, receiver.hung),
    ]


def beside_a_hung_one(seconds: float, under_way: int) -> Line:
    """The line of what one receiver that hangs costs the others."""
    measured = f"{seconds * 1000:.0f} ms, {under_way} under way to it"
    what = f"the same while {HUNG} events wait for one that hangs"
    return Line(what, measured, f"≤ {OF_A_LANE} under way", under_way <= OF_A_LANE)


async def latency(receiver: Receiver, happens: partial[object]) -> float:
    """Seconds from an event's commit to its arrival, the median of nine."""
    found = []
    for _ in range(9):
        before, begun = receiver.taken, perf_counter()
        await happens(1)  # type: ignore[misc]
        while receiver.taken == before:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        found.append(perf_counter() - begun)
    return sorted(found)[4]
