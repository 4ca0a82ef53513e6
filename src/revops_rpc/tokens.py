"""The caller's token: a text, or where to get one when the member no longer takes the last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Token: TypeAlias = str | Callable[[], Awaitable[str]]
"""A JWT or an API key, or a function that gets one; it is called first when needed, and again when one was refused."""


class Tokens:
    """The token in use. A new one is fetched once, however many calls want it."""

    def __init__(self, token: Token | None) -> None:
        self._fetch = None if token is None or isinstance(token, str) else token
        self._token = token if isinstance(token, str) else ""
        self._fetching = asyncio.Lock()

    @property
    def renewable(self) -> bool:
        """Whether a refused token can be replaced."""
        return self._fetch is not None

    async def current(self) -> str:
        """The token to send; empty to send none."""
        return self._token if self._token or self._fetch is None else await self.instead_of("")

    async def instead_of(self, refused: str) -> str:
        """A token other than the one that was refused, unless another call has fetched one meanwhile."""
        async with self._fetching:
            if self._fetch is not None and self._token == refused:
                self._token = await self._fetch()
            return self._token
