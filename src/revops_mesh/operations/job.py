"""What one batch of a long job works with: calls in the name of who started it, its progress and its cursor."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.call import Arrival, Call
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.names import derived
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.principal import Principal
from revops_mesh.kernel.stages import permitted

M = TypeVar("M", bound=Message)

BATCH_SECONDS = 2.0
"""How long a batch works before it saves its progress: long enough to be worth a save, short enough to be cancelled soon."""
PAUSES = (0.1, 0.5, 2.0)
"""Seconds before a call that was in the way of others is repeated."""
PASSING = frozenset({4, 8, 10, 14})
"""Codes that waiting may mend: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE."""


class Job(Generic[M]):
    """One batch. What it has set is kept when it returns, and when a refusal that waiting cannot mend ends the operation: cursor
    and progress then have to tell of the same point. When it breaks off otherwise nothing is kept, and its calls are replayed.
    """

    def __init__(self, kernel: Kernel, operation: pb.Operation, principal: Principal, metadata: M) -> None:
        self.name, self.principal, self.metadata = operation.name, principal, metadata
        """Resource name of the operation, who started it, and the progress, to be changed in place."""
        self.cursor = operation.job.cursor
        """Where the next batch begins, in a form of the method's own; empty at first."""
        self.response: Message | None = None
        self.kernel = kernel
        self._until = asyncio.get_running_loop().time() + BATCH_SECONDS

    @property
    def id(self) -> str:
        """The last segment of its name."""
        return self.name.rpartition("/")[2]

    @property
    def due(self) -> bool:
        """Whether the batch has worked long enough and should set its cursor and return."""
        return asyncio.get_running_loop().time() >= self._until

    def finish(self, response: Message) -> None:
        """Has the operation succeed with this batch."""
        self.response = response

    def require(self, method: Method) -> None:
        """Refuses with PERMISSION_REQUIRED or EDITION_REQUIRED if the starter may not call a method (by now)."""
        permitted(method, self._call(method, method.request()))

    async def call(self, request: Message, key: str = "") -> Any:
        """The answer of the method that takes this request, called by the starter; every refusal is a `Failure`.

        What changes something needs a key, the same whenever the batch is run again: then it happens once. Only internal methods
        whose effect is the same however often they are called go without.
        """
        method = self.kernel.by_request(request)
        if method.has_request_id and not key:
            raise Broken(f"{self.name} calls {method.full_name} without a key")
        for pause in PAUSES:
            try:
                return await self.kernel.answer(method.path, request, self._arrival(key))
            except Failure as failure:
                if failure.code not in PASSING:
                    raise
                await asyncio.sleep(failure.retry_after or pause)
        return await self.kernel.answer(method.path, request, self._arrival(key))

    async def stream(self, request: Message) -> AsyncGenerator[Any, None]:
        """The answers of a streaming method."""
        answers: Any = self.kernel.stream(self.kernel.by_request(request).path, request, self._arrival(""))
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    def _arrival(self, key: str) -> Arrival:
        request_id = derived("operation", self.name, key) if key else None
        return Arrival({}, principal=self.principal, request_id=request_id)

    def _call(self, method: Method, request: Message) -> Call:
        return self.kernel.call(method, request, self._arrival(""))
