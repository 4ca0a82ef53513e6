"""Stories of the catalog."""

from collections.abc import Mapping

from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products

from tests.contract import making
from tests.contract.stories.telling import Story
from tests.world import Caller, World


async def activated_product(world: World, caller: Caller) -> Message:
    plan = await making.rate_plan(world, caller)
    return products.ActivateProductRequest(name=plan.name.split("/ratePlans/")[0])


async def created_book(world: World, caller: Caller) -> Message:
    """A book that follows another one."""
    offer = making.book_offer()
    offer.parent_book = (await making.active_book(world, caller)).name
    return books.CreatePriceBookRequest(price_book=offer)


async def superseding_entry(world: World, caller: Caller) -> Message:
    """A second price of one charge."""
    entry = await making.price_entry(world, caller)
    book, plan = entry.name.split("/entries/")[0], entry.charge.split("/charges/")[0]
    return books.CreatePriceEntryRequest(parent=book, price_entry=making.offer(products.RatePlan(name=plan), "5.00"))


async def resolved_prices(world: World, caller: Caller) -> Message:
    entry = await making.price_entry(world, caller)
    scope = books.PriceScope(account=await making.account_of(world, caller, entry))
    item = books.PriceQuery(rate_plan=entry.charge.split("/charges/")[0], quantity="10")
    return books.ResolvePricesRequest(items=[item], currency_code="EUR", scope=scope)


async def replayed_price(world: World, caller: Caller) -> Message:
    entry = await making.price_entry(world, caller)
    return books.ReplayPriceRequest(price_book=entry.name.split("/entries/")[0], charge=entry.charge, quantity="10")


async def retired_product(world: World, caller: Caller) -> Message:
    entry = await making.price_entry(world, caller)
    return products.ProductRetired(product=entry.charge.split("/ratePlans/")[0])


STORIES: Mapping[str, Story] = {
    "ProductService.ActivateProduct": activated_product,
    "PriceBookService.CreatePriceBook": created_book,
    "PriceBookService.CreatePriceEntry": superseding_entry,
    "PriceBookService.ResolvePrices": resolved_prices,
    "PriceBookService.ReplayPrice": replayed_price,
    "PriceBookService.OnProductRetired": retired_product,
}
