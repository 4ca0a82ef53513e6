"""What becomes of prices when their product retires."""

import asyncio

import pytest
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products

from revops_mesh.kernel.names import new_uuid, parent_of
from tests.catalog.shop import Shop
from tests.world import World


def ask(plan: str) -> pb.ResolvePricesRequest:
    return pb.ResolvePricesRequest(items=[pb.PriceQuery(rate_plan=plan, quantity="1")], currency_code="EUR")


async def closed(shop: Shop, plan: str) -> list[bool]:
    listed = await shop.caller(pb.ListPriceEntriesRequest(parent="priceBooks/-", filter=f'rate_plan="{plan}"'))
    return [entry.closed for entry in listed.price_entries]


async def test_the_entries_of_a_retired_product_are_closed_and_price_nothing_new(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revops_mesh.catalog.price_books.queries.BATCH", 2)
    plan, other, book = await shop.plan(), await shop.plan(), await shop.book()
    for n in range(5):
        await shop.entry(book, plan, str(n))
    await shop.entry(book, other)
    await shop.caller(products.RetireProductRequest(name=parent_of(plan)))
    await shop.product_retired(parent_of(plan))
    assert await closed(shop, plan) == [True] * 5
    assert await closed(shop, other) == [False]
    assert (await shop.caller.refusal(ask(plan))).reason == "PRICE_MISSING"
    assert (await shop.price(other)).list_amount.amount == "10.00"


async def test_a_retirement_that_is_told_twice_closes_once(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.entry(book, plan)
    await shop.caller(products.RetireProductRequest(name=parent_of(plan)))
    same = new_uuid()
    await shop.product_retired(parent_of(plan), event=same)
    await shop.product_retired(parent_of(plan), event=same)
    await shop.product_retired(parent_of(plan))
    assert (await shop.caller(pb.GetPriceEntryRequest(name=entry.name))).etag == "2"


async def test_an_entry_made_while_its_product_retires_is_closed_too(world: World, shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    async with world.owner.transaction():
        # The entry has seen the active product and waits for its table with the flush; the reaction comes meanwhile.
        await world.owner.execute("LOCK TABLE catalog.price_entries IN SHARE MODE")
        adding = asyncio.ensure_future(shop.entry(book, plan))
        await asyncio.sleep(0.3)
        await shop.caller(products.RetireProductRequest(name=parent_of(plan)))
        reacting = asyncio.ensure_future(shop.product_retired(parent_of(plan)))
        await asyncio.sleep(0.3)
    await asyncio.gather(adding, reacting)
    assert await closed(shop, plan) == [True]


async def test_nobody_but_an_event_closes_entries(shop: Shop) -> None:
    method = shop.caller.world.kernel.reactions["revops.catalog.v1.ProductRetired"][0]
    with pytest.raises(Exception, match="called by events only"):
        await shop.caller.world.kernel.answer(method.path, products.ProductRetired(product="products/p"), shop.caller.arrival())
