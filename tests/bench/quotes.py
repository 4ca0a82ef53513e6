"""Creating, getting and listing quotes of ten lines, against hand-written handlers over the same store."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, tee
from uuid import UUID

from google.protobuf.message import Message
from revops.quoting.v1 import quotes_pb2 as pb

from tests.bench.doors import quote
from tests.bench.measure import STORE, Line, Variant, at_least, calibrated, interleave, median
from tests.bench.server import SERVICE
from tests.bench.traffic import Counter
from tests.bench.world import IN_FLIGHT, Bench, Headers, Server, offers, owner, stock

LINES = 10
STORED, PAGE = 200, 50
"""Quotes of each tenant; the hand-written handler answers the first fifty in turns when it creates."""
CREATES, GETS, LISTS = 160, 480, 64
"""Calls a round."""
COUNTED = 4 * IN_FLIGHT


@dataclass(frozen=True)
class Pair:
    """One method by hand and by the member, for somebody who may read all and for a seller, who may not see margins."""

    method: str
    by_hand: Variant
    member: Variant
    seller: Variant
    tenants: tuple[UUID, UUID]
    """Of the calls by hand and of the others."""

    def against(self, goal: float) -> tuple[Line, Line]:
        """The lines of its promise."""
        return (
            at_least(f"{self.method} against statements by hand", self.by_hand, self.member, goal),
            at_least(f"{self.method} by a seller, answers masked", self.by_hand, self.seller, goal),
        )

    async def measure(self, rounds: int, calls: int, *beside: Variant) -> None:
        """Measures it, with others in turns."""
        await interleave([(each, calls) for each in (*beside, self.by_hand, self.member, self.seller)], rounds)

    async def told(self, counter: Counter) -> AsyncIterator[Line]:
        """What either side has PostgreSQL do."""
        for variant, tenant in zip((self.by_hand, self.member), self.tenants, strict=True):
            before = await counter.begin(tenant)
            await variant.round(COUNTED)
            traffic = await counter.end(tenant, before, COUNTED)
            yield Line(f"{self.method}, {variant.name}", f"{traffic}, {median(variant, STORE):.0f} µs of PostgreSQL's CPU")


async def quotes(bench: Bench, rounds: int) -> list[Line]:
    """Ratios of three methods, the absolute cost of CreateQuote, and what either side has PostgreSQL do."""
    first, second = await bench.world.tenant(), await bench.world.tenant()
    raw, member, echo = await bench.serve("raw"), await bench.serve("member"), await bench.serve("echo")

    def pair(method: str, by_hand: Iterator[bytes], requests: Iterator[bytes], tenants: tuple[UUID, UUID]) -> Pair:
        path, (mine, theirs) = f"{SERVICE}/{method}", tenants
        return Pair(
            method,
            raw.variant("by hand", path, by_hand, bench.headers(mine)),
            member.variant("member", path, requests, bench.headers(theirs)),
            member.variant("seller", path, requests, bench.headers(theirs, "seller")),
            tenants,
        )

    create = pair("CreateQuote", await stored(bench, first), await stored(bench, second), (first, second))
    # Both sides read the same rows in the same order.
    gets, lists, lists_by_hand = await reads(member, bench.headers(second))
    get = pair("GetQuote", *tee(gets), (second, second))
    page = pair("ListQuotes", lists_by_hand, lists, (second, second))
    bare = echo.variant("echo", "/bench/Echo", quote(), bench.headers(second))
    await create.measure(rounds, CREATES, bare)
    await get.measure(rounds, GETS)
    await page.measure(rounds, LISTS)
    counter = Counter(await owner(bench))
    return [
        *create.against(0.50),
        *get.against(0.70),
        *page.against(0.70),
        calibrated("CreateQuote, PostgreSQL's share included", bare, create.member, 2000),
        *[line for each in (create, get, page) async for line in each.told(counter)],
    ]


async def stored(bench: Bench, tenant: UUID) -> Iterator[bytes]:
    """Requests for more quotes of a tenant, which gets a catalogue and `STORED` quotes first."""
    anna = await bench.world.caller(tenant=tenant)
    requests = offers(await stock(anna, LINES), LINES)
    for _ in range(STORED):
        await anna(next(requests))
    return serialized(requests)


async def reads(member: Server, caller: Headers) -> tuple[Iterator[bytes], Iterator[bytes], Iterator[bytes]]:
    """Requests, without end, for each of the caller's quotes, for each page, and for each page by hand."""
    pages: list[pb.ListQuotesResponse] = []
    while not pages or pages[-1].next_page_token:
        request = pb.ListQuotesRequest(page_size=PAGE, page_token=pages[-1].next_page_token if pages else "")
        pages.append(await member.ask(f"{SERVICE}/ListQuotes", request, pb.ListQuotesResponse, caller))
    gets = [pb.GetQuoteRequest(name=quote.name) for page in pages for quote in page.quotes]
    tokens, last = [page.next_page_token for page in pages[:-1]], [page.quotes[-1].name for page in pages[:-1]]
    lists, by_hand = ([pb.ListQuotesRequest(page_size=PAGE, page_token=mark) for mark in ["", *of]] for of in (tokens, last))
    return cycle(serialized(gets)), cycle(serialized(lists)), cycle(serialized(by_hand))


def serialized(requests: Iterable[Message]) -> Iterator[bytes]:
    """Requests on the wire."""
    return (request.SerializeToString() for request in requests)
