"""The gRPC door: one table of handlers, built once, and the translation between gRPC and the kernel.

No interceptors (1 µs each, and they see bytes) and no generated registration (its cost grows with the number of methods).
Sources: AIP-193 for refusals, gRFC A6 for `grpc-retry-pushback-ms`, gRFC A9 for the age of connections.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeAlias, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Failure, invalid
from revops_mesh.kernel.peers import ASKING, TENANT
from revops_mesh.kernel.pipeline import LONGEST_SECONDS, Kernel

from .logs import trace_of_call

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Answers = Callable[[Any, Context], AsyncIterator[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Recover = Callable[[Failure], Awaitable[bool]]

CODES = {code.value[0]: code for code in grpc.StatusCode}
OPTIONS = (
    ("grpc.max_connection_age_ms", 300_000),
    # Not shorter than the longest call, or every call under way on an old connection fails.
    ("grpc.max_connection_age_grace_ms", 35_000),
    ("grpc.max_connection_idle_ms", 900_000),
    ("grpc.max_concurrent_streams", 200),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_receive_message_length", 4 << 20),
)


class Table(grpc.GenericRpcHandler):
    """Finds the handler of a method; what is not in the table is UNIMPLEMENTED."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(details.method)


class Streams:
    """Streaming calls under way. A drain ends them, for `Server.stop` would wait its whole grace for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def end(self) -> None:
        """Ends them with UNAVAILABLE; clients connect again, elsewhere."""
        self._ended = True
        for task in self._tasks:
            task.cancel()

    def handler(self, answers: Answers) -> Callable[[Any, Context], Awaitable[None]]:
        """The gRPC handler of a generator of answers."""

        async def stream(request: Any, context: Context) -> None:
            task = cast("asyncio.Task[Any]", asyncio.current_task())
            self._tasks.add(task)
            try:
                async with aclosing(cast("AsyncGenerator[Any, None]", answers(request, context))) as each:
                    async for answer in each:
                        await context.write(answer)
            except asyncio.CancelledError:
                if not self._ended:
                    raise
                task.uncancel()
                await context.abort(grpc.StatusCode.UNAVAILABLE, "The server is stopping: connect again.")
            except Failure as failure:
                await refuse(context, failure)
            finally:
                self._tasks.discard(task)

        return stream


def kernel_handlers(kernel: Kernel, streams: Streams, recover: Recover) -> Iterator[tuple[str, Handler]]:
    """Path and handler of every method of a kernel; `recover` tells whether a refused unary call may be tried again.

    Requests reach the handlers as bytes, because gRPC would call a malformed one INTERNAL.
    """
    for path, method in kernel.methods.items():
        if method.streams:
            handler = streams.handler(_streaming(kernel, method))
            yield path, grpc.unary_stream_rpc_method_handler(handler, None, method.response.SerializeToString)
        elif method.intake:
            yield path, grpc.stream_unary_rpc_method_handler(_intake(kernel, method), None, method.response.SerializeToString)
        else:
            unary = _unary(kernel, method, recover)
            yield path, grpc.unary_unary_rpc_method_handler(unary, None, method.response.SerializeToString)


def servicer_handlers(of: Any, servicer: Any, streams: Streams, name: str = "") -> Iterator[tuple[str, Handler]]:
    """Path and handler of every method of a service descriptor of gRPC's own; `name` serves it under another name."""
    for method in of.methods:
        handler, path = getattr(servicer, method.name), f"/{name or of.full_name}/{method.name}"
        parse, form = GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString
        if not method.server_streaming:
            yield path, grpc.unary_unary_rpc_method_handler(handler, parse, form)
        elif method.client_streaming:
            yield path, grpc.stream_stream_rpc_method_handler(streams.handler(handler), parse, form)
        else:
            yield path, grpc.unary_stream_rpc_method_handler(streams.handler(handler), parse, form)


