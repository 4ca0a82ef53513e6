"""The door into a kernel of the same process: no wire, and the same pipeline."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic
from typing import cast

from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import Failure, refuse
from revops_mesh.kernel.pipeline import LONGEST_SECONDS, Kernel
from revops_mesh.runtime.settings import Settings

from . import oauth
from .bridge import Bridge
from .doors import Sender
from .limits import CALLER, Limits
from .refusals import refused
from .server import opened

_log = logging.getLogger("revops.rest")


class KernelDoor:
    """Answers from a kernel; `recover` tells whether a refused unary call may be tried again."""

    def __init__(self, kernel: Kernel, recover: Callable[[Failure], Awaitable[bool]]) -> None:
        self._kernel, self._recover = kernel, recover

    def serves(self, path: str) -> bool:
        """Whether its modules have the method."""
        return path in self._kernel.methods

    async def answer(self, path: str, request: Message, sender: Sender) -> Message:
        """The kernel's answer."""
        try:
            if sender.seconds is None or sender.seconds >= LONGEST_SECONDS:
                return await self._answer(path, request, Arrival(sender.metadata, sender.peer))
            arrival = Arrival(sender.metadata, sender.peer, deadline=monotonic() + sender.seconds)
            async with asyncio.timeout(sender.seconds):
                return await self._answer(path, request, arrival)
        except TimeoutError:
            late = "The call took longer than it may: repeat it with the same request_id."
            raise refused(refuse(platform.DEADLINE_PASSED, late)) from None
        except Failure as failure:
            raise refused(failure) from None

    async def _answer(self, path: str, request: Message, arrival: Arrival) -> Message:
        try:
            return await self._kernel.answer(path, request, arrival)
        except Failure as failure:
            if not await self._recover(failure):
                raise
        return await self._kernel.answer(path, request, arrival)

    async def intake(self, path: str, requests: AsyncIterator[Message], sender: Sender) -> Message:
        """The kernel's answer to a stream; each request of it is a call with a deadline of its own."""
        try:
            return await self._kernel.intake(path, requests, Arrival(sender.metadata, sender.peer))
        except Failure as failure:
            raise refused(failure) from None

    async def stream(self, path: str, request: Message, sender: Sender) -> AsyncIterator[Message]:
        """The kernel's answers."""
        answers = self._kernel.stream(path, request, Arrival(sender.metadata, sender.peer))
        try:
            async with aclosing(cast("AsyncGenerator[Message, None]", answers)) as each:
                async for answer in each:
                    yield answer
        except Failure as failure:
            raise refused(failure) from None


async def rest(
    kernel: Kernel, settings: Settings, serving: Callable[[], bool], recover: Callable[[Failure], Awaitable[bool]]
) -> Callable[[float], Awaitable[None]]:
    """Serves a kernel's methods at the `rest_address` of its member; gives what stops it. Raises `OSError`."""
    from .pages import openapi_document, pages  # only now, for members without REST need no templates

    door, pool = KernelDoor(kernel, recover), descriptor_pool.Default()
    services = [pool.FindServiceByName(module.service) for module in kernel.modules]
    beside, limits = pages(openapi_document()), None
    if door.serves(CALLER):  # else nobody here knows whose a credential is: the gateway in front counts
        beside.append((oauth.PATH, oauth.TokenEndpoint(door)))
        limits = Limits(door, settings.trusted_proxies)
    bridge = Bridge(services, door, origins=settings.cors_origins, pages=beside, serving=serving, limits=limits)
    server = await opened(bridge, settings, settings.rest_address, shared=settings.workers > 1)
    _log.info("serving %d routes on %s, port %d", len(bridge.routes), settings.rest_address, server.port)
    return server.stop
