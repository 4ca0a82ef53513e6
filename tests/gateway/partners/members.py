"""A bridge with limits on a socket, whose clock stands, and clients of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from revops_mesh.gateway.rest import oauth
from revops_mesh.gateway.rest.doors import Door
from revops_mesh.gateway.rest.limits import SECOND, Limits
from revops_mesh.gateway.rest.pages import openapi_document, pages
from revops_mesh.gateway.rest.server import RestServer
from tests.gateway.rest.calling import bridged


@dataclass
class Ticking:
    """A clock that stands until it is moved."""

    nanoseconds: int = 5 * SECOND

    def __call__(self) -> int:
        return self.nanoseconds

    def move(self, seconds: float) -> None:
        self.nanoseconds += round(seconds * SECOND)


@dataclass
class Gateway:
    """A bridge that is served."""

    url: str
    clock: Ticking

    def client(self, token: str = "", **headers: str) -> httpx.AsyncClient:
        """An HTTP client with a credential and headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(base_url=self.url, headers={**({"authorization": f"Bearer {token}"} if token else {}), **sent})


@cache
def _pages() -> list[tuple[str, Any]]:
    return pages(openapi_document())


@asynccontextmanager
async def gateway(door: Door, *proxies: str) -> AsyncIterator[Gateway]:
    """A gateway whose limits have a clock that stands."""
    clock = Ticking()
    beside = [*_pages(), (oauth.PATH, oauth.TokenEndpoint(door))]
    served = RestServer(bridged(door, pages=beside, limits=Limits(door, proxies, clock)), "127.0.0.1:0")
    await served.start()
    try:
        yield Gateway(f"http://127.0.0.1:{served.port}", clock)
    finally:
        await served.stop(1)
