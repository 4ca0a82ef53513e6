"""Calls a member over gRPC by sending requests: the type of a request says which method (docs/decisions/0002).

Source of the refusals: AIP-193.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status.rpc_status import from_call
from revops.options.v1 import options_pb2 as options

ANSWER_SECONDS = 30.0


class Refusal(RuntimeError):
    """A call was refused: `code` by gRPC, and why by the contract, empty when no member spoke."""

    def __init__(
        self, code: str, message: str, reason: str = "", domain: str = "", metadata: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.domain, self.metadata = code, reason, domain, metadata or {}


class Member:
    """A member at the other end of a channel, called with one token."""

    def __init__(self, channel: grpc.aio.Channel, address: str, token: str) -> None:
        self._channel, self._address, self._token = channel, address, token

    def as_(self, token: str) -> "Member":
        """The same member, called by somebody else."""
        return Member(self._channel, self._address, token)

    async def __call__(self, request: Message) -> Any:
        """The answer of the method that takes this request. Raises `Refusal`; waits at most 30 s."""
        path, parse = _method(request.DESCRIPTOR)
        call = self._channel.unary_unary(path, type(request).SerializeToString, parse)
        with self._refusals():
            return await call(request, metadata=self._metadata, timeout=ANSWER_SECONDS)

    async def send(self, of: type[Message], requests: AsyncIterator[Message]) -> Any:
        """The answer to a stream of requests of one type. Raises `Refusal`."""
        path, parse = _method(of.DESCRIPTOR)
        call = self._channel.stream_unary(path, of.SerializeToString, parse)
        with self._refusals():
            return await call(requests, metadata=self._metadata)

    async def stream(self, request: Message) -> AsyncIterator[Any]:
        """The answers of a streaming method. Raises `Refusal`."""
        path, parse = _method(request.DESCRIPTOR)
        call = self._channel.unary_stream(path, type(request).SerializeToString, parse)
        with self._refusals():
            async for answer in call(request, metadata=self._metadata):
                yield answer

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._token}"),)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            refusal = _refusal(error)
            if refusal.code == "UNAVAILABLE" and not refusal.reason:
                raise Refusal(refusal.code, f"no member answers at {self._address}") from None
            raise refusal from None


@asynccontextmanager
async def member_at(address: str, token: str) -> AsyncIterator[Member]:
    """A member at `host:port`, or at `https://host:port` by TLS."""
    host = address.removeprefix("https://")
    if host != address:
        channel = grpc.aio.secure_channel(host, grpc.ssl_channel_credentials())
    else:
        channel = grpc.aio.insecure_channel(host)
    async with channel:
        yield Member(channel, address, token)


@cache
def _method(request: Descriptor) -> tuple[str, Any]:
    """Path and parser of the answer of the public method that takes a request; it stands in the request's own file."""
    for service in request.file.services_by_name.values():
        for method in service.methods:
            if method.input_type.full_name == request.full_name and not _internal(method):
                answer = message_factory.GetMessageClass(method.output_type)
                return f"/{service.full_name}/{method.name}", answer.FromString
    raise ValueError(f"no method takes {request.full_name}")


def _internal(method: MethodDescriptor) -> bool:
    policy = method.GetOptions().Extensions[options.policy]
    return bool(policy.internal)


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    code, message = error.code().name, error.details() or "no reason was given"
    status = from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return Refusal(code, message, info.reason, info.domain, dict(sorted(info.metadata.items())))
    return Refusal(code, message)
