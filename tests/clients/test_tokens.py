"""Tokens of the Python client: a text, or a function that is asked for another when the member refuses the last."""

import asyncio

import pytest
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import CreatePriceBookRequest, ListProductsRequest, PriceBook, StreamPriceEntriesRequest
from revops_client.platform.v1 import PlatformReason

from tests.clients.conftest import NewToken
from tests.runtime.calling import Running


class Source:
    """Gives one token after the other, and the last again and again."""

    def __init__(self, *tokens: str) -> None:
        self.tokens, self.asked = tokens, 0

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0.01)
        return self.tokens[min(self.asked, len(self.tokens)) - 1]


async def test_an_expired_token_is_refused_if_there_is_no_other(serving: Running, token: NewToken) -> None:
    async with Revops(serving.address, await token(seconds=-60)) as revops:
        with pytest.raises(RevopsError) as refused:
            await revops.catalog.products.list_products(ListProductsRequest())
    assert refused.value.because(PlatformReason.CREDENTIALS_EXPIRED)


async def test_a_refused_token_is_replaced_once_for_all_calls(serving: Running, token: NewToken) -> None:
    source = Source(await token(seconds=-60), await token())
    async with Revops(serving.address, source) as revops:
        pages = await asyncio.gather(*(revops.catalog.products.list_products(ListProductsRequest()) for _ in range(8)))
        await revops.catalog.products.list_products(ListProductsRequest())
    assert len(pages) == 8
    assert source.asked == 2


async def test_a_source_of_bad_tokens_is_asked_once_more_and_no_longer(serving: Running) -> None:
    source = Source("bad", "worse", "worst")
    async with Revops(serving.address, source) as revops:
        with pytest.raises(RevopsError) as refused:
            await revops.catalog.products.list_products(ListProductsRequest())
    assert refused.value.because(PlatformReason.CREDENTIALS_INVALID)
    assert source.asked == 2


async def test_a_stream_begins_with_a_token_that_holds(serving: Running, token: NewToken) -> None:
    source = Source(await token(seconds=-60), await token())
    async with Revops(serving.address, source) as revops:
        request = CreatePriceBookRequest(price_book=PriceBook(display_name="List", currency_code="EUR"))
        book = await revops.catalog.price_books.create_price_book(request)
        stream = revops.catalog.price_books.stream_price_entries(StreamPriceEntriesRequest(parent=book.name))
        assert [entry async for entry in stream] == []
    async with Revops(serving.address, Source(await token(seconds=-60), await token())) as revops:
        with pytest.raises(RevopsError) as unknown:
            async for _ in revops.catalog.price_books.stream_price_entries(StreamPriceEntriesRequest(parent="priceBooks/none")):
                pass
    assert unknown.value.because(PlatformReason.RESOURCE_NOT_FOUND)
