"""What the bench runs against: PostgreSQL with durability, servers in processes of their own, and callers on the other core."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import ECKey
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.local.ports import free_port
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import bootstrap, migrate
from tests.bench import synthetic
from tests.bench.measure import Variant
from tests.world import World

IN_FLIGHT = 16


class Server:
    """A server process and a channel to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, channel: grpc.aio.Channel, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self.process, self.channel, self.headers = process, channel, headers

    @property
    def pid(self) -> int:
        return self.process.pid

    def variant(self, name: str, path: str, requests: Iterator[bytes]) -> Variant:
        """A variant that sends requests, sixteen at a time, and fails on the first refusal."""
        call = self.channel.unary_unary(path)

        async def worker(calls: int) -> None:
            for _ in range(calls):
                await call(next(requests), metadata=self.headers, timeout=10)

        async def round(calls: int) -> None:
            await asyncio.gather(*(worker(calls // IN_FLIGHT) for _ in range(IN_FLIGHT)))

        return Variant(name, self.pid, round)


class Bench:
    """The whole bench's surroundings."""

    def __init__(self, stack: AsyncExitStack, folder: Path, postgres: Postgres, world: World) -> None:
        self.stack, self.folder, self.postgres, self.world = stack, folder, postgres, world
        self.key = ECKey.generate_key("P-256")
        (folder / "key.pem").write_bytes(self.key.as_pem(private=True))
        os.sched_setaffinity(0, {1})

    def headers(self, tenant: UUID) -> tuple[tuple[str, str], ...]:
        """The same for every variant: a token, a trace that is not sampled, the tenant for hand-written handlers."""
        claims = {
            "iss": synthetic.ISSUER, "aud": synthetic.AUDIENCE, "sub": "users/anna", "tenant": tenant.hex,
            "roles": ["admin", "echo"], "exp": int(clock.unix()) + 3600,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256"}, claims, self.key)
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
        return (("authorization", f"Bearer {token}"), ("traceparent", trace), ("tenant", tenant.hex))

    async def serve(self, variant: str, tenant: UUID) -> Server:
        """Starts a server and waits until it is ready."""
        port = free_port()
        arguments = [variant, str(port), str(self.folder / "key.pem"), self.postgres.dsn("revops")]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.server", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError(f"the {variant} server did not start")
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.stack.push_async_callback(_stop, process, channel)
        return Server(process, channel, self.headers(tenant))


async def _stop(process: asyncio.subprocess.Process, channel: grpc.aio.Channel) -> None:
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
        charge = products.Charge(charge_id="seat", type=products.Charge.TYPE_RECURRING, model=2, billing_period_months=1)
        plan = products.RatePlan(display_name="Monthly", charges=[charge])
        made = await ask(products.CreateRatePlanRequest(parent=product.name, rate_plan=plan))
        await ask(products.ActivateProductRequest(name=product.name))
        entry = books.PriceEntry(charge=f"{made.name}/charges/seat", unit_cost="3")
        entry.pricing.model, entry.pricing.amount = 2, f"{10 + n}.90"
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


async def owner(bench: Bench) -> asyncpg.Connection:
    """A connection that sees everything, for counts and statistics."""
    return await asyncpg.connect(bench.postgres.dsn("revops", "postgres"))


async def surroundings(stack: AsyncExitStack, folder: Path) -> Bench:
    """A durable PostgreSQL with a migrated database and a member in this process, through which data is made."""
    postgres = stack.enter_context(Postgres(folder / "postgres"))
    await asyncio.to_thread(bootstrap, postgres.dsn(), "revops")
    dsn = postgres.dsn("revops")
    await asyncio.to_thread(migrate, dsn)
    return Bench(stack, folder, postgres, await stack.enter_async_context(World.open(dsn)))
