"""The door to a member elsewhere: gRPC over one channel, with the sender's credentials and deadline."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel.errors import Failure, refuse

from .doors import Sender
from .refusals import Refused, bad_header, no_path, refused

LONGEST_SECONDS = 30.0
"""Of a unary call whose sender states no deadline, or a later one."""
LONGEST_HEADER = 6 << 10
OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


class ChannelDoor:
    """Answers from the member at the other end of a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._unary = lru_cache(None)(self._unary_of)

    def serves(self, path: str) -> bool:
        """Whatever the contracts say; the member itself tells what it does not serve."""
        return True

    async def answer(self, path: str, request: Message, sender: Sender) -> Message:
        """The member's answer."""
        seconds = min(sender.seconds or LONGEST_SECONDS, LONGEST_SECONDS)
        try:
            answer: Message = await self._unary(path)(request, metadata=_metadata(sender), timeout=seconds)
            return answer
        except grpc.aio.AioRpcError as error:
            raise _refusal(error, path) from None

    async def intake(self, path: str, requests: AsyncIterator[Message], sender: Sender) -> Message:
        """The member's answer to a stream; what ends the stream early also ends the call."""
        ended: list[BaseException] = []

        async def sent() -> AsyncIterator[Message]:
            try:
                async for request in requests:
                    yield request
            except Exception as error:
                ended.append(error)
                raise

        call = self._channel.stream_unary(path, *_types(path))(sent(), metadata=_metadata(sender), timeout=sender.seconds)
        try:
            answer: Message = await call
            return answer
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            if ended:
                raise ended[0] from None
            if not isinstance(error, grpc.aio.AioRpcError):
                raise
            raise _refusal(error, path) from None
        finally:
            call.cancel()

    async def stream(self, path: str, request: Message, sender: Sender) -> AsyncIterator[Message]:
        """The member's answers."""
        serialize, parse = _types(path)
        call = self._channel.unary_stream(path, serialize, parse)(request, metadata=_metadata(sender))
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise _refusal(error, path) from None
        finally:
            call.cancel()

    def _unary_of(self, path: str) -> Any:
        return self._channel.unary_unary(path, *_types(path))


def _types(path: str) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    service, _, name = path[1:].partition("/")
    method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    return GetMessageClass(method.input_type).SerializeToString, GetMessageClass(method.output_type).FromString


def _metadata(sender: Sender) -> tuple[tuple[str, str], ...]:
    """gRPC's metadata is printable ASCII, and servers take 8 KiB of it."""
    for name, value in sender.metadata.items():
        if not (len(value) <= LONGEST_HEADER and value.isascii() and value.isprintable()):
            raise bad_header(name, f"must be printable ASCII, at most {LONGEST_HEADER} characters")
    return tuple(sender.metadata.items())


def _refusal(error: grpc.aio.AioRpcError, path: str) -> Refused:
    """What the member said, or what the channel says when no member spoke."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return Refused(status_pb2.Status.FromString(value))
            except DecodeError:
                break
    code = error.code()
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return no_path(path)
    return refused(_spoken(code))


def _spoken(code: grpc.StatusCode) -> Failure:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return refuse(platform.DEADLINE_PASSED, "The call took longer than it may: repeat it with the same request_id.")
    return refuse(platform.MEMBER_UNAVAILABLE, "The member does not answer: repeat the call with the same request_id.").retry(1.0)
