"""Drivers: the same calls in JSON through each kind of client, so that what they give can be compared.

A new kind of client is a class with `call` and a line in `DRIVERS`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from revops_client import Revops, RevopsError

from revops_mesh.contracts.surface import snake
from revops_mesh.kernel.contract import Method
from tests.runtime.calling import METHODS, Client, Refused

BY_NAME = {method.full_name: method for method in METHODS.values()}

Json = dict[str, Any]


@dataclass(frozen=True)
class ErrorInfo:
    """A refusal, whatever it came by. A client has to show all of this."""

    code: str
    """Canonical name, as in `NOT_FOUND`."""
    message: str
    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[tuple[str, str]] = ()
    """Field and description of each, in the order of the refusal."""


class Driver(Protocol):
    """One kind of client, connected to a member."""

    async def call(self, method: str, request: Json, headers: Mapping[str, str]) -> Json | ErrorInfo:
        """Calls a method by its full name, as in `revops.quoting.v1.QuoteService.GetQuote`, with a request in protobuf's JSON.

        Gives the answer in the same, without defaults; that of a streaming method is `{"answers": […]}`. Headers are request
        metadata by lower-case name; `authorization` is "Bearer …" and is missing when nobody calls.
        """
        ...


class GrpcDriver:
    """gRPC itself, without a client of ours."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(self, method: str, request: Json, headers: Mapping[str, str]) -> Json | ErrorInfo:
        client, called = Client(self._channel, **headers), BY_NAME[method]
        message = ParseDict(request, called.request())
        try:
            if called.streams:
                return {"answers": [MessageToDict(each) async for each in client.stream(message)]}
            return MessageToDict(await client(message))
        except grpc.aio.AioRpcError as error:
            return _refused(Refused(error))


def _refused(refused: Refused) -> ErrorInfo:
    (info,) = refused.details(error_details_pb2.ErrorInfo)
    bad = [violation for each in refused.details(error_details_pb2.BadRequest) for violation in each.field_violations]
    violations = tuple((violation.field, violation.description) for violation in bad)
    return ErrorInfo(refused.code.name, refused.text, info.reason, info.domain, dict(info.metadata), violations)


class PythonDriver:
    """The Python client; its messages travel as bytes, for JSON is not its business."""

    def __init__(self, open_client: Callable[[str], AbstractAsyncContextManager[Revops]], stack: AsyncExitStack) -> None:
        self._open, self._stack = open_client, stack
        self._clients: dict[str, Revops] = {}

    async def call(self, method: str, request: Json, headers: Mapping[str, str]) -> Json | ErrorInfo:
        headers = dict(headers)
        token = headers.pop("authorization", "").removeprefix("Bearer ")
        if token not in self._clients:
            self._clients[token] = await self._stack.enter_async_context(self._open(token))
        service, _, rpc = method.rpartition(".")
        package, _, name = service.rpartition(".")
        module = import_module(f"revops_client.{package.removeprefix('revops.')}")
        called = getattr(getattr(module, name)(self._clients[token].calls), snake(rpc))
        message = getattr(module, f"{rpc}Request").parse(ParseDict(request, BY_NAME[method].request()).SerializeToString())
        try:
            if BY_NAME[method].streams:
                return {"answers": [_json(BY_NAME[method], each) async for each in called(message, metadata=headers)]}
            return _json(BY_NAME[method], await called(message, metadata=headers))
        except RevopsError as error:
            violations = tuple((violation.field, violation.description) for violation in error.violations)
            return ErrorInfo(error.code.name, error.message, error.reason, error.domain, error.metadata, violations)


def _json(method: Method, answer: Any) -> Json:
    parsed: Message = method.response.FromString(b"" if answer is None else bytes(answer))
    return MessageToDict(parsed)


@asynccontextmanager
async def grpc_driver(address: str) -> AsyncIterator[Driver]:
    """gRPC over one channel."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield GrpcDriver(channel)


@asynccontextmanager
async def python_driver(address: str) -> AsyncIterator[Driver]:
    """A Python client for each caller."""
    async with AsyncExitStack() as stack:
        yield PythonDriver(lambda token: Revops(address, token or None), stack)
