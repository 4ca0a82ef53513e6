"""Calls of one connection: what each kind of method does with a request, beside sending it.

A change is sent with a `request_id`, so that it happens once however often it is sent. A token that the member refuses is
replaced once. Retries on the wire are gRPC's own, by service config. Times are seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import uuid4

import betterproto2
import grpc

from revops_rpc.errors import refusal
from revops_rpc.paging import Pages
from revops_rpc.tokens import Tokens
from revops_rpc.wire import text_field

Answer = TypeVar("Answer", bound=betterproto2.Message)
Item = TypeVar("Item")

Metadata: TypeAlias = Mapping[str, str]
"""Request metadata beside the token, by lower-case key, as in `{"traceparent": "00-…-01"}`."""
NONE: Metadata = {}

Surroundings: TypeAlias = Callable[[], Iterable[tuple[str, str]]]
"""Metadata of whatever is under way, asked for at each call."""


class Calls:
    """Sends and receives for the methods of all services over one channel."""

    def __init__(self, channel: grpc.aio.Channel, tokens: Tokens, timeout: float, surroundings: Surroundings) -> None:
        self.channel, self.tokens, self.timeout, self.surroundings = channel, tokens, timeout, surroundings

    def unary(self, path: str, answer: type[Answer], request_id: int = 0) -> Unary[Answer]:
        """A method that answers once. `request_id` is the number of that field, 0 for a method that changes nothing."""
        return Unary(self, path, answer, request_id)

    def streaming(self, path: str, answer: type[Answer]) -> Streaming[Answer]:
        """A method that answers many times."""
        return Streaming(self, path, answer)

    def sending(self, path: str, answer: type[Answer], request_id: int = 0) -> Sending[Answer]:
        """A method that takes many requests and answers once. `request_id` is as above, of the first request."""
        return Sending(self, path, answer, request_id)

    def paged(
        self, path: str, answer: type[Answer], items: Callable[[Answer], Sequence[Item]], page_token: int
    ) -> Paged[Answer, Item]:
        """A List method. `page_token` is the number of that field of its request."""
        return Paged(Unary(self, path, answer), items, page_token)

    async def metadata(self, token: str, more: Metadata) -> tuple[tuple[str, str], ...]:
        """What a call is sent with; what the caller says goes before what surrounds the call."""
        found = {**dict(self.surroundings()), **more}
        if token:
            found["authorization"] = f"Bearer {token}"
        return tuple(found.items())


class Unary(Generic[Answer]):
    """A method that answers once."""

    def __init__(self, calls: Calls, path: str, answer: type[Answer], request_id: int = 0) -> None:
        self._calls, self._request_id = calls, request_id
        self._send: Any = calls.channel.unary_unary(path, None, answer.parse)

    async def __call__(
        self, request: betterproto2.Message, timeout: float | None, metadata: Metadata, page: bytes = b""
    ) -> Answer:
        """The answer; `RevopsError` if there is none within `timeout`, or within the connection's if that is None."""
        body, request_id = _once(request, self._request_id)
        try:
            return await self._sent(body + page, self._calls.timeout if timeout is None else timeout, metadata)
        except grpc.aio.AioRpcError as error:
            raise refusal(error, request_id) from error

    async def _sent(self, body: bytes, timeout: float, metadata: Metadata) -> Answer:
        calls, began = self._calls, monotonic()
        token = await calls.tokens.current()
        try:
            return await self._answer(body, timeout, await calls.metadata(token, metadata))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not calls.tokens.renewable:
                raise
        token = await calls.tokens.instead_of(token)
        return await self._answer(body, timeout - (monotonic() - began), await calls.metadata(token, metadata))

    async def _answer(self, body: bytes, timeout: float, metadata: Any) -> Answer:
        answer: Answer = await self._send(body, timeout=timeout, metadata=metadata)
        return answer


class Paged(Generic[Answer, Item]):
    """A List method."""

    def __init__(self, unary: Unary[Answer], items: Callable[[Answer], Sequence[Item]], page_token: int) -> None:
        self._unary, self._items, self._page_token = unary, items, page_token

    def __call__(self, request: betterproto2.Message, timeout: float | None, metadata: Metadata) -> Pages[Answer, Item]:
        """The pages; `timeout` is for each of them."""

        async def fetch(token: str) -> Answer:
            return await self._unary(request, timeout, metadata, text_field(self._page_token, token) if token else b"")

        return Pages(fetch, self._items, _next_page_token)


class Streaming(Generic[Answer]):
    """A method that answers many times."""

    def __init__(self, calls: Calls, path: str, answer: type[Answer]) -> None:
        self._calls = calls
        self._send: Any = calls.channel.unary_stream(path, None, answer.parse)

    async def __call__(self, request: betterproto2.Message, timeout: float | None, metadata: Metadata) -> AsyncIterator[Answer]:
        """The answers, for as long as they come if there is no timeout. Leaving the loop ends the call."""
        tokens, met = self._calls.tokens, False
        token = await tokens.current()
        for renewed in (False, True):
            call = self._send(bytes(request), timeout=timeout, metadata=await self._calls.metadata(token, metadata))
            try:
                async for answer in call:
                    met = True
                    yield answer
                return
            except grpc.aio.AioRpcError as error:
                refused = error.code() is grpc.StatusCode.UNAUTHENTICATED
                if met or renewed or not refused or not tokens.renewable:
                    raise refusal(error) from error
            finally:
                call.cancel()
            token = await tokens.instead_of(token)


class Sending(Generic[Answer]):
    """A method that takes many requests and answers once."""

    def __init__(self, calls: Calls, path: str, answer: type[Answer], request_id: int) -> None:
        self._calls, self._request_id = calls, request_id
        self._send: Any = calls.channel.stream_unary(path, None, answer.parse)

    async def __call__(self, requests: AsyncIterable[betterproto2.Message], timeout: float | None, metadata: Metadata) -> Answer:
        """The answer, which may take any time if there is no timeout. What `requests` raises ends the call and is raised."""
        token, request_id = await self._calls.tokens.current(), ""
        call = self._send(timeout=timeout, metadata=await self._calls.metadata(token, metadata))
        try:
            number = self._request_id
            async for request in requests:
                body, known = _once(request, number)
                request_id, number = request_id or known, 0
                await call.write(body)
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # Answered or refused before the last request: the call says which.
            pass
        except BaseException:
            call.cancel()
            raise
        try:
            answer: Answer = await call
        except grpc.aio.AioRpcError as error:
            raise refusal(error, request_id) from error
        return answer


def _once(request: betterproto2.Message, number: int) -> tuple[bytes, str]:
    """A request as it is sent, and its `request_id`, made if it has none; `number` is that of the field, 0 if there is none."""
    if not number:
        return bytes(request), ""
    if known := getattr(request, "request_id", ""):
        return bytes(request), known
    request_id = str(uuid4())
    return bytes(request) + text_field(number, request_id), request_id


def _next_page_token(page: betterproto2.Message) -> str:
    token: str = getattr(page, "next_page_token", "")
    return token
