"""The answer of a List method (AIP-158): awaited it is one page, iterated it is every item of every page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

Page = TypeVar("Page")
Item = TypeVar("Item")


class Pages(Generic[Page, Item]):
    """What a List method gives.

    `await pages` is the page that the request asks for; `async for item in pages` goes on to the end, as does
    `async for page in pages.pages()`. Items that are added meanwhile behind the place that was reached are met.
    """

    def __init__(
        self, fetch: Callable[[str], Awaitable[Page]], items: Callable[[Page], Sequence[Item]], token: Callable[[Page], str]
    ) -> None:
        """`fetch` takes the token of a page; an empty one is the page that the request asks for."""
        self._fetch, self._items, self._token = fetch, items, token

    def __await__(self) -> Generator[Any, None, Page]:
        return self._fetch("").__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in self._items(page):
                yield item

    async def pages(self) -> AsyncIterator[Page]:
        """The pages, each fetched when it is wanted."""
        token = ""
        while True:
            page = await self._fetch(token)
            yield page
            if not (token := self._token(page)):
                return
