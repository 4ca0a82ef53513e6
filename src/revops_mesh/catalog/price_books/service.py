"""PriceBookService over price books and their entries. Access, edition and audit: see the contract."""

from collections.abc import Sequence

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products

from revops_mesh.aip.listing import merged, page
from revops_mesh.catalog.periods import instant
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.names import parent_of

from . import queries
from .domain import PriceBook, PriceEntry, must_be_currency
from .resolution import Prices, replayed


class PriceBookService:
    """One method per rpc: load, verb, save.

    Verbs of a book lock its row: entries that are being added would otherwise make them stale.
    """

    async def CreatePriceBook(self, request: pb.CreatePriceBookRequest, call: Call) -> pb.PriceBook:
        books, parent = call.repo(PriceBook), await queries.parent_of_book(call, request.price_book)
        book = await books.add(PriceBook.draft(books.name(request.price_book_id), request.price_book, parent))
        return book.state

    async def GetPriceBook(self, request: pb.GetPriceBookRequest, call: Call) -> pb.PriceBook:
        return (await call.repo(PriceBook).get(request.name)).state

    async def ListPriceBooks(self, request: pb.ListPriceBooksRequest, call: Call) -> pb.ListPriceBooksResponse:
        return await page(call, PriceBook, request, pb.ListPriceBooksResponse)

    async def UpdatePriceBook(self, request: pb.UpdatePriceBookRequest, call: Call) -> pb.PriceBook:
        book = await call.repo(PriceBook).get(request.price_book.name, request.price_book.etag, lock=True)
        changed = merged(call, book, request.price_book, request.update_mask)
        parent = await queries.parent_of_book(call, changed) if changed.parent_book != book.name else book
        book.update(changed, parent, await queries.rivals_of(call, book))
        return (await call.repo(PriceBook).save(book)).state

    async def DeletePriceBook(self, request: pb.DeletePriceBookRequest, call: Call) -> Empty:
        book = await call.repo(PriceBook).get(request.name, request.etag, lock=True)
        book.must_allow("delete")
        while entries := await queries.some_entries(call, book.name):
            for entry in entries:
                await call.repo(PriceEntry).delete(entry)
        await call.repo(PriceBook).delete(book)
        return Empty()

    async def ActivatePriceBook(self, request: pb.ActivatePriceBookRequest, call: Call) -> pb.PriceBook:
        book = await call.repo(PriceBook).get(request.name, request.etag, lock=True)
        book.activate(await queries.parent_of_book(call, book.state), await queries.rivals_of(call, book))
        return (await call.repo(PriceBook).save(book)).state

    async def RetirePriceBook(self, request: pb.RetirePriceBookRequest, call: Call) -> pb.PriceBook:
        book = await call.repo(PriceBook).get(request.name, request.etag, lock=True)
        book.retire(await queries.heir_of(call, book))
        return (await call.repo(PriceBook).save(book)).state

    async def CreatePriceEntry(self, request: pb.CreatePriceEntryRequest, call: Call) -> pb.PriceEntry:
        # Before it asks: OnProductRetired waits for the lock, so it never misses an entry made while the product was active.
        book = await call.repo(PriceBook).get(request.parent, lock=True)
        known_from = book.learn(call.now)
        plan_name = parent_of(request.price_entry.charge)
        plan = await call.ask(products.GetRatePlanRequest(name=plan_name), products.RatePlan)
        product = await call.ask(products.GetProductRequest(name=parent_of(plan_name)), products.Product)
        entries = call.repo(PriceEntry)
        name = entries.name(request.price_entry_id, parent=book.name)
        entry = PriceEntry.of(name, request.price_entry, product, plan, now=call.now, known_from=known_from)
        entry.supersede(await queries.history(call, book.name, entry))
        await call.repo(PriceBook).save(book)
        return (await entries.add(entry)).state

    async def GetPriceEntry(self, request: pb.GetPriceEntryRequest, call: Call) -> pb.PriceEntry:
        return (await call.repo(PriceEntry).get(request.name)).state

    async def ListPriceEntries(self, request: pb.ListPriceEntriesRequest, call: Call) -> pb.ListPriceEntriesResponse:
        return await page(call, PriceEntry, request, pb.ListPriceEntriesResponse)

    async def StreamPriceEntries(
        self, request: pb.StreamPriceEntriesRequest, call: Call, cursor: str
    ) -> tuple[Sequence[Message], str | None]:
        if not cursor and not request.parent.endswith("/-"):
            await call.repo(PriceBook).get(request.parent)
        entries = await queries.some_entries(call, request.parent, cursor)
        return [entry.state for entry in entries], entries[-1].name if len(entries) == queries.BATCH else None

    async def ResolvePrices(self, request: pb.ResolvePricesRequest, call: Call) -> pb.ResolvePricesResponse:
        must_be_currency(request.currency_code, "currency_code")
        at = instant(request, "valid_time") or call.now
        rows = await queries.holding(call, request, at)
        return Prices(rows, request.currency_code, at).price(request.items)

    async def ReplayPrice(self, request: pb.ReplayPriceRequest, call: Call) -> pb.ReplayPriceResponse:
        at, known = instant(request, "valid_time") or call.now, instant(request, "known_time")
        return replayed(await queries.held(call, request, at, known), request, at, known)

    async def OnProductRetired(self, event: products.ProductRetired, call: Call) -> Empty:
        await call.fetch(queries.HOLD_BOOKS)
        while entries := await queries.open_entries(call, event.product):
            for entry in entries:
                entry.close()
                await call.repo(PriceEntry).save(entry)
        return Empty()
