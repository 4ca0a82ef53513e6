"""Long-running operations (AIP-151): a method that starts one answers with `Running`, which is waited for, watched or cancelled.

The job goes on in the member whether anybody waits or not. Times are seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, TypeVar

import betterproto2

from revops_rpc.calls import NONE, Calls, Metadata, Unary
from revops_rpc.errors import failure
from revops_rpc.google import Nothing, Operation, OperationRequest

Result = TypeVar("Result", bound=betterproto2.Message)
Progress = TypeVar("Progress", bound=betterproto2.Message)

FIRST_WAIT, LONGEST_WAIT, GROWTH = 0.1, 5.0, 1.5
"""Between two questions; the wait grows while nothing moves."""


class Operations:
    """The service that knows all operations."""

    def __init__(self, calls: Calls, service: str, cancel_request_id: int) -> None:
        """`service` is its path, as in `/revops.platform.v1.OperationService/`; then the number of a field of a request."""
        self.calls = calls
        self.get = calls.unary(f"{service}GetOperation", Operation)
        self.cancel = calls.unary(f"{service}CancelOperation", Nothing, cancel_request_id)

    def starting(
        self, path: str, result: type[Result], progress: type[Progress], request_id: int = 0
    ) -> Starting[Result, Progress]:
        """A method that starts one, whose result and progress are of these types."""
        return Starting(self, self.calls.unary(path, Operation, request_id), result, progress)

    async def found(self, name: str, result: type[Result], progress: type[Progress]) -> Running[Result, Progress]:
        """An operation by its name."""
        return Running(self, await self.get(OperationRequest(name=name), None, NONE), result, progress)


class Running(Generic[Result, Progress]):
    """An operation under way. `await running` is its result; `RevopsError` if it failed or was cancelled."""

    def __init__(self, operations: Operations, operation: Operation, result: type[Result], progress: type[Progress]) -> None:
        self._operations, self._operation = operations, operation
        self._result, self._progress = result, progress

    @property
    def name(self) -> str:
        """As in `operations/01j…`; with it anybody who may can find the operation again."""
        return self._operation.name

    async def progress(self) -> AsyncIterator[Progress]:
        """How far it is, now and whenever that changes, until it is done."""
        told, wait = None, FIRST_WAIT
        while True:
            packed = self._operation.metadata
            if packed is not None and packed.value != told:
                told, wait = packed.value, FIRST_WAIT
                yield self._progress.parse(packed.value)
            if self._operation.done:
                return
            await asyncio.sleep(wait)
            wait = min(wait * GROWTH, LONGEST_WAIT)
            self._operation = await self._operations.get(OperationRequest(name=self.name), None, NONE)

    async def cancel(self) -> None:
        """Asks the member to stop it; what it has done by then stays."""
        await self._operations.cancel(OperationRequest(name=self.name), None, NONE)

    def __await__(self) -> Generator[Any, None, Result]:
        return self._finished().__await__()

    async def _finished(self) -> Result:
        async for _ in self.progress():
            pass
        error, response = self._operation.error, self._operation.response
        if error is not None:
            raise failure(error.code, error.message, error.details)
        return self._result.parse(b"" if response is None else response.value)


class Starting(Generic[Result, Progress]):
    """A method that starts an operation."""

    def __init__(self, operations: Operations, send: Unary[Operation], result: type[Result], progress: type[Progress]) -> None:
        self._operations, self._send, self._result, self._progress = operations, send, result, progress

    async def __call__(
        self, request: betterproto2.Message, timeout: float | None, metadata: Metadata
    ) -> Running[Result, Progress]:
        """The operation, once the member has accepted it."""
        operation = await self._send(request, timeout, metadata)
        return Running(self._operations, operation, self._result, self._progress)
