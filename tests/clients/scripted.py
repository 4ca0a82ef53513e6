"""A gRPC server that answers as a test says, to see what a client does when a member cannot be brought to answer so at will."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Answer = Message | grpc.StatusCode | tuple[grpc.StatusCode, dict[str, str | bytes]] | Callable[[bytes], Awaitable[Message]]


@dataclass(frozen=True)
class Received:
    """A call as it arrived."""

    method: str
    body: bytes
    metadata: dict[str, str]
    remaining: float | None
    """Seconds until the caller's deadline."""


@dataclass
class Scripted(grpc.GenericRpcHandler):
    """Answers with one answer of the script after the other, and goes on with the last."""

    script: list[Answer]
    received: list[Received] = field(default_factory=list)
    address: str = ""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def answer(body: bytes, context: Context) -> bytes:
            metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
            self.received.append(Received(details.method, body, metadata, context.time_remaining()))
            return await self._answer(body, context)

        async def answer_all(bodies: Any, context: Context) -> bytes:
            """A stream is one call; what is refused at the first request is not read on."""
            first = await anext(aiter(bodies))
            if not isinstance(self.script[0], Message):
                return await answer(first, context)
            whole = first + b"".join([body async for body in bodies])
            await asyncio.sleep(0.1)  # a stream that was cancelled looks ended, and only then is its handler cancelled
            return await answer(whole, context)

        streams = details.method.endswith("Stream")
        return grpc.stream_unary_rpc_method_handler(answer_all) if streams else grpc.unary_unary_rpc_method_handler(answer)

    async def _answer(self, body: bytes, context: Context) -> bytes:
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "scripted")
        elif isinstance(answer, tuple):
            await context.abort(answer[0], "scripted", tuple(answer[1].items()))
        elif isinstance(answer, Message):
            return answer.SerializeToString()
        return (await answer(body)).SerializeToString()


@asynccontextmanager
async def scripted(*script: Answer) -> AsyncIterator[Scripted]:
    """Such a server, on a port of its own."""
    handler = Scripted(list(script))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield handler
    finally:
        await server.stop(None)
