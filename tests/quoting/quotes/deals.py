"""Deals to test with: a shop that has prices, and somebody of it who writes quotes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import new_uuid
from tests.catalog.shop import Shop
from tests.world import Caller


class Deals:
    """Writes quotes through the contract, as one caller, for plans of one book."""

    def __init__(self, caller: Caller, book: str, plans: list[str]) -> None:
        self.caller, self.book, self.plans, self.shop = caller, book, plans, Shop(caller)

    @classmethod
    async def opened(cls, caller: Caller, plans: int = 1, **entry: Any) -> "Deals":
        """A new shop with a list book and so many plans of one seat for 10.00 a month."""
        shop = Shop(caller)
        made = [await shop.plan() for _ in range(plans)]
        book = await shop.book()
        for plan in made:
            await shop.entry(book, plan, **entry)
        return cls(caller, book, made)

    def by(self, caller: Caller) -> "Deals":
        """The same shop, seen by somebody else."""
        return Deals(caller, self.book, self.plans)

    def offer(self, *quantities: str, **fields: Any) -> pb.Quote:
        """What is asked for: a line of each quantity, of one plan after the other; one of 10 if none is given."""
        lines = [
            pb.QuoteLine(rate_plan=self.plans[i % len(self.plans)], quantity=quantity)
            for i, quantity in enumerate(quantities or ("10",))
        ]
        return pb.Quote(**{"account": "accounts/acme", "currency_code": "EUR", "lines": lines, **fields})

    async def draft(self, *quantities: str, **fields: Any) -> pb.Quote:
        """A new draft."""
        made: pb.Quote = await self.caller(pb.CreateQuoteRequest(quote=self.offer(*quantities, **fields)))
        return made

    async def submitted(self, *quantities: str, **fields: Any) -> pb.Quote:
        """A new quote on offer."""
        return await self.submit((await self.draft(*quantities, **fields)).name)

    async def submit(self, name: str, **fields: Any) -> pb.Quote:
        """A draft, put on offer."""
        made: pb.Quote = await self.caller(pb.SubmitQuoteRequest(name=name, **fields))
        return made

    async def get(self, name: str) -> pb.Quote:
        """A quote as it is."""
        found: pb.Quote = await self.caller(pb.GetQuoteRequest(name=name))
        return found

    async def version(self, quote: str, version: int) -> pb.QuoteVersion:
        """A frozen version."""
        found: pb.QuoteVersion = await self.caller(pb.GetQuoteVersionRequest(name=f"{quote}/versions/{version}"))
        return found

    async def new_price(self, plan: str, text: str, **fields: Any) -> books.PriceEntry:
        """Another price of a plan's seats, from now on unless it says when."""
        return await self.shop.entry(self.book, plan, text, **{"valid_from": clock.timestamp(clock.now()), **fields})

    async def told(self, event: Message) -> None:
        """Has the modules react to an event of the tenant."""
        kernel = self.caller.world.kernel
        for method in kernel.reactions[event.DESCRIPTOR.full_name]:
            await kernel.react(method, event, self.caller.tenant, Arrival({}, request_id=new_uuid()))

    async def fire(self, request: Message, **arrival: Any) -> None:
        """Calls an internal method as a timer does."""
        kernel = self.caller.world.kernel
        method = kernel.by_request(request)
        await kernel.react(method, request, self.caller.tenant, Arrival({}, **{"request_id": new_uuid(), **arrival}))

    async def timers(self) -> list[tuple[Any, Message]]:
        """When quoting's timers of the tenant are due, and with which requests."""
        rows = await self.caller.world.owner.fetch(
            "SELECT due, request_type, request FROM kernel.timer WHERE tenant_id=$1 ORDER BY due, id", self.caller.tenant
        )
        types = {t.DESCRIPTOR.full_name: t for t in (pb.ExpireQuoteRequest, pb.MarkStaleQuotesRequest)}
        return [(row["due"], types[row["request_type"]].FromString(row["request"])) for row in rows]

    async def events(self) -> list[Message]:
        """What quoting has told."""
        return [e for _, _, e in await self.caller.world.events(self.caller.tenant) if isinstance(e, _EVENTS)]


_EVENTS = (
    pb.QuoteCreated,
    pb.QuoteSubmitted,
    pb.QuotePresented,
    pb.QuoteAccepted,
    pb.QuoteRejected,
    pb.QuoteWithdrawn,
    pb.QuoteExpired,
    pb.QuoteSuperseded,
)


@contextmanager
def later(**delta: float) -> Iterator[None]:
    """The clock of this process, so much later; tokens made before may have expired."""
    before = clock._OFFSET
    clock._OFFSET = before + timedelta(**delta)
    try:
        yield
    finally:
        clock._OFFSET = before