def aliased(handlers: Mapping[str, Handler], standard: str, ours: str) -> Iterator[tuple[str, Handler]]:
    """Path and handler of every method of a standard service, which a service of ours with methods of the same names answers."""
    for method in descriptor_pool.Default().FindServiceByName(standard).methods:
        yield f"/{standard}/{method.name}", handlers[f"/{ours}/{method.name}"]


def _unary(kernel: Kernel, method: Method, recover: Recover) -> Callable[[bytes, Context], Awaitable[Any]]:
    answer, path = kernel.answer, method.path

    async def handler(data: bytes, context: Context) -> Any:
        try:
            request, arrival = _parsed(data, method, kernel), _arrival(context)
            try:
                return await answer(path, request, arrival)
            except Failure as failure:
                if not await recover(failure):
                    raise
            return await answer(path, request, arrival)
        except Failure as failure:
            await refuse(context, failure)

    return handler


def _streaming(kernel: Kernel, method: Method) -> Answers:
    async def answers(data: bytes, context: Context) -> AsyncGenerator[Any, None]:
        stream = kernel.stream(method.path, _parsed(data, method, kernel), _arrival(context))
        async with aclosing(cast("AsyncGenerator[Any, None]", stream)) as each:
            async for answer in each:
                yield answer

    return answers


def _intake(kernel: Kernel, method: Method) -> Callable[[AsyncIterator[bytes], Context], Awaitable[Any]]:
    async def handler(chunks: AsyncIterator[bytes], context: Context) -> Any:
        try:
            return await kernel.intake(method.path, (_parsed(chunk, method, kernel) async for chunk in chunks), _arrival(context))
        except Failure as failure:
            await refuse(context, failure)

    return handler


def _parsed(data: bytes, method: Method, kernel: Kernel) -> Any:
    try:
        return method.request.FromString(data)
    except DecodeError:
        kernel.observer.count(method.full_name, "FIELD_INVALID", 0.0)
        raise invalid([("", f"The request is no {method.request.DESCRIPTOR.full_name}.")]) from None


def _arrival(context: Context) -> Arrival:
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    trace_of_call.set(metadata.get("traceparent", ""))
    # gRPC cancels at the caller's deadline; a call without one, or with a distant one, is ended by the kernel.
    remaining = context.time_remaining()
    deadline = monotonic() + remaining if remaining is not None and remaining <= LONGEST_SECONDS else None
    program = _program(context) if ASKING in metadata or TENANT in metadata else ""
    return Arrival(metadata, context.peer(), program, deadline=deadline)


def _program(context: Context) -> str:
    """The SPIFFE ID in the certificate of the other end, "" if there is none; the check that it is sound is gRPC's (4 µs)."""
    proven = list(context.auth_context().get("peer_spiffe_id", ()))
    return proven[0].decode() if len(proven) == 1 else ""


def _pushback(context: Context, seconds: float, reason: str) -> str:
    """Milliseconds, or -1 for a member whose question was repeated here already: one repetition a chain, at its last link."""
    repeated = reason == "PEER_UNAVAILABLE" and any(key == ASKING for key, _ in context.invocation_metadata() or ())
    # Not at once: a client on gRPC core 1.72 to 1.83 may then hang beyond its deadline (its issue 41036).
    return "-1" if repeated else str(max(10, round(seconds * 1000)))


async def refuse(context: Context, failure: Failure) -> None:
    """Ends a call with the refusal's status and details and, if it may be repeated, when."""
    status = failure.status()
    trailer: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", status.SerializeToString())]
    if failure.retry_after is not None:
        trailer.append(("grpc-retry-pushback-ms", _pushback(context, failure.retry_after, failure.reason)))
    elif CODES[status.code] is grpc.StatusCode.ABORTED:
        # The caller has to read first: a client that repeats ABORTED, as contention wants it, is told not to.
        trailer.append(("grpc-retry-pushback-ms", "-1"))
    await context.abort(CODES[status.code], status.message, tuple(trailer))
