"""The load, in a process of its own: sellers and price makers who repeat what got no answer, and keep a journal.

`python -m tests.journeys.load ORDERS`, a JSON file of `Orders`; after SIGTERM it finishes what it began and exits with 0.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import grpc
import msgspec
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes
from revops.type.v1 import pricing_pb2

from revops_mesh.kernel import clock
from revops_mesh.local.calls import Member, Refusal
from tests.bench.world import offers
from tests.journeys.journal import Journal, Line, What

CHANNEL = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 300),
)
REPEATED = frozenset({"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CANCELLED", "UNKNOWN", "INTERNAL"})
"""Codes after which the same request is sent again; what a broken connection says is among the last three."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
PRICES_STALE = "QUOTE_PRICES_STALE"


class Orders(msgspec.Struct, frozen=True):
    """What the load is told to do."""

    address: str
    token: str
    plans: list[str]
    book: str
    journal: str
    seed: int
    sellers: int
    pace: float
    """Longest pause between two steps of a seller, in seconds."""
    price_pauses: list[float]
    """One price maker for each: its longest pause between two prices of one plan's charge, in seconds."""


class Caller:
    """Calls until there is an answer, always with the same request id; request ids follow from the seed."""

    def __init__(self, member: Member, journal: Journal, chance: Random) -> None:
        self._member, self._journal, self._chance = member, journal, chance

    async def __call__(self, request: Any) -> Any:
        """The answer, None if it was refused for good."""
        request.request_id = str(UUID(int=self._chance.getrandbits(128), version=4))
        pause = FIRST_PAUSE
        while True:
            self._note("sent", request)
            try:
                answer = await self._member(request)
            except Refusal as refusal:
                why = refusal.reason or refusal.code
                if not _repeated(refusal, request):
                    self._note("refused", request, why=why)
                    return None
                self._note("lost", request, why=why)
            else:
                numbered = isinstance(answer, quotes.Quote)
                self._note("told", request, name=answer.name, etag=answer.etag, number=answer.number if numbered else "")
                return answer
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _note(self, what: What, request: Any, **facts: str) -> None:
        method = type(request).__name__.removesuffix("Request")
        self._journal.write(Line(what, request.request_id, method, clock.unix(), **facts))


def _repeated(refusal: Refusal, request: Any) -> bool:
    """A call that named an etag cannot succeed later if it is stale now; any other may find the resource at rest."""
    if refusal.reason == "ETAG_MISMATCH" and getattr(request, "etag", ""):
        return False
    return refusal.code in REPEATED


class Seller:
    """Writes quotes and brings them to one of four ends."""

    def __init__(self, orders: Orders, call: Caller, chance: Random, stop: asyncio.Event) -> None:
        self._orders, self._call, self._chance, self._stop = orders, call, chance, stop

    async def work(self) -> None:
        """One quote after the other until told to stop."""
        while not self._stop.is_set():
            plans = self._chance.sample(self._orders.plans, 2)
            quote = await self._call(next(offers(plans, 2)))
            await self._rest()
            match self._chance.choice(("draft", "offer", "accept", "accept", "revise")):
                case "offer":
                    await self._submitted(quote)
                case "accept":
                    await self._accepted(await self._submitted(quote))
                case "revise":
                    await self._revised(await self._submitted(quote))
            await self._rest()

    async def _submitted(self, quote: Any) -> Any:
        """The quote on offer, priced again as often as its prices changed meanwhile; None when told to stop."""
        while quote is not None and not self._stop.is_set():
            offered = await self._call(quotes.SubmitQuoteRequest(name=quote.name))
            if offered is not None:
                await self._rest()
                return offered
            quote = await self._call(quotes.RepriceQuoteRequest(name=quote.name))
        return None

    async def _accepted(self, quote: Any) -> None:
        if quote is not None and not self._stop.is_set():
            await self._call(quotes.AcceptQuoteRequest(name=quote.name, etag=quote.etag))

    async def _revised(self, quote: Any) -> None:
        if quote is None or self._stop.is_set():
            return
        draft = await self._call(quotes.ReviseQuoteRequest(name=quote.name, etag=quote.etag))
        await self._rest()
        await self._submitted(draft)

    async def _rest(self) -> None:
        await _passed(self._stop, self._chance.uniform(0, self._orders.pace))


async def make_prices(orders: Orders, number: int, call: Caller, chance: Random, stop: asyncio.Event) -> None:
    """One price after the other for one charge, a third of them for a moment that is yet to come."""
    charge = f"{orders.plans[number]}/charges/seat"
    while not stop.is_set():
        entry = books.PriceEntry(charge=charge, unit_cost="3")
        entry.pricing.model = pricing_pb2.CHARGE_MODEL_PER_UNIT
        entry.pricing.amount = f"{chance.randint(5, 50)}.{chance.randint(10, 99)}"
        if chance.random() < 1 / 3:
            entry.valid_from.CopyFrom(clock.timestamp(clock.now() + timedelta(seconds=chance.uniform(0.3, 2))))
        await call(books.CreatePriceEntryRequest(parent=orders.book, price_entry=entry))
        await _passed(stop, chance.uniform(0, orders.price_pauses[number]))


async def _passed(stop: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def work(orders: Orders) -> None:
    """All of them at once, until SIGTERM."""
    stop, journal = asyncio.Event(), Journal(Path(orders.journal))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with grpc.aio.insecure_channel(orders.address, options=CHANNEL) as channel:
        member = Member(channel, orders.address, orders.token)
        async with asyncio.TaskGroup() as group:
            for n in range(orders.sellers):
                chance = Random(f"{orders.seed} seller {n}")
                group.create_task(Seller(orders, Caller(member, journal, chance), chance, stop).work())
            for n in range(len(orders.price_pauses)):
                chance = Random(f"{orders.seed} prices {n}")
                group.create_task(make_prices(orders, n, Caller(member, journal, chance), chance, stop))


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Orders)))
