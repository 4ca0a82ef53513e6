"""What the bench runs against: PostgreSQL with durability, servers in processes of their own, and callers on the other core."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import ECKey
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as quotes
from revops.type.v1.pricing_pb2 import CHARGE_MODEL_PER_UNIT

from revops_mesh.kernel import clock
from revops_mesh.local.ports import free_port
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.tree import migrate
from tests.bench import synthetic
from tests.bench.measure import Variant, backend_seconds
from tests.world import World

IN_FLIGHT = 16
DATABASE = "revops"

Headers = tuple[tuple[str, str], ...]
M = TypeVar("M", bound=Message)


class Server:
    """A server process and a channel to it."""

    def __init__(self, process: asyncio.subprocess.Process, address: str, backends: Callable[[], float]) -> None:
        """`backends` tells the CPU seconds of the PostgreSQL backends for its login and database."""
        self.process, self.address, self.backends = process, address, backends
        self.channel = grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", 64 << 20)])

    @property
    def pid(self) -> int:
        return self.process.pid

    async def ask(self, path: str, request: Message, response: type[M], caller: Headers) -> M:
        """One answer."""
        call: Any = self.channel.unary_unary(path)
        return response.FromString(await call(request.SerializeToString(), metadata=caller, timeout=30))

    def variant(self, name: str, path: str, requests: Iterator[bytes], *callers: Headers) -> Variant:
        """A variant that sends requests, sixteen at a time, from callers in turns, and fails on the first refusal."""
        call: Any = self.channel.unary_unary(path)
        turns = cycle(callers)

        async def worker(calls: int) -> None:
            for _ in range(calls):
                await call(next(requests), metadata=next(turns), timeout=30)

        async def round(calls: int) -> None:
            if calls % IN_FLIGHT:
                raise ValueError(f"{calls} calls cannot be spread over {IN_FLIGHT} callers")
            await asyncio.gather(*(worker(calls // IN_FLIGHT) for _ in range(IN_FLIGHT)))

        return Variant(name, self.pid, round, self.backends)


class Bench:
    """The whole bench's surroundings."""

    stack: AsyncExitStack
    """What the section at hand has started ends with it."""
    world: World

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.folder, self.postgres = folder, postgres
        self.key = ECKey.generate_key("P-256")
        (folder / "key.pem").write_bytes(self.key.as_pem(private=True))
        os.sched_setaffinity(0, {1})

    def headers(self, tenant: UUID, *roles: str) -> Headers:
        """The same for every variant: a token, a trace that is not sampled, the tenant for hand-written handlers.

        Without roles it is somebody who may read everything.
        """
        claims = {
            "iss": synthetic.ISSUER, "aud": synthetic.AUDIENCE, "sub": "users/anna", "tenant": tenant.hex,
            "roles": roles or ("admin", "echo"), "exp": int(clock.unix()) + 3600,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256"}, claims, self.key)
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
        return (("authorization", f"Bearer {token}"), ("traceparent", trace), ("tenant", tenant.hex))

    async def serve(self, variant: str, database: str = DATABASE, *extra: str) -> Server:
        """Starts a server and waits until it is ready; `extra` are what only its variant needs to know."""
        port = free_port()
        arguments = [variant, str(port), str(self.folder / "key.pem"), self.postgres.dsn(database), *extra]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.server", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError(f"the {variant} server did not start")
        login = "revops_relay" if variant == "relay" else "revops_app"
        server = Server(process, f"127.0.0.1:{port}", partial(backend_seconds, self.postgres.pid, f"{login} {database}"))
        self.stack.push_async_callback(stop, process, server.channel)
        return server


async def stop(process: asyncio.subprocess.Process, channel: grpc.aio.Channel) -> None:
    """Ends a server."""
    await channel.close()
    if process.returncode is None:
        process.terminate()
        await process.wait()


Ask = Callable[[Message], Awaitable[Any]]


async def stock(ask: Ask, plans: int = 10) -> list[str]:
    """A catalogue with so many priced plans; their names."""
    book = await ask(books.CreatePriceBookRequest(price_book=books.PriceBook(display_name="EUR", currency_code="EUR")))
    names = []
    for n in range(plans):
        product = await ask(products.CreateProductRequest(product=products.Product(display_name=f"Product {n}")))
        charge = products.Charge(
            charge_id="seat", type=products.Charge.TYPE_RECURRING, model=CHARGE_MODEL_PER_UNIT, billing_period_months=1
        )
        plan = products.RatePlan(display_name="Monthly", charges=[charge])
        made = await ask(products.CreateRatePlanRequest(parent=product.name, rate_plan=plan))
        await ask(products.ActivateProductRequest(name=product.name))
        entry = books.PriceEntry(charge=f"{made.name}/charges/seat", unit_cost="3")
        entry.pricing.model, entry.pricing.amount = CHARGE_MODEL_PER_UNIT, f"{10 + n}.90"
        await ask(books.CreatePriceEntryRequest(parent=book.name, price_entry=entry))
        names.append(made.name)
    await ask(books.ActivatePriceBookRequest(name=book.name))
    return names


def offers(plans: list[str], lines: int) -> Iterator[quotes.CreateQuoteRequest]:
    """Requests for quotes with so many lines; quantities and request ids change every time."""
    for n in count(1):
        quote = quotes.Quote(account=f"accounts/a{n % 100}", currency_code="EUR", display_name=f"Offer {n}")
        for i in range(lines):
            quote.lines.add(rate_plan=plans[i % len(plans)], quantity=str(n % 900 + i + 1), discount_rate="0.1")
        yield quotes.CreateQuoteRequest(quote=quote, request_id=str(uuid4()))


async def owner(bench: Bench, database: str = DATABASE) -> asyncpg.Connection:
    """A connection that sees everything, for counts and statistics; closed at the end of the section."""
    connection = await asyncpg.connect(bench.postgres.dsn(database, "postgres"))
    bench.stack.push_async_callback(connection.close)
    return connection


async def database(bench: Bench, name: str) -> str:
    """The DSN of a migrated database, made if there is none."""
    await asyncio.to_thread(bootstrap, bench.postgres.dsn(), name)
    await asyncio.to_thread(migrate, bench.postgres.dsn(name))
    return bench.postgres.dsn(name)


async def surroundings(stack: AsyncExitStack, folder: Path) -> Bench:
    """A durable PostgreSQL with a migrated database and a member in this process, through which data is made."""
    bench = Bench(folder, stack.enter_context(Postgres(folder / "postgres")))
    bench.world = await stack.enter_async_context(World.open(await database(bench, DATABASE)))
    return bench
