"""Stories of the catalog."""

from collections.abc import Mapping

from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products

from tests.contract import making
from tests.contract.stories.telling import Story, after, beside, changing, of, plainly
from tests.world import Caller, World


async def activated_product(world: World, caller: Caller) -> Message:
    plan = await making.rate_plan(world, caller)
    return products.ActivateProductRequest(name=plan.name.split("/ratePlans/")[0])


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
    "ProductService.CreateProduct": plainly(products.CreateProductRequest, product=products.Product(display_name="Cloud")),
    "ProductService.GetProduct": of(making.product, products.GetProductRequest),
    "ProductService.ListProducts": after(making.product, products.ListProductsRequest),
    "ProductService.UpdateProduct": changing(making.product, products.UpdateProductRequest, family="compute"),
    "ProductService.DeleteProduct": of(making.product, products.DeleteProductRequest),
    "ProductService.ActivateProduct": activated_product,
    "ProductService.RetireProduct": of(making.active_product, products.RetireProductRequest),
    "ProductService.CreateRatePlan": of(
        making.product,
        products.CreateRatePlanRequest,
        "parent",
        rate_plan=products.RatePlan(display_name="Monthly", charges=[making.CHARGE]),
    ),
    "ProductService.GetRatePlan": of(making.rate_plan, products.GetRatePlanRequest),
    "ProductService.ListRatePlans": beside(making.rate_plan, products.ListRatePlansRequest),
    "ProductService.UpdateRatePlan": changing(making.rate_plan, products.UpdateRatePlanRequest, display_name="Yearly"),
    "PriceBookService.CreatePriceBook": plainly(
        books.CreatePriceBookRequest, price_book=books.PriceBook(display_name="List", currency_code="EUR")
    ),
    "PriceBookService.GetPriceBook": of(making.price_book, books.GetPriceBookRequest),
    "PriceBookService.ListPriceBooks": after(making.price_book, books.ListPriceBooksRequest),
    "PriceBookService.UpdatePriceBook": changing(making.price_book, books.UpdatePriceBookRequest, priority=7),
    "PriceBookService.DeletePriceBook": of(making.price_book, books.DeletePriceBookRequest),
    "PriceBookService.ActivatePriceBook": of(making.price_book, books.ActivatePriceBookRequest),
    "PriceBookService.RetirePriceBook": of(making.active_book, books.RetirePriceBookRequest),
    "PriceBookService.CreatePriceEntry": superseding_entry,
    "PriceBookService.GetPriceEntry": of(making.price_entry, books.GetPriceEntryRequest),
    "PriceBookService.ListPriceEntries": beside(making.price_entry, books.ListPriceEntriesRequest),
    "PriceBookService.StreamPriceEntries": beside(making.price_entry, books.StreamPriceEntriesRequest),
    "PriceBookService.ResolvePrices": resolved_prices,
    "PriceBookService.ReplayPrice": replayed_price,
    "PriceBookService.OnProductRetired": retired_product,
}
