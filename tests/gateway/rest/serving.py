"""The bridge with its pages on a socket, without a member behind it, for the length of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.gateway.rest.over_channel import ChannelDoor
from revops_mesh.gateway.rest.pages import openapi_document, pages
from revops_mesh.gateway.rest.server import RestServer


@asynccontextmanager
async def served_pages() -> AsyncIterator[str]:
    """The address under which the pages are served."""
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nowhere:
        server = RestServer(Bridge([], ChannelDoor(nowhere), pages=pages(openapi_document())), "127.0.0.1:0")
        await server.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            await server.stop(grace=1)
