"""What reactions and timers share: one attempt to bring an event or a timer to its internal rpc, and what becomes of failures."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from revops_mesh.kernel.call import Arrival, Event
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pipeline import Kernel

from . import dead_letters, envelope
from .worker import expected

ATTEMPTS = 8
"""Times an event or a timer is tried before it becomes a dead letter."""
DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Seconds before the 2nd to the 8th attempt: two minutes in all."""
NOTING = (0.1, 0.5, 2.0, 0.0)
"""Seconds between attempts to note what an errand found, none after the last."""

_DONE_BEFORE = "REQUEST_ID_CONFLICT"

_log = logging.getLogger("revops.messaging")


@dataclass(frozen=True, slots=True)
class Delivery:
    """An attempt."""

    tenant: UUID
    request_id: UUID
    """The same in every attempt, so that the replay table lets one succeed once."""
    method: Method
    request: bytes
    trace: str
    attempt: int
    """From 1."""
    event: Event | None = None

    async def attempted(self, kernel: Kernel) -> str:
        """Calls the method; gives what went wrong, "" if nothing: a refusal whole, a fault of ours without its text."""
        try:
            request = self.method.request.FromString(self.request)
            interest = kernel.interests.get(self.method.full_name)
            if interest is not None and not await interest(kernel, self.tenant, request):
                return ""
            if errand := kernel.errands.get(self.method.full_name):
                request = await errand(kernel, self.tenant, request, self.attempt)
                return await self._noted(kernel, request)
            await self._called(kernel, request)
        except Exception as error:
            problem = f"{error.reason}: {error}" if isinstance(error, Failure) else type(error).__name__
            _log.warning(
                "%s failed in attempt %d of %s for tenant %s: %s", self.method.full_name, self.attempt,
                self.request_id, self.tenant, problem, exc_info=not expected(error),
            )  # fmt: skip
            return problem
        return ""

    async def _called(self, kernel: Kernel, request: Message) -> None:
        arrival = Arrival({"traceparent": self.trace}, request_id=self.request_id, event=self.event)
        await kernel.react(self.method, request, self.tenant, arrival)

    async def _noted(self, kernel: Kernel, found: Message) -> str:
        """Calls the method with what its errand found, repeatedly while the store is busy, so as not to go outside again."""
        for pause in NOTING:
            try:
                await self._called(kernel, found)
                break
            except Failure as failure:
                if failure.reason == _DONE_BEFORE:
                    break  # an earlier attempt found something else outside, and its rpc was committed
                if failure.retry_after is None or not pause:
                    raise
            await asyncio.sleep(pause)
        return ""

    async def bury(self, connection: Any, problem: str) -> None:
        """Makes a dead letter of it, with the `relay` login."""
        event = envelope.facts(self.event, self.trace) if self.event else "{}"
        what = (self.method.full_name, self.method.request.DESCRIPTOR.full_name, self.request, event)
        await dead_letters.put(connection, self.tenant, self.request_id, *what, problem=problem, attempts=self.attempt)


def delay(delays: tuple[float, ...], attempt: int) -> float:
    """Seconds to wait after a failed attempt, the last of the delays from then on."""
    return delays[min(attempt, len(delays)) - 1]
